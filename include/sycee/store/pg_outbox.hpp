#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>
#include <sycee/store/just_booked.hpp>

namespace sycee {

class PgOutbox final : public OutboxPort {
  public:
    // What is in `just_booked`, which must live longer, is not read back.
    explicit PgOutbox(Database& database, JustBooked const* just_booked = nullptr)
        : database_(database), just_booked_(just_booked) {}

    Task<std::size_t> fan_out(Timestamp now, std::size_t limit) override;
    Task<std::vector<PendingDelivery>> due(std::vector<WebhookEndpointId> beside, Timestamp now,
                                           std::size_t limit) override;
    Task<void> record(std::vector<DeliveryAttempt> attempts) override;

  private:
    Database& database_;
    JustBooked const* just_booked_;
};

}  // namespace sycee
