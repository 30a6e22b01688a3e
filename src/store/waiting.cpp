#include <sycee/base/assert.hpp>
#include <sycee/store/waiting.hpp>

#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace sycee {
namespace {

std::string edges_array() {
    PgArray edges;
    for (auto const edge : kWaitingEdges)
        edges.add(edge.count());
    return edges.str();
}

std::string waiting_query() {
    return "SELECT a.chain_id, a.token, c.seq IS NOT NULL AS cleared,"
           " width_bucket(extract(epoch FROM to_timestamp($1::bigint / 1000.0) - a.block_time),"
           "  $2::numeric[]) AS age, count(*), sum(a.amount) AS amount, " +
           time_column("min(a.block_time)", "oldest") +
           " FROM chain_cursors k JOIN authorizations a"
           "  ON a.chain_id = k.chain_id AND a.block_number >= k.oldest_open"
           " LEFT JOIN clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND c.payment_id = a.payment_id"
           " LEFT JOIN settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
           " LEFT JOIN unapplied_receipts u ON (u.merchant_id, u.chain_id, u.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND u.payment_id = a.payment_id"
           " LEFT JOIN reversals r ON (r.merchant_id, r.chain_id, r.reversed_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq)"
           " WHERE s.seq IS NULL AND u.seq IS NULL AND r.seq IS NULL GROUP BY 1, 2, 3, 4";
}

}  // namespace

Task<std::vector<WaitingMoney>> load_waiting(Database& database, Timestamp now) {
    auto work = [now](SnapshotTransaction& tx) {
        tx.exec("SET LOCAL statement_timeout = '10min'");
        std::map<std::tuple<ChainId, Address, bool>, WaitingMoney> found;
        for (auto const& row : tx.exec_params(waiting_query(), to_sql(now), edges_array())) {
            std::tuple const key{number_of(row["chain_id"]), address_in(row["token"]),
                                 row["cleared"].as<bool>()};
            Timestamp const oldest = time_of(row["oldest"]);
            auto const [place, is_new] = found.try_emplace(key);
            WaitingMoney& waiting = place->second;
            std::tie(waiting.chain_id, waiting.token, waiting.cleared) = key;
            waiting.oldest = is_new ? oldest : std::min(waiting.oldest, oldest);
            auto const age = static_cast<std::size_t>(number_of(row["age"]));
            ensure(age < kWaitingAges, "store: an age that there is not");
            waiting.by_age[age] = {number_of(row["count"]), amount_of(row["amount"])};
        }
        std::vector<WaitingMoney> all;
        for (auto const& [key, waiting] : found)
            all.push_back(waiting);
        return all;
    };
    co_return co_await transact<SnapshotTransaction>(database, work);
}

}  // namespace sycee
