#include <sycee/store/pg_payment_search.hpp>

#include "payment_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sycee {
namespace {

using namespace std::chrono_literals;

// Ids rise with the time of creation: so far may the two be apart.
constexpr auto kIdSlack = 1h;

// No payment of that moment or later has a smaller one.
Uuid first_id_at(Timestamp time) {
    constexpr std::size_t kTimeBytes = 6;  // at the beginning of a UUIDv7: milliseconds
    auto millis = std::max<std::int64_t>(0, to_unix_milliseconds(time));
    Uuid id;
    for (std::size_t i = kTimeBytes; i > 0; --i, millis >>= 8)
        id.bytes[i - 1] = static_cast<std::uint8_t>(millis);
    return id;
}

std::string moment(Timestamp time) {
    return "to_timestamp(" + to_sql(time) + " / 1000.0)";
}

// What an index finds, so that what it leaves out need not be looked at.
std::string found_by_index(pqxx::work& tx, PaymentFilter const& filter) {
    std::string where;
    if (filter.reference) {
        // Empty is none, and has no place in the index.
        where += " AND reference = " + tx.quote(*filter.reference) + " AND reference <> ''";
    }
    if (filter.created_after) {
        where += " AND created_at >= " + moment(*filter.created_after) + " AND payment_id >= '" +
                 to_sql(first_id_at(*filter.created_after - kIdSlack)) + "'::uuid";
    }
    if (filter.created_before) {
        where += " AND created_at < " + moment(*filter.created_before) + " AND payment_id < '" +
                 to_sql(first_id_at(*filter.created_before + kIdSlack)) + "'::uuid";
    }
    return where;
}

}  // namespace

Task<LookedAt> PgPaymentSearch::look(MerchantId merchant_id, PaymentFilter filter,
                                     std::optional<PaymentId> after, std::size_t most) {
    auto work = [&](pqxx::work& tx) {
        // Without a cursor, everything is older than the largest id.
        std::string const before = after ? to_sql(*after) : "ffffffff-ffff-ffff-ffff-ffffffffffff";
        auto const rows = tx.exec_params(
            "SELECT payment_id, metadata @> $4::jsonb AS fits FROM payments"
            " WHERE merchant_id = $1 AND payment_id < $2" +
                found_by_index(tx, filter) + " ORDER BY payment_id DESC LIMIT $3",
            to_sql(merchant_id), before, most + 1, metadata_json(filter.metadata));
        LookedAt looked;
        std::vector<PaymentKey> fitting;
        for (auto const& row : rows) {
            if (looked.count == most) {
                looked.has_more = true;
                break;
            }
            ++looked.count;
            looked.last = id_of<PaymentTag>(row[0]);
            if (row["fits"].as<bool>()) fitting.emplace_back(merchant_id, *looked.last);
        }
        looked.fitting = load_payment_states(tx, fitting);
        return looked;
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
