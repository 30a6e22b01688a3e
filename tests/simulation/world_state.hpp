#pragma once

#include "checker.hpp"
#include "gateway.hpp"
#include "scheduler.hpp"
#include "sim_chain.hpp"
#include "sim_node.hpp"
#include "sim_store.hpp"
#include "world.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee::simulation {

using std::chrono::milliseconds;

constexpr Timestamp kStart = timestamp_from_seconds(1'800'000'000);

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
    World(std::uint64_t seed, bool verbose, CompareStore const& compare);
    World(World const&) = delete;
    World& operator=(World const&) = delete;
    ~World();

    Outcome run();

  private:
    // What the seed draws.
    void draw_mix();
    void draw_network();
    FeeSchedule draw_fees();
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
    void give_up(PaymentKey key, unsigned attempt);
    void pay(Payment const& payment);
    void pay_by(unsigned manner, Payment const& payment);
    Amount some_of_open(PaymentOption const& option);
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
    std::unique_ptr<ComparedStore> compared_;  // none: the model is alone
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

}  // namespace sycee::simulation
