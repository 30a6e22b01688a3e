#include <sycee/runtime/log.hpp>
#include <sycee/store/pg_outbox.hpp>

#include "event_rows.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {
namespace {

// Events by their keys, for unnest().
class EventKeys {
  public:
    void add(MerchantId merchant_id, EventId event_id) {
        merchants_.add(merchant_id);
        events_.add(event_id);
        is_empty_ = false;
    }
    bool empty() const { return is_empty_; }
    std::string merchants() const { return merchants_.str(); }
    std::string events() const { return events_.str(); }

  private:
    PgArray merchants_;
    PgArray events_;
    bool is_empty_ = true;
};

struct Due {
    std::vector<PendingDelivery> deliveries;
    EventKeys untellable;
    EventKeys waiting;
};

// What of a month that was taken out of the database can be told once it is read back.
constexpr std::chrono::hours kUntilReadBack{1};

// Books that contradict themselves about one payment must not silence every shop: the event is
// attempted no more, and stays in the outbox, not delivered.
void set_aside(pqxx::work& tx, EventKeys const& keys) {
    tx.exec_params(
        "UPDATE outbox_events e SET next_attempt_at = NULL"
        " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, event_id)"
        " WHERE (e.merchant_id, e.event_id) = (k.merchant_id, k.event_id)",
        keys.merchants(), keys.events());
}

// Not an attempt: nobody was asked.
void postpone(pqxx::work& tx, EventKeys const& keys, Timestamp until) {
    tx.exec_params(
        "UPDATE outbox_events e SET next_attempt_at = to_timestamp($3::bigint / 1000.0)"
        " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, event_id)"
        " WHERE (e.merchant_id, e.event_id) = (k.merchant_id, k.event_id)",
        keys.merchants(), keys.events(), to_sql(until));
}

}  // namespace

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
        Due due;
        auto const missing = missing_months(tx);
        std::vector<OutboxEvent> events;
        std::vector<pqxx::row> rows_of_events;
        for (auto const& row : rows) {
            OutboxEvent event = event_of(row);
            Month const month = month_number(event.payment_id);
            if (missing.contains(month)) {
                log_warning("outbox", "an event waits for its payment's month to be read back",
                            {{"event", to_string(event.id)}, {"month", month}});
                due.waiting.add(event.merchant_id, event.id);
                continue;
            }
            events.push_back(std::move(event));
            rows_of_events.push_back(row);
        }
        auto told = tell_all(tx, events);
        for (std::size_t i = 0; i < told.size(); ++i) {
            if (!told[i]) {
                log_critical("outbox",
                             "an event can't be told and is set aside: " + told[i].error(),
                             {{"event", to_string(events[i].id)}});
                due.untellable.add(events[i].merchant_id, events[i].id);
                continue;
            }
            auto const& row = rows_of_events[i];
            due.deliveries.push_back({.told = std::move(*told[i]),
                                      .url = text_of(row["webhook_url"]),
                                      .sealed_secret = byte_vector_of(row["webhook_secret_sealed"]),
                                      .attempts = row["attempts"].as<unsigned>()});
        }
        return due;
    };
    Due due = co_await transact<SnapshotTransaction>(database_, work);
    if (!due.untellable.empty()) {
        auto aside = [&due](pqxx::work& tx) { set_aside(tx, due.untellable); };
        co_await transact(database_, aside);
    }
    if (!due.waiting.empty()) {
        auto later = [&](pqxx::work& tx) { postpone(tx, due.waiting, now + kUntilReadBack); };
        co_await transact(database_, later);
    }
    co_return std::move(due.deliveries);
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
