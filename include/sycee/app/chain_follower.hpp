#pragma once

#include <sycee/app/address_book.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/chain/header_chain.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace sycee {

struct ChainFollowerPorts {
    ChainPort& chain;
    LedgerPort& ledger;
    AddressBook const& addresses;
    ChainTimes& times;
    PaymentFeed& feed;
    Notifier& outbox;  // told when events were written
    Clock& clock;
    Metrics& metrics;
};

// Follows one chain: reads block after block, decides through the core what each means for the
// books, and commits that with the cursor in one transaction. What it keeps in memory can be thrown
// away at any moment: after a fault it is loaded again from the books.
class ChainFollower {
  public:
    ChainFollower(ChainSettings const& settings, Network const& network, ChainFollowerPorts ports);

    // Ends only by cancellation. A fault that passes is retried with backoff; a broken invariant
    // stops this chain with an alarm.
    Task<void> run();

    // One bounded step. True when there may be more to do at once.
    Task<bool> step();

  private:
    struct Batch;

    Task<void> load();
    Task<void> find_ancestor(BlockNumber first, Batch& batch);
    Task<bool> read_blocks(Batch& batch, BlockHeader node_head, BlockNumber base);
    Task<void> commit(Batch batch);
    ChainStep step_of(Batch const& batch) const;
    std::vector<PaymentKey> touched_by(Batch const& batch, ChainStep const& step) const;
    void remember(std::vector<PaymentState> states, ChainStep const& step);
    void match(Batch& batch, BlockWithLogs const& block) const;

    ChainSettings const& settings_;
    Network const& network_;
    ChainFollowerPorts ports_;
    std::vector<Address> tokens_;
    std::optional<HeaderChain> headers_;
    std::map<PaymentKey, PaymentState> open_;
};

}  // namespace sycee
