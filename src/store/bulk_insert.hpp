#pragma once

#include "values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// Many rows into one table in one statement: an array for each column, through unnest().
class BulkInsert {
  public:
    struct Column {
        std::string_view name;
        std::string_view type;  // "bigint"; "time" for a timestamptz
    };

    BulkInsert(std::string_view table, std::vector<Column> columns)
        : table_(table), columns_(std::move(columns)), arrays_(columns_.size()) {}

    // One value for each column, in their order.
    template <class... Values>
    void row(Values const&... values) {
        std::size_t column = 0;
        (arrays_.at(column++).add(values), ...);
        ++rows_;
    }

    // Throws InvariantViolation unless every row was inserted. `suffix` may be an ON CONFLICT
    // clause: then fewer are accepted.
    void run(pqxx::transaction_base& tx, std::string_view suffix = {}) const;

  private:
    std::string_view table_;
    std::vector<Column> columns_;
    std::vector<PgArray> arrays_;
    std::size_t rows_ = 0;
};

// The arrays alone, for other statements over unnest($1, $2, ...).
pqxx::result exec_arrays(pqxx::transaction_base& tx, std::string const& sql,
                         std::vector<PgArray> const& arrays);

}  // namespace sycee
