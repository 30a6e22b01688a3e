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
// chain's quorum asks for, and so does its end: one node that is wrong must neither freeze nor free
// anybody's money. It is then
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

    // Ends only by cancellation: whatever is wrong with a check, the next one is made.
    Task<void> run();
    // One check, if it is due. False where it was not, or nothing could be asked.
    Task<bool> check();

  private:
    Task<void> compare(std::vector<BookedBalance> booked, CheckedBalances& checked);
    Task<void> confirm(std::vector<BookedBalance> suspects, std::vector<Amount> first_word,
                       std::size_t asked, CheckedBalances& checked);
    // Nothing where the node does not answer; why, in `fault`.
    Task<std::optional<std::vector<Amount>>> ask(std::size_t node,
                                                 std::vector<BookedBalance> const& booked,
                                                 BlockHash at, std::string& fault);

    ChainSettings const& chain_;
    std::vector<BalancePort*> nodes_;
    ReconciliationPort& books_;
    Clock& clock_;
    Metrics& metrics_;
    ReconciliationSettings settings_;
    std::size_t first_ = 0;  // the node that is asked first: each in its turn
};

}  // namespace sycee
