// What goes wrong, and when: nodes, chains, processes, clocks.
#include "world_state.hpp"

#include <algorithm>

namespace sycee::simulation {

using namespace std::chrono_literals;

void World::rearm_crash(Slot& slot) {
    slot.awaits_to_crash = mix_.crashes ? rng_.between(0, rng_.chance(500) ? 300 : 3'000) : -1;
}

void World::start_process(std::size_t index) {
    Slot& slot = slots_[index];
    if (slot.gateway) return;
    auto const offset = faults_on_ && mix_.clock_jumps ? rng_.time(-30'000, 30'000) : 0ms;
    ProcessId const id = next_process_++;
    slot.gateway =
        std::make_unique<Gateway>(id, slot.name + " life " + std::to_string(id), *around_,
                                  slot.reduced_offer ? reduced_ : network_, offset);
    rearm_crash(slot);
    say(slot.name + " starts as " + std::to_string(id));
    slot.gateway->start();
}

void World::stop_process(std::size_t index) {
    Slot& slot = slots_[index];
    if (!slot.gateway) return;
    scheduler_.kill(slot.gateway->id());
    slot.gateway.reset();
}

void World::crashed(ProcessId id) {
    if (auto const phase = commit_phase_.find(id); phase != commit_phase_.end()) {
        reach(phase->second == CommitPhase::sent
                  ? "a process is killed before its commit is written"
                  : "a process is killed after its commit is written");
    }
    commit_phase_.erase(id);
    for (std::size_t index = 0; index < slots_.size(); ++index) {
        Slot& slot = slots_[index];
        if (!slot.gateway || slot.gateway->id() != id) continue;
        say(slot.name + " is killed");
        reach("a process is killed");
        slot.gateway.reset();
        scheduler_.after(rng_.time(200, rng_.chance(800) ? 8'000 : 60'000),
                         [this, index] { start_process(index); });
    }
}

void World::announce(std::size_t chain) {
    for (auto const& node : nodes_[chain])
        node->on_new_head();
}

void World::finalize(std::size_t chain) {
    if (!plans_[chain].stalled) chains_[chain]->finalize(plans_[chain].finality_lag);
}

void World::tick(std::size_t index) {
    ChainPlan const& plan = plans_[index];
    SimChain& chain = *chains_[index];
    if (!plan.mining) return;
    ++outcome_.blocks;
    Timestamp const now = scheduler_.now();
    BlockNumber const deepest = chain.deepest_reorg();
    if (faults_on_ && mix_.reorgs && deepest > 0 && rng_.chance(mix_.reorg_permille)) {
        bool const flip = mix_.flips && rng_.chance(400) && chain.flip_back(now);
        if (flip) {
            reach("a branch comes back");
            say("chain " + std::to_string(chain.id()) + " flips back, head " +
                std::to_string(chain.head().header.number));
        } else {
            auto const depth =
                rng_.chance(600)
                    ? static_cast<BlockNumber>(rng_.between(
                          1, static_cast<std::int64_t>(std::min<BlockNumber>(deepest, 2))))
                    : static_cast<BlockNumber>(rng_.between(1, static_cast<std::int64_t>(deepest)));
            auto const longer = static_cast<BlockNumber>(rng_.below(3));
            BlockNumber const length = rng_.chance(100) && depth > 1 ? depth - 1 : depth + longer;
            chain.reorg(depth, length, now, mix_.drop_permille);
            reach("a reorg");
            if (depth == deepest && depth > 1) reach("a reorg down to the final block");
            say("chain " + std::to_string(chain.id()) + " reorg of " + std::to_string(depth) +
                ", head " + std::to_string(chain.head().header.number));
        }
    } else {
        chain.extend(now, plan.include_permille);
    }
    finalize(index);
    announce(index);
    auto const jitter = rng_.time(-plan.tick.count() / 4, plan.tick.count() / 4);
    scheduler_.after(plan.tick + jitter, [this, index] { tick(index); });
}

Lie World::draw_lie(std::size_t chain) {
    // One node alone can hide logs from the first reading and be caught by the second; what it
    // invents, or calls final, nobody can tell from the truth.
    static std::vector<Lie> const alone{Lie::empty_logs, Lie::last_log_missing,
                                        Lie::last_log_missing, Lie::middle_log_missing,
                                        Lie::wrong_block};
    static std::vector<Lie> const among{
        Lie::empty_logs,   Lie::last_log_missing, Lie::middle_log_missing, Lie::invented_log,
        Lie::invented_log, Lie::wrong_block,      Lie::finalized_ahead,    Lie::own_fork};
    return rng_.pick(network_.chains[chain].quorum > 1 ? among : alone);
}

void World::disturb(SimNode& node) {
    auto& faults = node.faults;
    switch (rng_.below(8)) {
        case 0:
            faults.refuses = true;
            break;
        case 1:
            faults.silent = true;
            break;
        case 2:
            faults.rate_limits = true;
            break;
        case 3:
            faults.slowness = rng_.time(500, 6'000);
            break;
        case 4:
            faults.lag = static_cast<BlockNumber>(rng_.between(1, 8));
            break;
        case 5:
            faults.stuck_at = &node.tip();
            faults.stuck_finalized = node.chain().finalized().header.number;
            break;
        case 6:
            faults.finalized_behind = static_cast<BlockNumber>(rng_.between(1, 20));
            break;
        default:
            faults.flaky_permille = static_cast<unsigned>(rng_.between(50, 500));
            break;
    }
}

void World::plan_node_faults(std::size_t chain) {
    for (auto const& pointer : nodes_[chain]) {
        SimNode* node = pointer.get();
        milliseconds at = rng_.time(0, 60'000);
        while (at < duration_) {
            milliseconds const lasts = rng_.time(2'000, 60'000);
            bool const lie = mix_.lies && node->may_lie && rng_.chance(600);
            if (lie || mix_.node_faults) {
                scheduler_.after(at, [this, node, chain, lie] {
                    if (lie) {
                        node->faults.lie = draw_lie(chain);
                        node->faults.lies_twice =
                            network_.chains[chain].quorum > 1 && rng_.chance(500);
                        node->on_new_head();
                    } else {
                        disturb(*node);
                    }
                });
                scheduler_.after(at + lasts, [node] {
                    auto const heads = node->faults;
                    node->heal();
                    node->faults.lost_heads_permille = heads.lost_heads_permille;
                    node->faults.double_heads_permille = heads.double_heads_permille;
                    node->faults.odd_heads_permille = heads.odd_heads_permille;
                });
            }
            at += lasts + rng_.time(1'000, 60'000);
        }
    }
}

void World::plan_faults() {
    for (std::size_t chain = 0; chain < chains_.size(); ++chain) {
        plan_node_faults(chain);
        if (mix_.stalls) {
            scheduler_.after(rng_.time(0, duration_.count()), [this, chain] {
                plans_[chain].stalled = true;
                reach("finality stalls");
            });
            scheduler_.after(rng_.time(0, duration_.count()),
                             [this, chain] { plans_[chain].stalled = false; });
        }
    }
    if (mix_.pauses) {
        for (milliseconds at = rng_.time(5'000, 60'000); at < duration_;
             at += rng_.time(20'000, 120'000)) {
            scheduler_.after(at, [this] {
                Slot const& slot = slots_[rng_.below(slots_.size())];
                if (!slot.gateway) return;
                scheduler_.freeze(slot.gateway->id(), scheduler_.now() + rng_.time(1'000, 40'000));
                say(slot.name + " is frozen");
                reach("a process is frozen");
            });
        }
    }
    if (mix_.restarts) {
        for (milliseconds at = rng_.time(10'000, 100'000); at < duration_;
             at += rng_.time(30'000, 150'000)) {
            scheduler_.after(at, [this] {
                std::size_t const index = rng_.below(slots_.size());
                if (!slots_[index].gateway || scheduler_.is_frozen(slots_[index].gateway->id()))
                    return;
                say(slots_[index].name + " ends in good order");
                reach("a process ends in good order");
                slots_[index].gateway->cancel();
                scheduler_.after(12s, [this, index] {
                    stop_process(index);
                    start_process(index);
                });
            });
        }
    }
    if (mix_.clock_jumps) {
        for (milliseconds at = rng_.time(1'000, 60'000); at < duration_;
             at += rng_.time(10'000, 120'000)) {
            scheduler_.after(at, [this] {
                Slot const& slot = slots_[rng_.below(slots_.size())];
                if (!slot.gateway) return;
                slot.gateway->clock().set_offset(rng_.time(-600'000, 600'000));
                reach("a clock jumps");
            });
        }
    }
}

void World::heal_everything() {
    faults_on_ = false;
    store_faults_ = {};
    shops_.refuses_permille = shops_.silent_permille = shops_.lost_answer_permille = 0;
    for (std::size_t chain = 0; chain < chains_.size(); ++chain) {
        for (auto const& node : nodes_[chain])
            node->heal();
        plans_[chain].stalled = false;
        plans_[chain].include_permille = 1'000;
        announce(chain);
    }
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        if (slots_[slot].gateway) {
            slots_[slot].gateway->clock().set_offset(0ms);
        } else {
            start_process(slot);
        }
    }
    say("the faults stop");
}

}  // namespace sycee::simulation
