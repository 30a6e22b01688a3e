#pragma once

#include <sycee/app/payment_search.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgPaymentSearch final : public PaymentSearchPort {
  public:
    explicit PgPaymentSearch(Database& database) : database_(database) {}

    Task<LookedAt> look(MerchantId merchant_id, PaymentFilter filter,
                        std::optional<PaymentId> after, std::size_t most) override;

  private:
    Database& database_;
};

}  // namespace sycee
