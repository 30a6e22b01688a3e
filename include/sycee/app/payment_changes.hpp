#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// What of a payment may be changed: words for the shop and the payer, which stand in no book.
struct PaymentWords {
    std::string description;
    std::vector<std::pair<std::string, std::string>> metadata;
};

// What a cancellation writes: one transaction, or nothing.
struct CancelCommit {
    HeadMove head;
    ChainId chain_id = 0;
    std::vector<JournalEntry> entries;  // one Cancellation
    std::vector<OutboxEvent> events;
    std::string reason;  // the text behind its reason_hash; empty: none was given
    // foreign_fingerprint of the payment, as for a chain that does not exist
    std::vector<std::pair<PaymentKey, Bytes32>> foreign;
    Timestamp now{};
};

class PaymentChangePort {
  public:
    virtual ~PaymentChangePort() = default;
    // Throws Unavailable where the head or the payment is not as it was, or the outcome is unknown.
    virtual Task<void> commit(CancelCommit commit) = 0;
    // Gives the payment the words that `decide` says, which sees it as it stands and nobody else
    // changes meanwhile. `decide` is called on another thread; nothing from it: nothing is changed.
    // The payment as it stands after that; nothing where there is none. Throws KeyWasUsed where
    // something is changed, and what it claims was claimed before.
    virtual Task<std::optional<PaymentState>> update(
        PaymentKey key, std::function<std::optional<PaymentWords>(PaymentState const&)> decide,
        Timestamp now, std::optional<IdempotencyClaim> claim) = 0;
};

// What a shop wants to change. What is not said stays.
struct UpdatePayment {
    std::optional<std::string> description;  // empty: none any more
    // Key by key: a value replaces, nothing takes the key away.
    std::vector<std::pair<std::string, std::optional<std::string>>> metadata;
};

// Pure: the words after the update. Refused as at the creation of a payment (PaymentService).
Result<PaymentWords> updated_words(Payment const& payment, UpdatePayment const& update);

// The merchant's use cases with a payment that is there.
class PaymentChanges {
  public:
    PaymentChanges(PaymentChangePort& changes, LedgerPort& ledger, Network const& network,
                   ChainRegistry const& chains, Notifier& outbox, PaymentFeed& feed, Clock& clock)
        : changes_(changes),
          ledger_(ledger),
          network_(network),
          chains_(chains),
          outbox_(outbox),
          feed_(feed),
          clock_(clock) {}

    // The payment as it stands after that; one that was canceled before stays as it is. Refused
    // with the field "reason"; with "payment" where it is not there, "transfers" where something
    // has come for it, "status" where it is over. Throws Unavailable while one of its chains is not
    // followed.
    Task<Result<PaymentState>> cancel(PaymentKey key, std::string reason, std::string decided_by);

    // `fits` says whether the payment is still what the shop believes; called on another thread,
    // perhaps several times.
    struct Updated {
        std::optional<PaymentState> state;  // nothing: there is no such payment
        bool fitted = true;                 // false: nothing was changed
    };
    Task<Result<Updated>> update(PaymentKey key, UpdatePayment update,
                                 std::function<bool(PaymentState const&)> fits,
                                 std::optional<IdempotencyClaim> claim = {});

  private:
    Task<std::optional<MerchantView>> view_of(PaymentKey key, ChainId chain_id);
    std::optional<ChainId> journal_for(Payment const& payment) const;
    void announce(PaymentId id);

    PaymentChangePort& changes_;
    LedgerPort& ledger_;
    Network const& network_;
    ChainRegistry const& chains_;
    Notifier& outbox_;
    PaymentFeed& feed_;
    Clock& clock_;
};

}  // namespace sycee
