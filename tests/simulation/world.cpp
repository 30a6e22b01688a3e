#include "world.hpp"

#include <sycee/base/assert.hpp>

#include "seams.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sycee::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kStart = timestamp_from_seconds(1'800'000'000);
constexpr auto kPatience = 30min;       // of virtual time, for everything to come to its end
constexpr auto kDeliveryPatience = 4h;  // for the last events
constexpr std::uint64_t kMostEvents = 3'000'000;

// Which kinds of trouble a seed has. Each is absent from many seeds, so that one does not hide
// another.
struct Mix {
    bool reorgs = false;
    unsigned reorg_permille = 0;  // of the chain's ticks
    unsigned drop_permille = 0;
    bool flips = false;
    bool stalls = false;
    bool node_faults = false;
    bool lies = false;
    bool crashes = false;
    bool pauses = false;
    bool clock_jumps = false;
    bool restarts = false;
    bool store_faults = false;
    bool shop_faults = false;
    bool head_faults = false;
    bool hostile_logs = false;
    bool withdrawals = false;
    bool silent_raises = false;
    bool old_offers = false;  // processes of another configuration offer fewer tokens
};

struct ChainPlan {
    milliseconds tick{};
    BlockNumber finality_lag = 0;
    bool stalled = false;
    unsigned include_permille = 0;
    bool mining = true;
};

struct Slot {  // a process that is started again and again
    std::string name;
    std::unique_ptr<Gateway> gateway;
    bool reduced_offer = false;
    std::int64_t awaits_to_crash = -1;
};

class World {
  public:
    World(std::uint64_t seed, bool verbose);
    World(World const&) = delete;
    World& operator=(World const&) = delete;
    ~World();

    Outcome run();

  private:
    // What the seed draws.
    void draw_mix();
    void draw_network();
    void draw_merchants();
    void draw_slots();
    void plan_payments();

    // Chains.
    void tick(std::size_t chain);
    void finalize(std::size_t chain);
    void announce(std::size_t chain);

    // Faults.
    void plan_faults();
    void plan_node_faults(std::size_t chain);
    void disturb(SimNode& node);
    Lie draw_lie(std::size_t chain);
    void heal_everything();

    // Processes.
    void start_process(std::size_t slot);
    void stop_process(std::size_t slot);
    void crashed(ProcessId id);
    void rearm_crash(Slot& slot);

    // Shops and payers.
    void order(MerchantId merchant);
    void try_order(MerchantId merchant, CreatePayment input, unsigned attempt);
    void pay(Payment const& payment);
    void pay_by(unsigned manner, Payment const& payment);
    PaymentOption const& some_option(Payment const& payment);
    void send(ChainId chain_id, milliseconds wait, TransactionPointer transaction);
    void send_plain(PaymentOption const& option, Payment const& payment, Amount amount,
                    milliseconds wait);
    void send_hostile(Payment const& payment);
    void move_out();
    Address payer() { return Address{rng_.bytes<20>()}; }
    TransactionBuilder new_transaction() { return TransactionBuilder(rng_.bytes<32>()); }

    // Phases.
    bool run_until(Timestamp when);
    bool everything_is_done(std::string* why_not);
    void deliver_the_rest();
    void reach(std::string const& what) { ++outcome_.reached[what]; }
    void say(std::string const& what);
    bool failed() const { return checker_ && checker_->violation().has_value(); }
    std::size_t index_of(ChainId id) const;

    bool verbose_;
    Rng rng_;
    Rng process_rng_;
    Rng wire_rng_;
    Outcome outcome_;
    Mix mix_;
    Network network_;
    Network reduced_;
    Scheduler scheduler_{kStart};
    SimStore store_;
    StoreFaults store_faults_;
    ShopServers shops_;
    std::vector<std::unique_ptr<SimChain>> chains_;
    std::vector<ChainPlan> plans_;
    std::vector<std::vector<std::unique_ptr<SimNode>>> nodes_;
    std::optional<Checker> checker_;
    ProcessId committing_ = kWorld;
    std::map<ProcessId, CommitPhase> commit_phase_;
    std::map<ChainId, ProcessId> last_writer_;
    std::optional<Surroundings> around_;
    std::vector<Slot> slots_;
    std::vector<MerchantId> merchants_;
    std::vector<Payment> created_;
    milliseconds duration_{};
    Timestamp safety_ends_{};
    Timestamp last_expiry_{};
    ProcessId next_process_ = 1;
    bool faults_on_ = true;
    std::size_t to_be_sent_ = 0;
};

