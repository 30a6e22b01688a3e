#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include "scheduler.hpp"
#include "sim_chain.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sycee::simulation {

// What a node says that is not so.
enum class Lie : std::uint8_t {
    none,
    empty_logs,        // a block's logs: none
    last_log_missing,  // the list ends early
    middle_log_missing,
    invented_log,     // a transfer that never was, after the real logs
    wrong_block,      // another branch's block for a number
    finalized_ahead,  // calls its head final
    own_fork,         // follows a branch that nobody else has
};

// What is wrong with a node at the moment.
struct NodeFaults {
    bool refuses = false;         // no connection
    bool silent = false;          // no answer before the deadline
    bool rate_limits = false;     // 429
    unsigned flaky_permille = 0;  // of the calls fail
    std::chrono::milliseconds slowness{0};
    BlockNumber lag = 0;
    SimBlock const* stuck_at = nullptr;  // sees nothing new any more
    BlockNumber stuck_finalized = 0;
    BlockNumber finalized_behind = 0;
    unsigned lost_heads_permille = 0;
    unsigned double_heads_permille = 0;
    unsigned odd_heads_permille = 0;  // a head that is not new, or out of order
    Lie lie = Lie::none;
    bool lies_twice = false;  // by the second method of reading as well
};

// One node of a chain, which several processes ask.
class SimNode {
  public:
    SimNode(Scheduler& scheduler, SimChain& chain, ChainSettings const& settings, std::string name,
            Rng rng)
        : scheduler_(scheduler),
          chain_(chain),
          settings_(settings),
          name_(std::move(name)),
          rng_(rng) {}

    NodeFaults faults;
    bool may_lie = false;  // about what a block holds; never more of them than the quorum allows

    void heal();
    // Called at each change of the canonical branch.
    void on_new_head();
    std::string const& name() const { return name_; }
    SimChain& chain() { return chain_; }
    Rng& rng() { return rng_; }
    ChainSettings const& settings() const { return settings_; }

    SimBlock const& tip() const;
    ChainTips tips();
    SimBlock const* block(BlockNumber number);
    // With what the node says of its logs.
    BlockWithLogs read(SimBlock const& block, bool again);
    bool knows(SimBlock const& block) const;

    std::vector<Notifier*> listeners;               // in the order in which they came
    std::function<Address()> some_deposit_address;  // for invented transfers
    std::function<void(std::string const&)> reached;
    // Told of each block of which the node hides something that no look at its answer can show.
    std::function<void(BlockHash const&)> hides_well;

  private:
    void follow_own_fork();

    Scheduler& scheduler_;
    SimChain& chain_;
    ChainSettings const& settings_;
    std::string name_;
    Rng rng_;
    SimBlock const* own_tip_ = nullptr;
    std::map<BlockHash, bool> lied_about_;
};

// A process's way to a node.
class SimEndpoint final : public EndpointPort {
  public:
    // `served`: told of each block and digest that the node gave, for the checks.
    SimEndpoint(SimNode& node, Scheduler& scheduler, ProcessId process, Clock& clock,
                std::function<void(BlockHash const&, Bytes32 const&)> served);
    SimEndpoint(SimEndpoint const&) = delete;
    SimEndpoint& operator=(SimEndpoint const&) = delete;
    ~SimEndpoint() override;

    std::string name() const override { return node_.name(); }
    Task<ChainTips> tips() override;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override;
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) override;
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(
        std::vector<BlockHash> hashes) override;
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) override;
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) override;
    Task<void> wait_for_head(std::chrono::milliseconds limit) override;
    Task<ChainId> chain_id() override;
    Task<unsigned> token_decimals(Address token) override;
    Task<std::string> token_symbol(Address token) override;
    Task<Amount> token_balance(Address token, Address holder) override;

  private:
    Task<void> travel();

    SimNode& node_;
    Scheduler& scheduler_;
    ProcessId process_;
    std::function<void(BlockHash const&, Bytes32 const&)> served_;
    Notifier heads_;
    std::uint64_t seen_ = 0;
};

}  // namespace sycee::simulation
