#pragma once

#include <sycee/app/reconciliation.hpp>
#include <sycee/store/database.hpp>

#include <string>
#include <vector>

namespace sycee {

struct OpenDifference {
    DifferenceId id;
    ChainId chain_id = 0;
    BlockNumber block_number = 0;
    BalanceDifference difference;
    Timestamp found_at{};
};

class PgReconciliation final : public ReconciliationPort {
  public:
    explicit PgReconciliation(Database& database) : database_(database) {}

    Task<bool> claim(ChainId chain_id, Timestamp now, std::chrono::milliseconds every) override;
    Task<std::optional<BalancesToCheck>> next(ChainId chain_id, std::size_t payments) override;
    Task<std::size_t> record(ChainId chain_id, CheckedBalances checked) override;
    Task<std::size_t> open_differences(ChainId chain_id) override;

    // Oldest first.
    Task<std::vector<OpenDifference>> list_open(std::size_t limit);
    // The difference is accepted: the address is free again, and what is missing is taken off what
    // the books say of it from then on. False where there is no open difference of that id.
    Task<bool> close(DifferenceId id, std::string reason, Timestamp now);

  private:
    Database& database_;
};

}  // namespace sycee
