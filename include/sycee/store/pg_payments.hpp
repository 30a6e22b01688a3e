#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

#include <memory>

namespace sycee {

class PaymentWriter;

class PgPayments final : public PaymentPort {
  public:
    explicit PgPayments(Database& database);
    PgPayments(PgPayments const&) = delete;
    PgPayments& operator=(PgPayments const&) = delete;
    ~PgPayments() override;

    Task<Payment> create(NewPayment payment, DeriveAddress derive) override;
    Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) override;
    Task<std::optional<PaymentState>> find_public(PaymentId id) override;
    Task<PaymentPage> list(std::optional<MerchantId> merchant_id, std::optional<PaymentId> after,
                           std::size_t limit) override;

  private:
    Database& database_;
    std::unique_ptr<PaymentWriter> writer_;
};

}  // namespace sycee
