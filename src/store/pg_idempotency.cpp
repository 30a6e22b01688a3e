#include <sycee/store/pg_idempotency.hpp>

#include "session.hpp"
#include "values.hpp"

namespace sycee {

Task<std::optional<UsedKey>> PgIdempotency::find(MerchantId merchant_id, std::string key) {
    auto work = [&](pqxx::work& tx) -> std::optional<UsedKey> {
        auto const rows = tx.exec_params(
            "SELECT request_hash, status, location, answer, subject FROM idempotency_keys"
            " WHERE (merchant_id, key) = ($1, $2)",
            to_sql(merchant_id), key);
        if (rows.empty()) return std::nullopt;
        UsedKey used{.request_hash = bytes_of<32>(rows[0]["request_hash"]),
                     .subject = rows[0]["subject"].c_str()};
        auto const status = rows[0]["status"].as<unsigned>();
        if (status != 0) {
            used.answer = {.status = status,
                           .location = rows[0]["location"].c_str(),
                           .body = rows[0]["answer"].c_str()};
        }
        return used;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgIdempotency::keep(MerchantId merchant_id, IdempotencyClaim claim, KeptAnswer answer,
                               Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "INSERT INTO idempotency_keys AS k"
            " (merchant_id, key, request_hash, status, location, answer, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0))"
            " ON CONFLICT (merchant_id, key) DO UPDATE"
            " SET status = excluded.status, location = excluded.location, answer = excluded.answer"
            " WHERE k.status = 0 AND k.request_hash = excluded.request_hash",
            to_sql(merchant_id), claim.key, to_sql(ByteView(claim.request_hash)), answer.status,
            answer.location, answer.body, to_sql(now));
    };
    co_await transact(database_, work);
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
