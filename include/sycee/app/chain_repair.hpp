#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>

#include <string>
#include <vector>

namespace sycee {

// What a repair would do, to be read by people before they order it.
struct RepairPlan {
    BlockNumber ancestor = 0;  // the last block that the chain still has
    BlockNumber head = 0;      // ours
    BlockNumber finalized = 0;
    std::vector<PaymentState> payments;  // those that lose a transfer, as they stand now
    std::size_t reversals = 0;           // records that would be undone
    std::size_t settlements = 0;         // of these
};

// The way out after a chain has taken back blocks that it had called final, which stops the
// follower (docs/decisions/0006). Two operators order it: what stood in those blocks is undone by
// reversals, settlements included, and the chain is followed anew from the last block that it still
// has.
class ChainRepair {
  public:
    ChainRepair(ChainSettings const& settings, Network const& network, ChainPort& chain,
                LedgerPort& ledger, RepairPort& kept, Clock& clock)
        : settings_(settings),
          network_(network),
          chain_(chain),
          ledger_(ledger),
          kept_(kept),
          clock_(clock) {}

    // Refused: the chain still has our finalized block, so that there is nothing to repair; or it
    // has none of the blocks that are kept.
    Task<Result<RepairPlan>> plan();

    // Refused as above, where another process has the chain's lease, or where the plan is no longer
    // what the operators read. Throws InvariantViolation where money that would be taken back was
    // decided upon at the desk, or has been spent in the books.
    Task<Result<void>> carry_out(RepairPlan plan, std::string ordered_by, std::string approved_by,
                                 std::string reason);

  private:
    struct Draft;

    Task<Result<Draft>> draft();

    ChainSettings const& settings_;
    Network const& network_;
    ChainPort& chain_;
    LedgerPort& ledger_;
    RepairPort& kept_;
    Clock& clock_;
};

}  // namespace sycee
