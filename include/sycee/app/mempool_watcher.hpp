#pragma once

#include <sycee/app/address_index.hpp>
#include <sycee/app/chain_registry.hpp>
#include <sycee/app/detected_transfers.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <chrono>
#include <vector>

namespace sycee {

struct MempoolWatcherPorts {
    MempoolPort& mempool;
    AddressPort& books;
    AddressIndex& addresses;
    ChainRegistry const& registry;
    DetectedTransfers& detected;
    Clock& clock;
    Metrics& metrics;
};

// Looks through a chain's mempool for transfers of its tokens to deposit addresses, and after what
// it found, until the books know or the node has it no more. A courtesy to the payer: it writes
// nothing, asks the node for a bounded number of transactions a second, and lets what is too much
// go by. Only calls of a token contract are seen, not those of a contract that calls it.
class MempoolWatcher {
  public:
    MempoolWatcher(ChainSettings const& settings, MempoolWatcherPorts ports);

    // Ends only by cancellation. After a fault it waits, longer each time.
    Task<void> run();
    // One bounded round, at the pace that the node is to be asked at.
    Task<void> step();

  private:
    struct Candidate;

    Task<void> look_at_announced();
    Task<void> match(std::vector<PendingTransaction> transactions);
    Task<void> look_again();
    Task<std::vector<std::optional<PendingTransaction>>> ask(std::vector<TransactionHash> hashes);
    bool is_processed(BlockNumber number) const;

    ChainSettings const& settings_;
    MempoolWatcherPorts ports_;
    Backoff backoff_;
};

}  // namespace sycee
