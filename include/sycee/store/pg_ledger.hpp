#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

// The books in PostgreSQL. A commit is one transaction of set-based statements: the cursor and the
// journal heads by compare-and-set, then records, postings, balances, the outbox.
class PgLedger final : public LedgerPort {
  public:
    explicit PgLedger(Database& database) : database_(database) {}

    Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) override;
    Task<void> begin_chain(ChainId chain_id, BlockHeader header, Timestamp now) override;
    Task<std::vector<PaymentState>> load_open(ChainId chain_id) override;
    Task<std::vector<MerchantView>> load_views(ChainId chain_id,
                                               std::vector<PaymentKey> payments) override;
    Task<void> commit(ChainCommit commit) override;
    Task<void> record_stop(ChainId chain_id, std::string reason) override;

  private:
    Database& database_;
};

}  // namespace sycee
