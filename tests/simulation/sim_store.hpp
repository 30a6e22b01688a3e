#pragma once

#include "store_calls.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace sycee::simulation {

struct StoredDelivery {
    unsigned attempts = 0;
    unsigned failures = 0;
    std::optional<Timestamp> next_attempt_at;
    std::optional<Timestamp> delivered_at;
};

struct StoredEvent {
    OutboxEvent event;
    std::optional<Timestamp> next_attempt_at;  // until its delivery is made
    std::optional<StoredDelivery> delivery;
};

struct StoredChain {
    BlockHeader head;
    BlockNumber agreed = 0;
    BlockNumber finalized = 0;
    BlockNumber oldest_open = 0;
    std::map<BlockNumber, ProcessedBlock> blocks;  // from the finalized one up
    std::string stopped_reason;
};

struct StoredLease {
    std::string holder;
    std::uint64_t token = 0;
    Timestamp ends{};
};

struct StoredMerchant {
    Merchant merchant;
    ExtendedPublicKey key;
    std::uint64_t next_index = 0;
    bool has_webhook = false;
    WebhookEndpointId endpoint_id;
    std::string webhook_url;
};

using JournalKey = std::pair<MerchantId, ChainId>;
using RecordKey = std::tuple<MerchantId, ChainId, std::uint64_t>;
using AccountKey = std::tuple<MerchantId, ChainId, Bytes20, Account>;

// The books in memory, as the PostgreSQL store keeps them: whole transactions or nothing, the same
// rows, the same refusals, time by the store's own clock.
class SimStore final : public StoreCalls {
  public:
    explicit SimStore(std::function<Timestamp()> now) : now_(std::move(now)) {}

    void add_merchant(StoredMerchant merchant);

