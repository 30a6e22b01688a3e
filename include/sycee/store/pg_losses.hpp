#pragma once

#include <sycee/app/loss_service.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgLosses final : public LossPort {
  public:
    explicit PgLosses(Database& database) : database_(database) {}

    Task<std::vector<OpenDifference>> list_open(std::size_t limit) override;
    Task<std::optional<OpenDifference>> find_open(DifferenceId id) override;
    Task<std::optional<BookedBalances>> booked_now(OpenDifference difference) override;
    Task<bool> close(DifferenceId id, std::string reason, Timestamp now) override;
    Task<std::vector<LossRequest>> requests() override;
    Task<void> create_request(LossRequest request) override;
    Task<bool> withdraw_request(RequestId id, Timestamp now) override;
    Task<void> commit(LossCommit commit) override;

  private:
    Database& database_;
};

}  // namespace sycee
