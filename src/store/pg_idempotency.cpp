#include <sycee/store/pg_idempotency.hpp>

#include "session.hpp"
#include "values.hpp"

namespace sycee {

Task<std::optional<UsedKey>> PgIdempotency::find(MerchantId merchant_id, std::string key) {
    auto work = [&](pqxx::work& tx) -> std::optional<UsedKey> {
        auto const rows = tx.exec_params(
            "SELECT request_hash, status, location, answer FROM idempotency_keys"
            " WHERE (merchant_id, key) = ($1, $2)",
            to_sql(merchant_id), key);
        if (rows.empty()) return std::nullopt;
        return UsedKey{.request_hash = bytes_of<32>(rows[0]["request_hash"]),
                       .answer = {.status = rows[0]["status"].as<unsigned>(),
                                  .location = rows[0]["location"].c_str(),
                                  .body = rows[0]["answer"].c_str()}};
    };
    co_return co_await transact(database_, work);
}

Task<std::size_t> PgIdempotency::forget(Timestamp time, std::size_t limit) {
    auto work = [&](pqxx::work& tx) -> std::size_t {
        return tx
            .exec_params(
                "DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM idempotency_keys"
                " WHERE created_at < to_timestamp($1::bigint / 1000.0) LIMIT $2))",
                to_sql(time), limit)
            .affected_rows();
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
