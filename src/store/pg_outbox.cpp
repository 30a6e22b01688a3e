#include <sycee/base/assert.hpp>
#include <sycee/store/pg_outbox.hpp>

#include "event_rows.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {

Task<std::vector<PendingDelivery>> PgOutbox::due(std::vector<MerchantId> beside, Timestamp now,
                                                 std::size_t limit) {
    PgArray left_out;
    for (MerchantId const& merchant : beside)
        left_out.add(merchant);
    auto work = [&](SnapshotTransaction& tx) {
        auto const rows =
            tx.exec_params("SELECT " + event_columns("e") +
                               ", e.attempts, m.webhook_url, m.webhook_secret_sealed"
                               " FROM outbox_events e JOIN merchants m USING (merchant_id)"
                               " WHERE e.next_attempt_at <= to_timestamp($1::bigint / 1000.0)"
                               " AND e.merchant_id <> ALL ($3::uuid[])"
                               " ORDER BY e.next_attempt_at, e.event_id LIMIT $2",
                           to_sql(now), limit, left_out.str());
        std::vector<OutboxEvent> events;
        for (auto const& row : rows)
            events.push_back(event_of(row));
        auto told = tell_all(tx, std::move(events));
        std::vector<PendingDelivery> due;
        for (auto const& row : rows) {
            due.push_back({.told = std::move(told[due.size()]),
                           .url = text_of(row["webhook_url"]),
                           .sealed_secret = byte_vector_of(row["webhook_secret_sealed"]),
                           .attempts = row["attempts"].as<unsigned>()});
        }
        return due;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<void> PgOutbox::record(DeliveryAttempt attempt) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "INSERT INTO webhook_attempts (merchant_id, event_id, attempt, attempted_at, status, "
            "error)"
            " VALUES ($1, $2, $3, to_timestamp($4::bigint / 1000.0), $5, $6) ON CONFLICT DO "
            "NOTHING",
            to_sql(attempt.merchant_id), to_sql(attempt.event_id), attempt.attempt,
            to_sql(attempt.at), attempt.status, attempt.error);
        std::optional<std::string> next;
        if (attempt.next_attempt_at) next = to_sql(*attempt.next_attempt_at);
        std::optional<std::string> delivered;
        if (attempt.delivered) delivered = to_sql(attempt.at);
        auto const or_null = [](std::optional<std::string> const& text) {
            return text ? text->c_str() : nullptr;
        };
        tx.exec_params(
            "UPDATE outbox_events SET attempts = $3,"
            " next_attempt_at = to_timestamp($4::bigint / 1000.0),"
            " delivered_at = to_timestamp($5::bigint / 1000.0)"
            " WHERE merchant_id = $1 AND event_id = $2",
            to_sql(attempt.merchant_id), to_sql(attempt.event_id), attempt.attempt, or_null(next),
            or_null(delivered));
    };
    co_await transact(database_, work);
}

}  // namespace sycee