World::World(std::uint64_t seed, bool verbose)
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
    store_.on_fenced = [this] { reach("a fenced write is refused"); };
    store_.on_begin = [this](ChainId id, ProcessedBlock const& block) {
        checker_->begin(id, block);
    };
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
    around_.emplace(Surroundings{
        scheduler_, store_, store_faults_, wire_rng_, network_, nodes_, shops_, reached,
        [this](std::string const& what) { checker_->fail("no task ends", what); }, committing_,
        commit_phase_});
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

void World::draw_mix() {
    auto const some = [this](unsigned permille) { return rng_.chance(permille); };
    mix_.reorgs = some(700);
    mix_.reorg_permille = static_cast<unsigned>(rng_.between(20, 200));
    mix_.drop_permille = some(500) ? static_cast<unsigned>(rng_.between(20, 400)) : 0;
    mix_.flips = some(400);
    mix_.stalls = some(300);
    mix_.node_faults = some(600);
    mix_.lies = some(500);
    mix_.crashes = some(400);
    mix_.pauses = some(300);
    mix_.clock_jumps = some(250);
    mix_.restarts = some(200);
    mix_.store_faults = some(400);
    mix_.shop_faults = some(300);
    mix_.head_faults = some(300);
    mix_.hostile_logs = some(500);
    mix_.withdrawals = some(500);
    mix_.silent_raises = mix_.withdrawals && some(200);
    mix_.old_offers = some(200);
    duration_ = rng_.time(150'000, 400'000);
    safety_ends_ = kStart + duration_;
    if (mix_.store_faults) {
        store_faults_.lost_before_permille = static_cast<unsigned>(rng_.between(0, 40));
        store_faults_.lost_after_permille = static_cast<unsigned>(rng_.between(0, 40));
        store_faults_.slowest = rng_.time(20, 1'500);
    }
    if (mix_.shop_faults) {
        shops_.refuses_permille = static_cast<unsigned>(rng_.between(0, 400));
        shops_.silent_permille = static_cast<unsigned>(rng_.between(0, 300));
        shops_.lost_answer_permille = static_cast<unsigned>(rng_.between(0, 300));
    }
}

void World::draw_network() {
    std::uint64_t const count = rng_.chance(450) ? 1 : rng_.chance(800) ? 2 : 3;
    network_.public_url = "https://pay.example";
    for (std::uint64_t i = 0; i < count; ++i) {
        ChainSettings settings;
        settings.id = i == 0 ? 1 : i == 1 ? 56 : 137;
        settings.name = "chain " + std::to_string(settings.id);
        settings.block_time = rng_.time(3'000, 12'000);
        unsigned const decimals = i == 1 ? 18 : 6;
        for (std::uint8_t token = 0; token < 2; ++token) {
            TokenSettings listed;
            listed.symbol = token == 0 ? "USDT" : "USDC";
            listed.contract = Address{rng_.bytes<20>()};
            listed.decimals = decimals;
            Amount const unit = power_of_ten(decimals);
            if (rng_.chance(600)) {
                listed.tolerance.absolute = multiply_divide_down(
                    unit, Amount(static_cast<Uint128>(rng_.between(0, 200))), Amount(100));
                listed.tolerance.basis_points = static_cast<std::uint32_t>(rng_.between(0, 100));
            }
            settings.tokens.push_back(listed);
        }
        static std::vector<std::string> const rules{"1",
                                                    "3",
                                                    "finalized",
                                                    "100:1,1000:3,finalized",
                                                    "500:2,6",
                                                    "100:1,finalized",
                                                    "1000:1,5000:4,finalized",
                                                    "2000:3,8"};
        settings.finality.bands = parse_bands(rng_.pick(rules)).value();
        if (rng_.chance(500)) {
            settings.finality.most_not_final =
                multiply_divide_down(Amount(static_cast<Uint128>(rng_.between(100, 6'000))),
                                     power_of_ten(kValueDecimals), Amount(1));
        }
        auto const endpoints = static_cast<std::size_t>(rng_.chance(350)   ? 1
                                                        : rng_.chance(300) ? 2
                                                        : rng_.chance(800) ? 3
                                                                           : 4);
        settings.quorum = static_cast<std::size_t>(
            endpoints == 1     ? 1
            : rng_.chance(250) ? 1
                               : 1 + rng_.below(std::min<std::size_t>(endpoints, 3)));
        settings.endpoints.resize(endpoints);
        network_.chains.push_back(std::move(settings));
    }
    reduced_ = network_;
    if (reduced_.chains.size() > 1 && rng_.chance(500)) {
        reduced_.chains.pop_back();
    } else {
        reduced_.chains[rng_.below(reduced_.chains.size())].tokens.pop_back();
    }
    for (ChainSettings const& settings : network_.chains) {
        chains_.push_back(std::make_unique<SimChain>(settings.id, kStart - 60s, rng_.fork()));
        plans_.push_back({.tick = settings.block_time,
                          .finality_lag = static_cast<BlockNumber>(rng_.between(2, 9)),
                          .include_permille = static_cast<unsigned>(rng_.between(400, 1'000))});
        auto& nodes = nodes_.emplace_back();
        for (std::size_t index = 0; index < settings.endpoints.size(); ++index) {
            nodes.push_back(std::make_unique<SimNode>(
                scheduler_, *chains_.back(), settings,
                "node " + std::to_string(index) + " of chain " + std::to_string(settings.id),
                rng_.fork()));
            SimNode& node = *nodes.back();
            node.reached = [this](std::string const& what) { reach(what); };
            node.some_deposit_address = [this] {
                return created_.empty() ? Address{}
                                        : created_[rng_.below(created_.size())].deposit_address;
            };
            if (mix_.head_faults) {
                node.faults.lost_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
                node.faults.double_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
                node.faults.odd_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
            }
        }
        // Fewer than the quorum may lie, and always the same ones: what two liars said at different
        // times would be the word of two as well.
        std::size_t const liars = settings.quorum > 1 ? settings.quorum - 1 : nodes.size();
        for (std::size_t liar = 0; liar < liars; ++liar)
            nodes[settings.quorum > 1 && rng_.chance(500) ? nodes.size() - 1 - liar : liar]
                ->may_lie = true;
    }
}

void World::draw_merchants() {
    auto const count = rng_.between(1, 3);
    for (std::int64_t i = 0; i < count; ++i) {
        StoredMerchant stored;
        Bytes<10> const random = rng_.bytes<10>();
        stored.merchant.id = MerchantId{make_uuid_v7(kStart, random)};
        stored.merchant.name = "merchant " + std::to_string(i);
        stored.merchant.fee_basis_points =
            rng_.chance(400) ? 0 : static_cast<std::uint32_t>(rng_.between(1, 300));
        stored.merchant.webhook_url = "https://shop.example/" + std::to_string(i);
        stored.has_webhook = rng_.chance(900);
        // The generator of the curve under a chain code of the merchant's own.
        stored.key.depth = 4;
        stored.key.chain_code = rng_.bytes<32>();
        stored.key.key =
            bytes_from_hex<33>("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
                .value();
        merchants_.push_back(stored.merchant.id);
        store_.add_merchant(std::move(stored));
    }
}

void World::draw_slots() {
    auto const count = rng_.chance(500) ? 1 : rng_.chance(800) ? 2 : 3;
    for (int i = 0; i < count; ++i) {
        slots_.push_back({.name = "process " + std::to_string(i),
                          .gateway = nullptr,
                          .reduced_offer = mix_.old_offers && rng_.chance(600)});
    }
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        scheduler_.after(slot == 0 ? 0ms : rng_.time(0, 8'000),
                         [this, slot] { start_process(slot); });
    }
}

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

// --- shops and payers

void World::plan_payments() {
    auto const count = rng_.between(3, 12);
    for (std::int64_t i = 0; i < count; ++i) {
        MerchantId const merchant = rng_.pick(merchants_);
        scheduler_.after(rng_.time(1'000, duration_.count() * 2 / 3),
                         [this, merchant] { order(merchant); });
    }
    if (mix_.withdrawals) {
        for (milliseconds at = rng_.time(20'000, 80'000); at < duration_;
             at += rng_.time(5'000, 60'000)) {
            scheduler_.after(at, [this] { move_out(); });
        }
    }
}

void World::order(MerchantId merchant) {
    static std::vector<std::string> const prices{
        "0.01",   "1.00",   "19.99",  "50.00",   "99.99",   "100.00",  "333.33",
        "499.99", "750.00", "999.99", "1000.00", "2500.00", "12000.00"};
    CreatePayment input;
    input.amount = rng_.pick(prices);
    input.currency = "USD";
    input.expires_in = rng_.between(60, 240);
    try_order(merchant, std::move(input), 0);
}

void World::try_order(MerchantId merchant, CreatePayment input, unsigned attempt) {
    std::vector<Gateway*> alive;
    for (Slot const& slot : slots_) {
        if (slot.gateway) alive.push_back(slot.gateway.get());
    }
    auto const again = [this, merchant, input, attempt] {
        if (attempt > 30) return;
        scheduler_.after(
            2s, [this, merchant, input, attempt] { try_order(merchant, input, attempt + 1); });
    };
    if (alive.empty()) return again();
    Gateway* gateway = alive[rng_.below(alive.size())];
    auto task = [](Gateway* on, MerchantId id, CreatePayment body,
                   std::function<void(Payment const&)> done,
                   std::function<void()> failed) -> Task<void> {
        std::optional<Payment> made;
        try {
            auto state = co_await on->create(id, std::move(body));
            if (state) made = state->payment;
        } catch (Unavailable const&) {
            made.reset();
        }
        if (made) {
            done(*made);
        } else {
            failed();
        }
    };
    auto done = [this](Payment const& payment) {
        last_expiry_ = std::max(last_expiry_, payment.expires_at);
        pay(payment);
    };
    scheduler_.spawn(task(gateway, merchant, std::move(input), done, again),
                     [this](std::exception_ptr error) {
                         if (error) checker_->fail("no task ends", "creating a payment failed");
                     });
}

void World::send(ChainId chain_id, milliseconds wait, TransactionPointer transaction) {
    std::size_t const chain = index_of(chain_id);
    ++outcome_.transfers;
    ++to_be_sent_;
    scheduler_.after(wait, [this, chain, transaction] {
        --to_be_sent_;
        chains_[chain]->submit(transaction);
    });
}

void World::send_plain(PaymentOption const& option, Payment const& payment, Amount amount,
                       milliseconds wait) {
    if (amount.is_zero()) return;
    auto transaction = new_transaction();
    transaction.transfer(option.token, payer(), payment.deposit_address, amount);
    send(option.chain_id, wait, std::make_shared<SimTransaction>(std::move(transaction).take()));
}

PaymentOption const& World::some_option(Payment const& payment) {
    return rng_.pick(payment.options);
}

void World::pay(Payment const& payment) {
    created_.push_back(payment);
    for (auto const& chain : chains_)
        chain->watch(payment.deposit_address);
    ++outcome_.payments;
    say("payment " + to_string(payment.id) + " of " + to_string(payment.price));
    pay_by(static_cast<unsigned>(rng_.below(24)), payment);
    if (mix_.hostile_logs && rng_.chance(500)) send_hostile(payment);
}

void World::pay_by(unsigned manner, Payment const& payment) {
    PaymentOption const option = some_option(payment);
    Amount const due = option.amount;
    auto const part = [](Amount amount, std::int64_t percent) {
        return multiply_divide_down(amount, Amount(static_cast<Uint128>(percent)), Amount(100));
    };
    milliseconds const soon = rng_.chance(300) ? 0ms : rng_.time(0, 20'000);
    milliseconds const left = std::max<milliseconds>(payment.expires_at - scheduler_.now(), 0ms);
    Amount const one(1);
    switch (manner) {
        case 0:
        case 1:
        case 2:
            return send_plain(option, payment, due, soon);
        case 3: {  // in several transactions
            Amount rest = due;
            auto const parts = rng_.between(2, 6);
            for (std::int64_t i = 1; i < parts; ++i) {
                Amount const some = part(rest, rng_.between(10, 60));
                send_plain(option, payment, some, soon + rng_.time(0, 30'000));
                rest -= some;
            }
            return send_plain(option, payment, rest, soon + rng_.time(0, 30'000));
        }
        case 4: {  // two transfers of one transaction, from one sender
            auto transaction = new_transaction();
            Address const from = payer();
            Amount const first = part(due, rng_.between(10, 90));
            if (first.is_zero()) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, first);
            transaction.transfer(option.token, from, payment.deposit_address, due - first);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        case 5:  // too little, and no more
            return send_plain(option, payment, part(due, rng_.between(10, 80)), soon);
        case 6:  // exactly within the tolerance
            return send_plain(option, payment, due - option.tolerance, soon);
        case 7:  // just below it
            if (option.tolerance + one >= due) return;
            return send_plain(option, payment, due - option.tolerance - one, soon);
        case 8:  // too much
            return send_plain(option, payment, due + part(due, rng_.between(1, 150)) + one, soon);
        case 9:  // late
            return send_plain(option, payment, due, left + rng_.time(0, 60'000));
        case 10:  // about the moment of expiry
            return send_plain(option, payment, due,
                              std::max<milliseconds>(0ms, left - 20s + rng_.time(0, 30'000)));
        case 11:  // twice at once
            send_plain(option, payment, due, soon);
            return send_plain(option, payment, due, soon + rng_.time(0, 4'000));
        case 12:  // once more, after it is settled perhaps
            send_plain(option, payment, due, soon);
            return send_plain(option, payment, due, soon + rng_.time(20'000, 150'000));
        case 13: {  // in two tokens or on two chains
            PaymentOption const other = some_option(payment);
            auto const percent = rng_.between(10, 90);
            send_plain(option, payment, part(option.amount, percent), soon);
            return send_plain(other, payment, other.amount - part(other.amount, percent) + one,
                              soon + rng_.time(0, 20'000));
        }
        case 14: {  // any token that is configured, offered or not
            ChainSettings const& chain = rng_.pick(network_.chains);
            TokenSettings const& token = rng_.pick(chain.tokens);
            PaymentOption const any{chain.id, token.contract,
                                    pegged_amount(payment.price, 2, token.decimals), Amount{}};
            return send_plain(any, payment, any.amount, soon);
        }
        case 15: {  // dust, and then the price
            for (int i = 0; i < 5; ++i)
                send_plain(option, payment, Amount(static_cast<Uint128>(rng_.between(1, 50))),
                           rng_.time(0, 40'000));
            return send_plain(option, payment, due, soon);
        }
        case 16: {  // a token that takes a fee: two logs
            auto transaction = new_transaction();
            Address const from = payer();
            Amount const fee = part(due, 1) + one;
            if (fee >= due) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, due - fee);
            transaction.transfer(option.token, from, payer(), fee);
            send(option.chain_id, soon,
                 std::make_shared<SimTransaction>(std::move(transaction).take()));
            return send_plain(option, payment, fee, soon + 10s);
        }
        case 17: {  // minted
            auto transaction = new_transaction();
            transaction.transfer(option.token, Address{}, payment.deposit_address, due);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        case 18: {  // a hundred small ones buy no lower band
            auto const parts = rng_.between(4, 12);
            Amount const each = part(due, 100 / parts);
            Amount rest = due;
            for (std::int64_t i = 0; i < parts && rest > each && !each.is_zero(); ++i) {
                send_plain(option, payment, each, soon + rng_.time(0, 15'000));
                rest -= each;
            }
            return send_plain(option, payment, rest + due, soon + rng_.time(0, 15'000));
        }
        case 19: {  // half of it in time, half of it late
            send_plain(option, payment, part(due, 50), soon);
            return send_plain(option, payment, due - part(due, 50),
                              left + rng_.time(-15'000, 30'000));
        }
        case 20: {  // in two tokens, each with a rest that its unit rounds away
            PaymentOption const other = some_option(payment);
            send_plain(option, payment, part(option.amount, 33) + one, soon);
            send_plain(other, payment, part(other.amount, 33) + one, soon + 3s);
            return send_plain(option, payment, part(option.amount, 34), soon + 9s);
        }
        case 21:  // logs that are none, between two that are
        {
            auto transaction = new_transaction();
            Address const from = payer();
            SimLog broken = transfer_log(option.token, from, payment.deposit_address, due);
            broken.data.pop_back();
            Amount const first = part(due, 50);
            if (first.is_zero()) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, first);
            transaction.other(std::move(broken), true);
            transaction.transfer(option.token, from, payment.deposit_address, due - first);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        default:
            return;  // never
    }
}

void World::send_hostile(Payment const& payment) {
    PaymentOption const option = some_option(payment);
    auto transaction = new_transaction();
    Address const to = payment.deposit_address;
    Address const from = payer();
    SimLog log = transfer_log(option.token, from, to, option.amount);
    bool counts = true;
    switch (rng_.below(8)) {
        case 0:
            log.topics.push_back(rng_.bytes<32>());
            break;
        case 1:
            log.data.resize(31);
            break;
        case 2:
            log.topics[2][3] = 1;
            break;
        case 3:
            log.data[15] = 1;
            break;
        case 4:
            log = transfer_log(option.token, from, to, Amount{});
            break;
        case 5:
            log.contract = Address{rng_.bytes<20>()};
            break;
        case 6:
            log.topics[0] = rng_.bytes<32>();
            counts = false;
            break;
        default:
            log.topics.pop_back();
            break;
    }
    reach("a hostile log");
    transaction.other(std::move(log), counts);
    if (rng_.chance(300)) transaction.transfer(option.token, from, to, Amount(1));
    send(option.chain_id, rng_.time(0, 30'000),
         std::make_shared<SimTransaction>(std::move(transaction).take()));
}

// The merchant moves money out, within its addresses, or from an address to itself.
void World::move_out() {
    std::size_t const index = rng_.below(chains_.size());
    SimChain& chain = *chains_[index];
    std::vector<std::pair<Address, Address>> holdings;
    for (auto const& [key, balance] : chain.head().balances) {
        if (!balance.is_zero()) holdings.push_back(key);
    }
    if (mix_.silent_raises && !created_.empty() && rng_.chance(200)) {
        Address const holder = rng_.pick(created_).deposit_address;
        Address const token = rng_.pick(network_.chains[index].tokens).contract;
        chain.raise_silently(holder, token, Amount(777));
        auto transaction = new_transaction();
        auto const balance = chain.head().balances.at({holder, token});
        transaction.transfer(token, holder, payer(), balance);
        return send(chain.id(), 0ms,
                    std::make_shared<SimTransaction>(std::move(transaction).take()));
    }
    if (holdings.empty()) return;
    auto const [holder, token] = rng_.pick(holdings);
    Amount const balance = chain.head().balances.at({holder, token});
    Amount const amount =
        rng_.chance(500)
            ? balance
            : multiply_divide_up(balance, Amount(static_cast<Uint128>(rng_.between(1, 99))),
                                 Amount(100));
    Address to = payer();
    auto const where = rng_.below(10);
    if (where < 2) to = holder;
    if (where >= 2 && where < 4) to = rng_.pick(created_).deposit_address;
    auto transaction = new_transaction();
    transaction.transfer(token, holder, to, amount);
    send(chain.id(), rng_.time(0, 5'000),
         std::make_shared<SimTransaction>(std::move(transaction).take()));
}

// --- phases

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
            return !told || !row.second.next_attempt_at;
        });
    };
    while (!all_delivered() && scheduler_.now() < deadline && scheduler_.step() && !failed()) {
    }
    for (auto const& [id, row] : store_.events()) {
        bool const told = store_.merchants().at(row.event.merchant_id).has_webhook;
        auto const received = shops_.received().find(id);
        if (told && (received == shops_.received().end() || received->second == 0)) {
            checker_->fail("every event is delivered",
                           row.event.type + " after " + std::to_string(row.attempts) + " attempts");
        }
        if (told && row.attempts > 1) reach("an event is delivered after a failure");
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

}  // namespace

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
        "paid in two tokens", "paid on two chains", "the cap holds a payment back",
        "on the desk: underpaid", "on the desk: late", "on the desk: already_paid",
        "on the desk: token_not_offered", "on the desk: chain_not_offered",
        "on the desk before it is final", "late, and mined again", "a hostile log",
        "a transfer out", "a transfer out is reversed", "a transfer to itself",
        "from one deposit to another", "an unexplained receipt",
        // events
        "told: payment.moved", "told: payment.reversed", "an event is delivered twice",
        "an event is delivered after a failure"};
    return states;
}

Outcome run_world(std::uint64_t seed, bool verbose) {
    World world(seed, verbose);
    return world.run();
}

}  // namespace sycee::simulation
