#pragma once

#include <sycee/app/payment_changes.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgPaymentChanges final : public PaymentChangePort {
  public:
    explicit PgPaymentChanges(Database& database) : database_(database) {}

    Task<void> commit(CancelCommit commit) override;
    Task<std::optional<PaymentState>> update(
        PaymentKey key, std::function<std::optional<PaymentWords>(PaymentState const&)> decide,
        Timestamp now, std::optional<IdempotencyClaim> claim) override;

  private:
    Database& database_;
};

}  // namespace sycee
