#pragma once

#include <sycee/app/address_index.hpp>
#include <sycee/app/chain_registry.hpp>
#include <sycee/app/payment_feed.hpp>
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
    AddressIndex& addresses;
    ChainRegistry& registry;
    PaymentFeed& feed;
    Notifier& outbox;  // told when events were written
    Clock& clock;
    Metrics& metrics;
};

// Follows one chain: reads block after block, decides through the core what each means for the
// books, and commits that with the cursor in one transaction. What it keeps in memory can be thrown
// away at any moment: after a fault it is loaded again from the books. Of several processes, one
// has the chain's lease and follows; the others stand by.
class ChainFollower {
  public:
    // `holder`: this process's name in the lease, unlike any other's.
    ChainFollower(ChainSettings const& settings, Network const& network, std::string holder,
                  ChainFollowerPorts ports);

    // Ends only by cancellation. A fault that passes is retried with backoff; a broken invariant
    // stops this chain with an alarm.
    Task<void> run();

    // One bounded step. True when there may be more to do at once.
    Task<bool> step();
    // Gives the lease back, so that another process need not wait for its end. After run() has
    // ended.
    Task<void> hand_over();
    // Whether this process has the lease, as far as it knows.
    bool leads() const { return lease_.has_value(); }

  private:
    struct Batch;

    // A payment as it was read, or left by our last step.
    struct Remembered {
        PaymentState state;
        std::uint64_t reading = 0;
    };
    struct Worklist {
        std::vector<PaymentKey> touched;
        std::vector<PaymentKey> waiting;  // moved only by what the desk may have given to them
    };
    // Where a merchant's journals were when we last looked. Whatever changes a payment moves one of
    // them: as long as none has moved but by us, what is remembered of that reading still holds.
    struct Journals {
        JournalHead here;
        JournalPositions elsewhere;
        std::uint64_t reading = 0;
    };

    Task<bool> is_current();
    Task<void> stop(std::string reason);
    Task<bool> hold_lease();
    Task<void> stand_by();
    Task<void> load();
    void undo_misread(Batch& batch);
    Task<void> find_ancestor(BlockNumber first, Batch& batch);
    Task<bool> read_blocks(Batch& batch, BlockHeader node_head);
    Task<void> match(Batch& batch);
    Task<void> find_finalized(BlockNumber candidate, Batch& batch);
    Task<BlockNumber> confirm_final(BlockNumber candidate, Batch& batch);
    Task<bool> was_misread(ProcessedBlock const& block, Bytes32 const& read_again);
    Task<void> commit(Batch batch);
    Task<std::vector<MerchantView>> look_at(Worklist work);
    std::vector<PaymentKey> add_remembered(std::vector<MerchantView>& views,
                                           std::vector<PaymentKey> const& remembered);
    void note_journals(MerchantView const& view);
    Task<void> look_at_other_chains(std::vector<MerchantView> const& views, ChainStep& step);
    bool may_be_paid_elsewhere() const;
    ChainStep step_of(Batch const& batch) const;
    Worklist work_of(Batch const& batch, ChainStep const& step);
    std::vector<PaymentKey> woken(std::vector<PaymentKey> const& waiting,
                                  std::vector<MerchantView> const& views) const;
    bool still_holds(MerchantView const& view) const;
    BlockNumber oldest_open(std::vector<PaymentState> const& states, ChainStep const& step) const;
    void remember(std::vector<PaymentState> states, ChainStep const& step);
    void publish(Batch const& batch, ChainStep const& step, std::size_t booked);
    void forget();

    ChainSettings const& settings_;
    Network const& network_;
    std::string holder_;
    ChainFollowerPorts ports_;
    std::vector<Address> tokens_;
    std::optional<Lease> lease_;
    Timestamp lease_ends_{};
    FinalityRule rule_;
    std::optional<HeaderChain> headers_;
    BlockNumber agreed_ = 0;
    bool defers_finality_ = false;  // to the next step
    bool defers_due_ = false;       // the work on earlier payments, to the next step
    std::map<PaymentKey, Remembered> open_;
    std::map<MerchantId, Journals> journals_;  // of the merchants that have an open payment
    std::uint64_t readings_ = 0;
};

}  // namespace sycee
