#pragma once

#include <sycee/app/rebuild.hpp>
#include <sycee/base/result.hpp>
#include <sycee/store/database.hpp>

#include <memory>

namespace sycee {

// The books that are checked, in PostgreSQL. One transaction that can't write holds one moment from
// begin() on: whatever the service books meanwhile is not seen.
class PgRebuildSource final : public RebuildSourcePort {
  public:
    // `database`: with one connection, which is this one's from now on.
    explicit PgRebuildSource(Database& database);
    PgRebuildSource(PgRebuildSource const&) = delete;
    PgRebuildSource& operator=(PgRebuildSource const&) = delete;
    ~PgRebuildSource() override;

    Task<void> begin();  // before anything else, once

    Task<std::vector<BookedChain>> chains() override;
    Task<std::vector<BookedMerchant>> merchants() override;
    Task<std::vector<BookedPayment>> payments(std::optional<PaymentKey> after,
                                              std::size_t limit) override;
    Task<std::set<PaymentKey>> frozen() override;
    Task<ResolutionReasons> reasons(MerchantId merchant_id) override;
    Task<std::vector<OpenDifference>> lost(MerchantId merchant_id) override;
    Task<std::vector<JournalEntry>> fee_payments() override;
    Task<AccountBalances> balances() override;

  private:
    friend class PgRebuildTarget;
    struct Snapshot;
    template <class Work>
    auto read(Work work);

    Database& database_;
    std::unique_ptr<Snapshot> snapshot_;
};

// The new books, in a database of their own that is empty before.
class PgRebuildTarget final : public RebuildTargetPort {
  public:
    explicit PgRebuildTarget(Database& database) : database_(database) {}

    // Makes the schema, and takes over the merchants, whose webhooks stay behind so that nobody is
    // told anything twice, their fee schedules, the invoices over fees and to whom they are paid,
    // and the finality rules. Refused, with nothing written, where the database is the source's own
    // or holds anything at all.
    Task<Result<void>> prepare(PgRebuildSource& source);

    Task<void> add_payments(std::vector<Payment> payments) override;
    Task<void> add_difference(OpenDifference difference) override;
    Task<std::vector<PaymentState>> states(std::vector<PaymentKey> keys) override;
    Task<AccountBalances> balances() override;

  private:
    Database& database_;
};

}  // namespace sycee
