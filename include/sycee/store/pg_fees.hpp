#pragma once

#include <sycee/app/fee_service.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgFees final : public FeePort {
  public:
    explicit PgFees(Database& database) : database_(database) {}

    Task<std::optional<MerchantId>> recipient() override;
    Task<Result<void>> set_recipient(MerchantId merchant_id, Timestamp now) override;
    Task<std::optional<std::string>> merchant_name(MerchantId merchant_id) override;
    Task<std::vector<FeesOwed>> owed(MerchantId merchant_id) override;
    Task<std::vector<FeeInvoice>> invoices(MerchantId merchant_id, std::optional<PaymentId> after,
                                           std::size_t limit) override;
    Task<std::vector<FeeInvoice>> unpaid(MerchantId merchant_id, std::size_t limit) override;
    Task<bool> add(FeeInvoice invoice, std::size_t known) override;
    Task<std::size_t> count(MerchantId merchant_id, ChainId chain_id, Address token) override;
    Task<std::vector<UnbookedInvoice>> unbooked(std::size_t limit) override;
    Task<void> commit(FeeCommit commit) override;
    Task<std::vector<FeeStatement>> statement(
        MerchantId merchant_id, std::optional<std::pair<Timestamp, Timestamp>> period) override;

  private:
    Database& database_;
};

}  // namespace sycee
