#pragma once

#include <pqxx/pqxx>

#include <functional>
#include <string>
#include <utility>

namespace sycee {

// As exec_params(), for questions that are asked all the time: the server reads and plans them once
// for each connection, which for those over the tables by month costs more than the answer. The
// text must be one of a few: what differs goes into the arguments.
template <class... Arguments>
pqxx::result exec_planned(pqxx::transaction_base& tx, std::string const& query,
                          Arguments const&... arguments) {
    std::string const name = "q" + std::to_string(std::hash<std::string>{}(query));
    tx.conn().prepare(name, query);  // nothing where it was
    return tx.exec_prepared(name, arguments...);
}

}  // namespace sycee