    std::optional<Lease> acquire_lease(ChainId chain_id, std::string const& holder,
                                       std::chrono::milliseconds time) override;
    void release_lease(ChainId chain_id, Lease lease) override;
    FinalityRule use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) override;
    std::optional<FollowedChain> load_chain(ChainId chain_id) override;
    std::optional<ChainProgress> load_progress(ChainId chain_id) override;
    void begin_chain(ChainId chain_id, Lease lease, ProcessedBlock const& block,
                     Timestamp now) override;
    std::vector<PaymentState> load_open(ChainId chain_id) override;
    std::vector<MerchantView> load_views(ChainId chain_id, std::vector<PaymentKey> const& payments,
                                         std::vector<MerchantId> const& merchants) override;
    std::vector<NewAddress> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> const& known) override;
    std::vector<WatchedAddress> find_addresses(std::vector<Address> const& addresses) override;
    void commit(ChainCommit const& commit) override;
    void record_stop(ChainId chain_id, Lease lease, std::string const& reason) override;

    Payment create(NewPayment payment, DeriveAddress const& derive) override;
    std::optional<PaymentState> find(PaymentKey const& key) override;
    void cancel(CancelCommit const& commit) override;

    std::size_t fan_out(Timestamp now, std::size_t limit) override;
    std::vector<PendingDelivery> due(std::vector<WebhookEndpointId> const& beside, Timestamp now,
                                     std::size_t limit) override;
    void record(std::vector<DeliveryAttempt> const& attempts) override;

    // Called after each commit of a chain, and before anything else happens.
    std::function<void(ChainCommit const&)> on_commit;
    std::function<void(CancelCommit const&)> on_cancel;
    std::function<void(ChainId, ProcessedBlock const&)> on_begin;
    // Called where a commit is refused since its lease is not the newest.
    std::function<void()> on_fenced;

    // For the checks.
    std::map<ChainId, StoredChain> const& chains() const { return chains_; }
    std::deque<JournalEntry> const& entries() const { return entries_; }
    std::map<PaymentKey, Payment> const& payments() const { return payments_; }
    PaymentState state_of(PaymentKey const& key) const;
    // In the order in which they were committed.
    std::vector<JournalEntry> entries_of(PaymentKey const& key) const;
    std::map<std::pair<MerchantId, TransferKey>, std::uint64_t> const& live_credits() const {
        return live_credits_;
    }
    std::map<std::pair<MerchantId, TransferKey>, std::uint64_t> const& live_withdrawals() const {
        return live_withdrawals_;
    }
    std::map<AccountKey, BalanceSheet::Balance> const& balances() const { return balances_; }
    std::map<JournalKey, JournalHead> const& heads() const { return heads_; }
    std::map<EventId, StoredEvent> const& events() const { return events_; }
    // The number of the newest event of each merchant's feed.
    std::map<MerchantId, std::uint64_t> const& feeds() const { return feeds_; }
    std::map<MerchantId, StoredMerchant> const& merchants() const { return merchants_; }
    std::map<Address, PaymentKey> const& addresses() const { return addresses_; }
    std::map<ChainId, StoredLease> const& leases() const { return leases_; }
    std::map<JournalKey, std::uint64_t> const& last_batches() const { return last_batches_; }
    std::map<ChainId, std::vector<FinalityRule>> const& rules() const { return rules_; }
    FinalityRule const& rule(ChainId chain_id) const { return rules_.at(chain_id).back(); }
    JournalEntry const& entry(RecordKey const& key) const { return entries_[places_.at(key)]; }
    std::vector<std::size_t> const& records_of(PaymentKey const& key) const;
    std::optional<JournalEntry> upon(std::map<RecordKey, std::size_t> const& index,
                                     RecordKey const& key) const;
    std::map<RecordKey, std::size_t> const& clearings() const { return clearings_; }
    std::map<RecordKey, std::size_t> const& settlements() const { return settlements_; }
    std::map<RecordKey, std::size_t> const& unapplied() const { return unapplied_; }
    std::map<RecordKey, std::size_t> const& reversals() const { return reversals_; }

  private:
    void check_lease(ChainId chain_id, std::uint64_t token) const;
    void keep(std::vector<OutboxEvent> const& events, bool makes_deliveries);
    bool has_open_work(ChainId chain_id, PaymentState const& state, BlockNumber from) const;

    std::function<Timestamp()> now_;
    std::map<MerchantId, StoredMerchant> merchants_;
    std::map<ChainId, StoredChain> chains_;
    std::map<ChainId, StoredLease> leases_;
    std::map<ChainId, std::vector<FinalityRule>> rules_;
    std::map<PaymentKey, Payment> payments_;
    std::map<Address, PaymentKey> addresses_;
    std::map<std::pair<MerchantId, std::uint64_t>, PaymentId> by_index_;

    std::deque<JournalEntry> entries_;  // append-only
    std::map<RecordKey, std::size_t> places_;
    std::map<PaymentKey, std::vector<std::size_t>> by_payment_;
    std::map<RecordKey, std::size_t> clearings_;    // by the authorization's sequence
    std::map<RecordKey, std::size_t> settlements_;  // by the authorization's sequence
    std::map<RecordKey, std::size_t> unapplied_;    // by the authorization's sequence
    std::map<RecordKey, std::size_t> reversals_;    // by the reversed sequence
    std::map<RecordKey, std::size_t> batches_;      // by batch number
    std::map<std::pair<MerchantId, TransferKey>, std::uint64_t> live_credits_;
    std::map<std::pair<MerchantId, TransferKey>, std::uint64_t> live_withdrawals_;
    std::map<JournalKey, JournalHead> heads_;
    std::map<JournalKey, std::uint64_t> last_batches_;
    std::map<AccountKey, BalanceSheet::Balance> balances_;
    std::map<EventId, StoredEvent> events_;
    std::map<MerchantId, std::uint64_t> feeds_;
    mutable std::map<PaymentKey, PaymentState> states_;  // computed from the rows; a cache
};

}  // namespace sycee::simulation
