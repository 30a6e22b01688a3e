#include "world.hpp"

#include "seams.hpp"
#include "world_state.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sycee::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30min;       // of virtual time, for everything to come to its end
constexpr auto kDeliveryPatience = 4h;  // for the last events
constexpr std::uint64_t kMostEvents = 3'000'000;

}  // namespace

World::World(std::uint64_t seed, bool verbose, CompareStore const& compare)
    : verbose_(verbose),
      rng_(seed * 2 + 1),
      process_rng_(rng_.fork()),
      wire_rng_(rng_.fork()),
      store_([this] { return scheduler_.now(); }),
      shops_(scheduler_, rng_.fork()) {
    set_random_source(&process_rng_);
    if (verbose_) {
        set_log_sink([this](std::string const& line) { say("  " + line); });
    } else {
        set_log_sink(nullptr);
    }
    set_alarm_sink([this](std::string const& message) {
        if (message.starts_with("stopped: ")) checker_->fail("no chain stops", message);
        if (message.starts_with("the quorum of nodes is lost")) reach("the quorum is lost");
        if (message.starts_with("a block reads differently at finality"))
            reach("a misread block is found at finality");
        if (message.starts_with("the nodes read a block otherwise"))
            reach("a misread block is outvoted");
    });
    draw_mix();
    draw_network();
    draw_merchants();
    auto const reached = [this](std::string const& what) { reach(what); };
    checker_.emplace(store_, network_, chains_, reached);
    shops_.reached = reached;
    if (compare) {
        compared_ = compare(
            {.model = store_,
             .network = network_,
             .chains = chains_,
             .seed = seed,
             .now = [this] { return scheduler_.now(); },
             .reached = reached,
             .differs =
                 [this](std::string const& what) { checker_->fail("the stores agree", what); }});
    }
    store_.on_fenced = [this] { reach("a fenced write is refused"); };
    store_.on_begin = [this](ChainId id, ProcessedBlock const& block) {
        checker_->begin(id, block);
    };
    store_.on_cancel = [this](CancelCommit const& commit) { checker_->after_cancel(commit); };
    store_.on_commit = [this](ChainCommit const& commit) {
        ++outcome_.commits;
        static ServedBlocks const nothing;
        ServedBlocks const* served = &nothing;
        for (Slot const& slot : slots_) {
            if (slot.gateway && slot.gateway->id() == committing_)
                served = &slot.gateway->served(index_of(commit.chain_id));
        }
        if (verbose_) {
            std::string line = "commit of process " + std::to_string(committing_) + " on chain " +
                               std::to_string(commit.chain_id);
            if (commit.rolled_back_to) line += " back to " + std::to_string(*commit.rolled_back_to);
            for (auto const& block : commit.added)
                line += " +" + std::to_string(block.header.number);
            line += " agreed " + std::to_string(commit.agreed) + " final " +
                    std::to_string(commit.finalized) + ":";
            for (JournalEntry const& entry : commit.entries)
                line += " " + std::string(to_string(kind_of(entry.record)));
            for (OutboxEvent const& event : commit.events)
                line += " " + event.type;
            say(line);
        }
        auto const writer = last_writer_.find(commit.chain_id);
        if (writer != last_writer_.end() && writer->second != committing_)
            reach("another process takes over");
        last_writer_[commit.chain_id] = committing_;
        checker_->after_commit(commit, *served);
    };
    StoreCalls& store = compared_ ? static_cast<StoreCalls&>(*compared_) : store_;
    around_.emplace(
        Surroundings{scheduler_, store, store_faults_, wire_rng_, network_, nodes_, shops_, reached,
                     [this](std::string const& what) { checker_->fail("no task ends", what); },
                     committing_, commit_phase_});
    scheduler_.crashes_now = [this](ProcessId id) {
        if (!faults_on_ || !mix_.crashes) return false;
        for (Slot& slot : slots_) {
            if (slot.gateway && slot.gateway->id() == id && slot.awaits_to_crash >= 0)
                return slot.awaits_to_crash-- == 0;
        }
        return false;
    };
    scheduler_.on_crash = [this](ProcessId id) { crashed(id); };
}

