#include "bulk_insert.hpp"

#include <sycee/base/assert.hpp>

namespace sycee {

pqxx::result exec_arrays(pqxx::transaction_base& tx, std::string const& sql,
                         std::vector<PgArray> const& arrays) {
    std::vector<std::string> parameters;
    parameters.reserve(arrays.size());
    for (auto const& array : arrays)
        parameters.push_back(array.str());
    return tx.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
}

void BulkInsert::run(pqxx::transaction_base& tx, std::string_view suffix) const {
    if (rows_ == 0) return;
    std::string names;
    std::string values;
    std::string arrays;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::string const separator = i == 0 ? "" : ", ";
        std::string const name(columns_[i].name);
        bool const time = columns_[i].type == "time";
        names += separator + name;
        values += separator + (time ? "to_timestamp(" + name + " / 1000.0)" : name);
        arrays += separator + "$" + std::to_string(i + 1) +
                  "::" + (time ? "bigint" : std::string(columns_[i].type)) + "[]";
    }
    auto const result =
        exec_arrays(tx,
                    "INSERT INTO " + std::string(table_) + " (" + names + ") SELECT " + values +
                        " FROM unnest(" + arrays + ") AS r(" + names + ") " + std::string(suffix),
                    arrays_);
    ensure(!suffix.empty() || result.affected_rows() == rows_,
           "store: not every row was inserted into " + std::string(table_));
}

}  // namespace sycee
