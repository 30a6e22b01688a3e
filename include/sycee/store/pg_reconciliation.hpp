#pragma once

#include <sycee/app/reconciliation.hpp>
#include <sycee/store/database.hpp>

#include <cstddef>

namespace sycee {

class PgReconciliation final : public ReconciliationPort {
  public:
    explicit PgReconciliation(Database& database) : database_(database) {}

    Task<bool> claim(ChainId chain_id, Timestamp now, std::chrono::milliseconds every) override;
    Task<std::optional<BalancesToCheck>> next(ChainId chain_id, std::size_t payments) override;
    Task<std::size_t> record(ChainId chain_id, CheckedBalances checked) override;
    Task<std::size_t> open_differences(ChainId chain_id) override;

  private:
    Database& database_;
};

}  // namespace sycee
