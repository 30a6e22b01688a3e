#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgOutbox final : public OutboxPort {
  public:
    explicit PgOutbox(Database& database) : database_(database) {}

    Task<std::vector<PendingDelivery>> due(std::vector<MerchantId> beside, Timestamp now,
                                           std::size_t limit) override;
    Task<void> record(DeliveryAttempt attempt) override;

  private:
    Database& database_;
};

}  // namespace sycee
