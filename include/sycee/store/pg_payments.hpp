#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

#include <cstddef>
#include <memory>

namespace sycee {

class PaymentReader;
class PaymentWriter;

class PgPayments final : public PaymentPort {
  public:
    static constexpr std::size_t kMostAtOnce = 1'000;

    // Creates at most `most_at_once` payments in one transaction.
    explicit PgPayments(Database& database, std::size_t most_at_once = kMostAtOnce);
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
    std::unique_ptr<PaymentReader> reader_;
};

}  // namespace sycee
