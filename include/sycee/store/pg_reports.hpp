#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/reconciliation.hpp>
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

    // By merchant and index. Those that received a transfer are where money lies that was booked;
    // all that were given out, where some may lie that was not.
    Task<std::vector<IssuedAddress>> used_addresses();
    Task<std::vector<IssuedAddress>> issued_addresses();

    // As they stood after everything that was booked up to that moment, from the postings alone.
    Task<std::vector<BalanceRow>> balances_at(Timestamp moment);
    // Of every address that was paid or emptied, as of one moment; nothing where this chain has
    // never been followed.
    Task<std::optional<BookedBalances>> booked_balances(ChainId chain_id);

  private:
    Task<std::vector<IssuedAddress>> addresses(std::string condition, bool of_all_months);

    Database& database_;
};

}  // namespace sycee
