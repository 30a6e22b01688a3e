#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgOutbox final : public OutboxPort {
  public:
    explicit PgOutbox(Database& database) : database_(database) {}

    Task<std::size_t> fan_out(Timestamp now, std::size_t limit) override;
    Task<std::vector<PendingDelivery>> due(std::vector<WebhookEndpointId> beside, Timestamp now,
                                           std::size_t limit) override;
    Task<void> record(std::vector<DeliveryAttempt> attempts) override;

  private:
    Database& database_;
};

}  // namespace sycee
