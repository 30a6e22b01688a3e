#pragma once

#include <sycee/app/statement.hpp>
#include <sycee/store/database.hpp>

#include <chrono>

namespace sycee {

// Statements from the books. What a period begins and ends with is found by halving over the
// numbers of the batches, and the settlements of a batch by going back from its last one: there is
// no index for either, and the write path pays for none. A statement reads what was booked since
// its period began.
class PgStatements final : public StatementPort {
  public:
    // Queries that take longer throw Unavailable.
    explicit PgStatements(Database& database,
                          std::chrono::seconds longest_query = std::chrono::seconds(10))
        : database_(database), longest_query_(longest_query) {}

    Task<Statement> statement(StatementQuery query, Timestamp now) override;
    Task<StatementLinePage> lines(StatementQuery query, std::optional<StatementCursor> after,
                                  std::size_t limit) override;
    Task<StatementBatchPage> batches(StatementQuery query, std::optional<StatementCursor> after,
                                     std::size_t limit) override;
    Task<std::vector<StatementDay>> days(StatementQuery query) override;
    // Reads what was booked in those days.
    Task<Totals> totals(TotalsQuery query, Timestamp now) override;

  private:
    Database& database_;
    std::chrono::seconds longest_query_;
};

}  // namespace sycee
