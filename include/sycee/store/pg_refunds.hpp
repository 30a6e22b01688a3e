#pragma once

#include <sycee/app/refund_ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

// Promises to payers in PostgreSQL: read from the books, decided by one transaction that moves the
// head of their journal.
class PgRefunds final : public RefundPort {
  public:
    explicit PgRefunds(Database& database) : database_(database) {}

    Task<RefundPage> list(RefundFilter filter, std::optional<RefundKey> after,
                          std::size_t limit) override;
    Task<std::optional<RefundDetail>> find(RefundKey key) override;
    Task<std::vector<RefundRequest>> requests() override;
    Task<std::optional<RefundRequest>> find_request(RequestId id) override;
    Task<void> create_request(RefundRequest request,
                              std::optional<IdempotencyClaim> claim) override;
    Task<bool> withdraw_request(RequestId id) override;
    Task<void> commit(RefundCommit commit) override;
    Task<bool> give_recipient(RefundKey key, Address recipient, std::string given_by,
                              Timestamp now) override;
    Task<void> report(RefundKey key, RefundReport report) override;
    Task<std::vector<TransactionHash>> open_reports(RefundKey key) override;
    Task<std::vector<DueReport>> take_due(ChainId chain_id, std::size_t limit,
                                          Timestamp now) override;
    Task<void> answer_report(DueReport report, std::string problem, Timestamp now) override;
    Task<std::vector<TransferKey>> used_transfers(ChainId chain_id,
                                                  TransactionHash transaction) override;

  private:
    Database& database_;
};

}  // namespace sycee
