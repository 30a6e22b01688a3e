#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

// The exceptions desk in PostgreSQL: read from the books, decided by one transaction that moves the
// head of the exception's journal. Whatever a decision rests on is checked again in it.
class PgDesk final : public DeskPort {
  public:
    explicit PgDesk(Database& database) : database_(database) {}

    Task<DeskPage> list(DeskFilter filter, std::optional<DeskKey> after,
                        std::size_t limit) override;
    Task<std::optional<DeskException>> find(DeskKey key) override;
    Task<std::vector<ResolutionRequest>> requests() override;
    Task<std::optional<ResolutionRequest>> find_request(RequestId id) override;
    Task<void> create_request(ResolutionRequest request,
                              std::optional<IdempotencyClaim> claim) override;
    Task<bool> withdraw_request(RequestId id) override;
    Task<void> commit(DeskCommit commit) override;

  private:
    Database& database_;
};

}  // namespace sycee
