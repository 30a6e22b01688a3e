#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>
#include <sycee/store/just_booked.hpp>

namespace sycee {

// The books in PostgreSQL. A commit is one transaction of set-based statements: the lease, what
// other chains did, the cursor and the journal heads by compare-and-set, then records, postings,
// balances, the outbox.
//
// Leases run by the server's clock. A lease that ran out and was not taken by anybody since still
// lets its holder write: what is refused is a token that is not the newest.
class PgLedger final : public LedgerPort, public RepairPort {
  public:
    // With `just_booked`, which must live longer, it is told what was committed.
    explicit PgLedger(Database& database, JustBooked* just_booked = nullptr)
        : database_(database), just_booked_(just_booked) {}

    Task<std::optional<Lease>> acquire_lease(ChainId chain_id, std::string holder,
                                             std::chrono::milliseconds time) override;
    Task<void> release_lease(ChainId chain_id, Lease lease) override;
    Task<FinalityRule> use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) override;
    Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) override;
    Task<std::optional<ChainProgress>> load_progress(ChainId chain_id) override;
    Task<void> begin_chain(ChainId chain_id, Lease lease, ProcessedBlock block,
                           Timestamp now) override;
    Task<std::vector<PaymentState>> load_open(ChainId chain_id) override;
    Task<std::vector<MerchantView>> load_views(ChainId chain_id, std::vector<PaymentKey> payments,
                                               std::vector<MerchantId> merchants) override;
    Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> known) override;
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> addresses) override;
    Task<void> commit(ChainCommit commit) override;
    Task<void> record_stop(ChainId chain_id, Lease lease, std::string reason) override;
    Task<std::vector<ProcessedBlock>> load_kept_blocks(ChainId chain_id) override;
    Task<std::vector<PaymentKey>> payments_above(ChainId chain_id, BlockNumber number) override;

  private:
    Database& database_;
    JustBooked* just_booked_;
};

}  // namespace sycee