World::~World() {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
        stop_process(slot);
    scheduler_.run_ready();
    set_random_source(nullptr);
    set_log_sink(nullptr);
    set_alarm_sink(nullptr);
}

void World::say(std::string const& what) {
    if (!verbose_) return;
    std::printf("%9.3f %s\n", static_cast<double>((scheduler_.now() - kStart).count()) / 1000.0,
                what.c_str());
}

std::size_t World::index_of(ChainId id) const {
    for (std::size_t i = 0; i < network_.chains.size(); ++i) {
        if (network_.chains[i].id == id) return i;
    }
    return 0;
}

bool World::run_until(Timestamp when) {
    bool arrived = false;
    scheduler_.at(when, [&arrived] { arrived = true; });
    while (!arrived) {
        if (!scheduler_.step() || failed()) return false;
        if (scheduler_.events() > kMostEvents) {
            checker_->fail("liveness", "too many steps: something spins");
            return false;
        }
    }
    return true;
}

bool World::everything_is_done(std::string* why_not) {
    if (to_be_sent_ != 0) {
        *why_not = "somebody has something to send";
        return false;
    }
    for (std::size_t index = 0; index < chains_.size(); ++index) {
        SimChain const& chain = *chains_[index];
        auto const stored = store_.chains().find(chain.id());
        std::string const name = "chain " + std::to_string(chain.id());
        if (stored == store_.chains().end()) {
            *why_not = name + " is not followed";
            return false;
        }
        if (!stored->second.stopped_reason.empty()) {
            checker_->fail("no chain stops", name + ": " + stored->second.stopped_reason);
            return false;
        }
        if (chain.pending() != 0 && chain.head().header.time <= last_expiry_ + 60s) {
            *why_not = name + " has something to mine";
            return false;
        }
        BlockNumber const busy = chain.newest_busy_block();
        if (stored->second.head.time <= last_expiry_ || stored->second.finalized < busy) {
            *why_not = name + " is processed to block " +
                       std::to_string(stored->second.head.number) + " of " +
                       std::to_string(chain.head().header.number) + ", final to " +
                       std::to_string(stored->second.finalized) + " of " +
                       std::to_string(chain.finalized().header.number);
            return false;
        }
    }
    for (auto const& [key, payment] : store_.payments()) {
        if (!checker_->is_done(key, why_not)) return false;
    }
    return true;
}

// One process with nothing but the deliveries; time runs on until the last event has arrived.
void World::deliver_the_rest() {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
        stop_process(slot);
    for (ChainPlan& plan : plans_)
        plan.mining = false;
    Slot& slot = slots_.front();
    slot.gateway =
        std::make_unique<Gateway>(next_process_++, "deliveries", *around_, network_, 0ms);
    slot.gateway->start_deliveries();
    Timestamp const deadline = scheduler_.now() + kDeliveryPatience;
    auto const all_delivered = [this] {
        return std::all_of(store_.events().begin(), store_.events().end(), [this](auto const& row) {
            bool const told = store_.merchants().at(row.second.event.merchant_id).has_webhook;
            auto const& delivery = row.second.delivery;
            return !told || (delivery && !delivery->next_attempt_at);
        });
    };
    while (!all_delivered() && scheduler_.now() < deadline && scheduler_.step() && !failed()) {
    }
    for (auto const& [id, row] : store_.events()) {
        bool const told = store_.merchants().at(row.event.merchant_id).has_webhook;
        auto const received = shops_.received().find(id);
        if (told && (received == shops_.received().end() || received->second == 0)) {
            checker_->fail("every event is delivered",
                           row.event.type + " after " +
                               std::to_string(row.delivery ? row.delivery->attempts : 0) +
                               " attempts");
        }
        if (told && row.delivery && row.delivery->attempts > 1)
            reach("an event is delivered after a failure");
    }
}

