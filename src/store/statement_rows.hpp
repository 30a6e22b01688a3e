#pragma once

#include <sycee/app/statement.hpp>

#include "session.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace sycee {

// What PgStatements gives, in this transaction: of whose queries none may take longer. They change
// how the rest of the transaction is planned.
Statement load_statement(SnapshotTransaction& tx, StatementQuery const& query, Timestamp now,
                         std::chrono::seconds longest_query);
StatementLinePage load_statement_lines(SnapshotTransaction& tx, StatementQuery const& query,
                                       std::optional<StatementCursor> after, std::size_t limit,
                                       std::chrono::seconds longest_query);

}  // namespace sycee
