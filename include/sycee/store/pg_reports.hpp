#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

struct IssuedAddress {
    Merchant merchant;
    Address address;
    std::uint64_t derivation_index = 0;
};

class PgReports final : public ReportPort {
  public:
    explicit PgReports(Database& database) : database_(database) {}

    Task<std::vector<Merchant>> merchants() override;
    Task<PaymentTimeline> timeline(PaymentKey payment) override;
    Task<std::vector<BalanceRow>> balances() override;
    Task<std::vector<ChainStatus>> chains() override;
    Task<bool> ready() override;

    // Addresses that received a transfer, by merchant and index: where money may lie.
    Task<std::vector<IssuedAddress>> used_addresses();

  private:
    Database& database_;
};

}  // namespace sycee
