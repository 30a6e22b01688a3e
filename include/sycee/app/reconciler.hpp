#pragma once

#include <sycee/app/reconciliation.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace sycee {

struct ReconciliationSettings {
    std::chrono::milliseconds every{30'000};  // between two checks of a chain
    std::size_t payments = 200;               // whose balances one check asks for
};

// Compares the books of one chain with the chain, for as long as it runs: `balanceOf` at the block
// that was processed last, by its hash. A difference counts once so many nodes say the same as the
// chain's quorum asks for: one node that is wrong must not freeze anybody's money. It is then
// recorded, and nothing of that address is cleared or settled until a person has closed it. Several
// processes share the work.
class Reconciler {
  public:
    Reconciler(ChainSettings const& chain, std::vector<BalancePort*> nodes,
               ReconciliationPort& books, Clock& clock, Metrics& metrics,
               ReconciliationSettings settings)
        : chain_(chain),
          nodes_(std::move(nodes)),
          books_(books),
          clock_(clock),
          metrics_(metrics),
          settings_(settings) {}

    // Ends only by cancellation.
    Task<void> run();
    // One check, if it is due. False where it was not, or nothing could be asked.
    Task<bool> check();

  private:
    // What one token's holders have, by a node that answers; nothing, with `fault`, where none
    // does.
    Task<std::vector<BalanceDifference>> compare(std::vector<BookedBalance> booked, BlockHash at,
                                                 CheckedBalances& checked);
    Task<std::vector<BalanceDifference>> confirm(std::vector<BalanceDifference> found, BlockHash at,
                                                 std::size_t asked);

    ChainSettings const& chain_;
    std::vector<BalancePort*> nodes_;
    ReconciliationPort& books_;
    Clock& clock_;
    Metrics& metrics_;
    ReconciliationSettings settings_;
};

}  // namespace sycee