Outcome World::run() {
    for (std::size_t chain = 0; chain < chains_.size(); ++chain) {
        // Some blocks that are older than everything.
        for (int i = 0; i < 4; ++i)
            chains_[chain]->extend(kStart - 60s + i * 10s, 1'000);
        finalize(chain);
        scheduler_.after(rng_.time(0, 5'000), [this, chain] { tick(chain); });
    }
    draw_slots();
    plan_faults();
    plan_payments();
    std::string why_not;
    if (run_until(safety_ends_)) {
        heal_everything();
        Timestamp const deadline = scheduler_.now() + kPatience;
        bool done = false;
        while (!done && scheduler_.now() < deadline && run_until(scheduler_.now() + 5s))
            done = everything_is_done(&why_not);
        if (done) {
            for (ChainPlan& plan : plans_)
                plan.mining = false;
            auto const caught_up = [this] {
                return std::all_of(chains_.begin(), chains_.end(), [this](auto const& chain) {
                    return store_.chains().at(chain->id()).head.hash == chain->head().header.hash;
                });
            };
            for (int i = 0; i < 60 && !caught_up() && run_until(scheduler_.now() + 2s); ++i) {
            }
            if (!caught_up()) checker_->fail("liveness", "a chain is not followed to its head");
            checker_->at_the_end();
            if (!failed()) deliver_the_rest();
        } else if (!failed()) {
            say("in the queue: " + std::to_string(scheduler_.waiting(kWorld)) + " of the world");
            for (Slot const& slot : slots_) {
                if (slot.gateway) {
                    say(slot.name + ": " + std::to_string(scheduler_.waiting(slot.gateway->id())) +
                        (scheduler_.is_frozen(slot.gateway->id()) ? ", frozen" : ""));
                }
            }
            for (auto const& chain : chains_)
                say("head " + std::to_string(chain->head().header.number) + " final " +
                    std::to_string(chain->finalized().header.number));
            checker_->fail("liveness", why_not);
        }
    }
    if (compared_ && !failed()) compared_->compare_everything();
    for (auto const& [key, head] : store_.heads()) {
        std::uint64_t word = 0;
        std::memcpy(&word, head.hash.data(), sizeof word);
        outcome_.fingerprint = outcome_.fingerprint * 31 + word;
    }
    outcome_.fingerprint = outcome_.fingerprint * 31 + scheduler_.events();
    outcome_.events = scheduler_.events();
    outcome_.simulated_ms = (scheduler_.now() - kStart).count();
    outcome_.violation = checker_->violation();
    return outcome_;
}

std::vector<std::string> const& must_reach() {
    static std::vector<std::string> const states{
        // chains
        "a reorg", "a reorg down to the final block", "a branch comes back", "finality stalls",
        "reorg followed", "reorg after cleared", "reorg after the desk", "mined again",
        "mined again at another index", "the same block once more",
        // nodes
        "a node gives no logs", "a node leaves a log out of the middle", "a missing log shows",
        "a missing log does not show", "a node invents a transfer", "a node gives the wrong block",
        "a node calls its head final", "a node asks for a pause", "a block is misread",
        "booked with a misread block", "a misread block is undone",
        "a misread block is found at finality", "a misread block is outvoted",
        "a block waits for the quorum", "the quorum is lost", "the quorum is back",
        // processes and the store
        "a process is killed", "a process is frozen", "a clock jumps",
        "a process ends in good order", "a commit is lost before it is written",
        "the answer to a commit is lost", "a process is killed before its commit is written",
        "a process is killed after its commit is written", "a fenced write is refused",
        "another process takes over",
        // payments
        "a payment is settled", "a payment expires with money", "cleared before it is final",
        "overpaid", "short within the tolerance", "settled by the tolerance", "paid in parts",
        "an open amount is cleared", "an open amount is taken back",
        "an open amount is paid on two chains", "paid in two tokens", "paid on two chains",
        "the cap holds a payment back", "on the desk: underpaid", "on the desk: late",
        "on the desk: already_paid", "on the desk: token_not_offered",
        "on the desk: chain_not_offered", "on the desk before it is final", "late, and mined again",
        "a payment is canceled", "a cancellation is refused", "late by a cancellation",
        "a hostile log", "a transfer out", "a transfer out is reversed", "a transfer to itself",
        "from one deposit to another", "an unexplained receipt",
        // events
        "told: payment.moved", "told: payment.reversed", "an event is delivered twice",
        "an event is delivered after a failure"};
    return states;
}

Outcome run_world(std::uint64_t seed, bool verbose, CompareStore const& compare) {
    World world(seed, verbose, compare);
    return world.run();
}

}  // namespace sycee::simulation
