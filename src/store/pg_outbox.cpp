#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/store/pg_outbox.hpp>

#include "bulk_insert.hpp"
#include "event_rows.hpp"
#include "months.hpp"
#include "payment_rows.hpp"
#include "planned.hpp"
#include "session.hpp"
#include "values.hpp"
#include "webhook_rows.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sycee {
namespace {

// Deliveries by their keys, for unnest().
class DeliveryKeys {
  public:
    void add(DeliveryKey const& key) {
        merchants_.add(key.merchant_id);
        endpoints_.add(key.endpoint_id);
        events_.add(key.event_id);
        is_empty_ = false;
    }
    bool empty() const { return is_empty_; }
    std::string merchants() const { return merchants_.str(); }
    std::string endpoints() const { return endpoints_.str(); }
    std::string events() const { return events_.str(); }

  private:
    PgArray merchants_;
    PgArray endpoints_;
    PgArray events_;
    bool is_empty_ = true;
};

struct Due {
    std::size_t count = 0;  // of all that is due, up to the limit
    std::vector<PendingDelivery> deliveries;
    DeliveryKeys untellable;
    DeliveryKeys waiting;
    DeliveryKeys unwanted;
};

// What of a month that was taken out of the database can be told once it is read back.
constexpr std::chrono::hours kUntilReadBack{1};

// Without waiting for the disk: what the server loses in a crash of its own is made, or sent,
// again. The event itself was committed with its record, and waited for.
void answer_early(pqxx::work& tx) {
    tx.exec("SET LOCAL synchronous_commit = off");
}

void attempt_at(pqxx::work& tx, DeliveryKeys const& keys, std::optional<Timestamp> next) {
    std::optional<std::string> at;
    if (next) at = to_sql(*next);
    tx.exec_params(
        "UPDATE webhook_deliveries d SET next_attempt_at = to_timestamp($4::bigint / 1000.0)"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS k(merchant_id, endpoint_id, event_id)"
        " WHERE (d.merchant_id, d.endpoint_id, d.event_id) ="
        " (k.merchant_id, k.endpoint_id, k.event_id)",
        keys.merchants(), keys.endpoints(), keys.events(), at ? at->c_str() : nullptr);
}

std::vector<std::vector<std::uint8_t>> secrets_of(pqxx::row const& row) {
    std::vector<std::vector<std::uint8_t>> secrets{byte_vector_of(row["secret_sealed"])};
    if (!row["previous_secret"].is_null())
        secrets.push_back(byte_vector_of(row["previous_secret"]));
    return secrets;
}

PendingDelivery pending_of(pqxx::row const& row) {
    WebhookDelivery const delivery = delivery_of(row);
    PendingDelivery pending;
    pending.told.event.id = delivery.key.event_id;
    pending.told.event.merchant_id = delivery.key.merchant_id;
    pending.told.event.type = delivery.event_type;
    pending.told.event.created_at = delivery.created_at;
    pending.endpoint_id = delivery.key.endpoint_id;
    pending.url = row["url"].c_str();
    pending.sealed_secrets = secrets_of(row);
    pending.attempts = delivery.attempts;
    pending.failures = row["failures"].as<unsigned>();
    return pending;
}

using EventKey = std::pair<MerchantId, EventId>;

EventKey key_of(OutboxEvent const& event) {
    return {event.merchant_id, event.id};
}

// What of the deliveries can be told from what was just booked, with today's words.
std::map<EventKey, ToldEvent> tell_booked(pqxx::transaction_base& tx, JustBooked const* just_booked,
                                          std::vector<PendingDelivery> const& deliveries,
                                          std::set<Month> const& missing) {
    if (just_booked == nullptr) return {};
    std::map<EventKey, JustBooked::Event> booked;
    std::set<PaymentKey> payments;
    for (PendingDelivery const& delivery : deliveries) {
        OutboxEvent const& event = delivery.told.event;
        auto found = just_booked->find(event.merchant_id, event.id);
        if (!found || missing.contains(month_number(found->payment->id))) continue;
        payments.insert({event.merchant_id, found->payment->id});
        booked.emplace(key_of(event), std::move(*found));
    }
    auto const words = load_words(tx, {payments.begin(), payments.end()});
    std::map<EventKey, ToldEvent> told;
    for (auto& [key, one] : booked) {
        auto const today = words.find({key.first, one.payment->id});
        if (today == words.end()) continue;
        Payment payment = *one.payment;
        payment.description = today->second.description;
        payment.metadata = today->second.metadata;
        try {
            told.emplace(key, tell(std::move(one.event), std::move(payment), *one.records));
        } catch (InvariantViolation const& violation) {
            // It is read back, and set aside if its rows say the same.
            log_critical("outbox", "what was just booked can't be told",
                         {{"event", to_string(key.second)}, {"why", violation.what()}});
        }
    }
    return told;
}

// The outbox's rows of these deliveries, but for those that are told already; of an event of its
// own (kTestEvent) none.
std::map<EventKey, OutboxEvent> load_events(pqxx::transaction_base& tx,
                                            std::vector<PendingDelivery> const& deliveries,
                                            std::map<EventKey, ToldEvent> const& told) {
    std::map<EventKey, OutboxEvent> events;
    PgArray merchants;
    PgArray ids;
    EventId first{};
    EventId last{};
    bool any = false;
    for (PendingDelivery const& delivery : deliveries) {
        OutboxEvent const& event = delivery.told.event;
        if (event.type == kTestEvent || told.contains(key_of(event))) continue;
        first = any ? std::min(first, event.id) : event.id;
        any = true;
        last = std::max(last, event.id);
        merchants.add(event.merchant_id);
        ids.add(event.id);
    }
    if (!any) return events;
    for (auto const& row :
         exec_planned(tx,
                      "SELECT DISTINCT ON (e.event_id, e.merchant_id) " + event_columns("e") +
                          " FROM all_outbox_events e JOIN unnest($1::uuid[], $2::uuid[])"
                          " AS k(merchant_id, event_id) USING (merchant_id, event_id)"
                          " WHERE e.event_id BETWEEN $3 AND $4",
                      merchants.str(), ids.str(), to_sql(first), to_sql(last))) {
        OutboxEvent event = event_of(row);
        auto const key = key_of(event);
        events.emplace(key, std::move(event));
    }
    return events;
}

// Gives them the words of their events. Books that contradict themselves about one payment must not
// silence every shop: such a delivery is attempted no more, and has failed.
void tell_deliveries(pqxx::transaction_base& tx, std::vector<PendingDelivery> pending,
                     JustBooked const* just_booked, Due& due) {
    auto const missing = missing_months(tx);
    auto const booked = tell_booked(tx, just_booked, pending, missing);
    auto const stored = load_events(tx, pending, booked);
    std::vector<OutboxEvent> events;
    std::vector<std::size_t> places;
    std::vector<bool> is_told(pending.size());
    for (std::size_t i = 0; i < pending.size(); ++i) {
        OutboxEvent const& event = pending[i].told.event;
        if (event.type == kTestEvent) {
            is_told[i] = true;
            continue;
        }
        if (auto const found = booked.find(key_of(event)); found != booked.end()) {
            pending[i].told = found->second;
            is_told[i] = true;
            continue;
        }
        auto const found = stored.find(key_of(event));
        if (found == stored.end()) {
            log_critical("outbox", "a delivery is set aside: its event is not there",
                         {{"event", to_string(event.id)}});
            due.untellable.add(pending[i].key());
            continue;
        }
        Month const month = month_number(found->second.payment_id);
        if (missing.contains(month)) {
            log_warning("outbox", "an event waits for its payment's month to be read back",
                        {{"event", to_string(event.id)}, {"month", month}});
            due.waiting.add(pending[i].key());
            continue;
        }
        events.push_back(found->second);
        places.push_back(i);
    }
    auto told = tell_all(tx, std::move(events));
    for (std::size_t i = 0; i < told.size(); ++i) {
        PendingDelivery& delivery = pending[places[i]];
        if (told[i]) {
            delivery.told = std::move(*told[i]);
            is_told[places[i]] = true;
            continue;
        }
        log_critical("outbox", "an event can't be told and is set aside: " + told[i].error(),
                     {{"event", to_string(delivery.told.event.id)}});
        due.untellable.add(delivery.key());
    }
    for (std::size_t i = 0; i < pending.size(); ++i) {
        if (is_told[i]) due.deliveries.push_back(std::move(pending[i]));
    }
}

Due read_due(pqxx::transaction_base& tx, PgArray const& left_out, Timestamp now, std::size_t limit,
             JustBooked const* just_booked) {
    Due due;
    std::vector<PendingDelivery> pending;
    for (auto const& row :
         exec_planned(tx,
                      "SELECT " + delivery_columns("d") +
                          ", d.failures, w.url, w.secret_sealed, w.disabled_at IS NULL AS"
                          " is_wanted, CASE WHEN w.previous_secret_until >"
                          " to_timestamp($1::bigint / 1000.0) THEN w.previous_secret_sealed END"
                          " AS previous_secret FROM webhook_deliveries d"
                          " LEFT JOIN webhook_endpoints w USING (merchant_id, endpoint_id)"
                          " WHERE d.next_attempt_at <= to_timestamp($1::bigint / 1000.0)"
                          " AND d.endpoint_id <> ALL ($3::uuid[])"
                          " ORDER BY d.next_attempt_at, d.event_id, d.endpoint_id LIMIT $2",
                      to_sql(now), limit, left_out.str())) {
        ++due.count;
        // Made while the endpoint was disabled or deleted.
        if (row["url"].is_null() || !row["is_wanted"].as<bool>()) {
            due.unwanted.add(delivery_of(row).key);
        } else {
            pending.push_back(pending_of(row));
        }
    }
    if (!pending.empty()) tell_deliveries(tx, std::move(pending), just_booked, due);
    return due;
}

}  // namespace

// Of two processes that do so at once, each takes other events; what one of them did not commit is
// as it was before.
Task<std::size_t> PgOutbox::fan_out(Timestamp now, std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        answer_early(tx);
        auto const given = tx.exec_params(
            "WITH waiting AS (SELECT merchant_id, event_id, type, created_at FROM outbox_events"
            "  WHERE next_attempt_at <= to_timestamp($1::bigint / 1000.0)"
            "  ORDER BY next_attempt_at, event_id LIMIT $2 FOR UPDATE SKIP LOCKED),"
            " made AS (INSERT INTO webhook_deliveries (merchant_id, endpoint_id, event_id,"
            "   event_type, created_at, next_attempt_at)"
            "  SELECT e.merchant_id, w.endpoint_id, e.event_id, e.type, e.created_at,"
            "   CASE WHEN w.disabled_at IS NULL THEN e.created_at END"
            "  FROM waiting e JOIN webhook_endpoints w USING (merchant_id)"
            "  WHERE w.event_types && ARRAY[e.type, '*'] ON CONFLICT DO NOTHING)"
            " UPDATE outbox_events e SET next_attempt_at = NULL FROM waiting w"
            " WHERE (e.merchant_id, e.event_id) = (w.merchant_id, w.event_id)",
            to_sql(now), limit);
        return static_cast<std::size_t>(given.affected_rows());
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<PendingDelivery>> PgOutbox::due(std::vector<WebhookEndpointId> beside,
                                                 Timestamp now, std::size_t limit) {
    PgArray left_out;
    for (WebhookEndpointId const& id : beside)
        left_out.add(id);
    for (;;) {
        auto read = [&](SnapshotTransaction& tx) {
            return read_due(tx, left_out, now, limit, just_booked_);
        };
        Due due = co_await transact<SnapshotTransaction>(database_, read);
        if (due.untellable.empty() && due.waiting.empty() && due.unwanted.empty())
            co_return std::move(due.deliveries);
        auto set_aside = [&](pqxx::work& tx) {
            attempt_at(tx, due.untellable, std::nullopt);
            attempt_at(tx, due.unwanted, std::nullopt);
            attempt_at(tx, due.waiting, now + kUntilReadBack);  // nobody was asked
        };
        co_await transact(database_, set_aside);
        // What is left of a full page would look as if there were no more.
        if (due.count < limit) co_return std::move(due.deliveries);
    }
}

Task<void> PgOutbox::record(std::vector<DeliveryAttempt> attempts) {
    if (attempts.empty()) co_return;
    auto work = [&](pqxx::work& tx) {
        answer_early(tx);
        auto const by_event = [](DeliveryAttempt const& one, DeliveryAttempt const& other) {
            return one.key.event_id < other.key.event_id;
        };
        auto const [first, last] = std::ranges::minmax_element(attempts, by_event);
        std::string const range = " BETWEEN '" + to_sql(first->key.event_id) + "' AND '" +
                                  to_sql(last->key.event_id) + "'";
        std::vector<PgArray> arrays(11);
        for (DeliveryAttempt const& attempt : attempts) {
            arrays[0].add(attempt.key.merchant_id);
            arrays[1].add(attempt.key.endpoint_id);
            arrays[2].add(attempt.key.event_id);
            arrays[3].add(attempt.attempt);
            arrays[4].add(attempt.at);
            arrays[5].add(attempt.duration.count());
            arrays[6].add(attempt.status);
            arrays[7].add(attempt.error);
            arrays[8].add(attempt.answer);
            arrays[9].add(attempt.next_attempt_at);
            arrays[10].add(attempt.delivered ? std::string("true") : std::string("false"));
        }
        // Whoever else changes an endpoint or its deliveries locks the endpoint first, too.
        tx.exec_params(
            "SELECT FROM webhook_endpoints WHERE (merchant_id, endpoint_id) IN"
            " (SELECT * FROM unnest($1::uuid[], $2::uuid[]))"
            " ORDER BY merchant_id, endpoint_id FOR UPDATE",
            arrays[0].str(), arrays[1].str());
        // Another process may have sent it as well: the later word counts, or the better one.
        exec_arrays(
            tx,
            "WITH made AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[],"
            "  $5::bigint[], $6::integer[], $7::smallint[], $8::text[], $9::text[], $10::bigint[],"
            "  $11::boolean[]) AS a(merchant_id, endpoint_id, event_id, attempt, at, duration_ms,"
            "  status, error, answer, next_at, delivered)),"
            " logged AS (INSERT INTO webhook_attempts (merchant_id, endpoint_id, event_id, attempt,"
            "   attempted_at, duration_ms, status, error, answer)"
            "  SELECT merchant_id, endpoint_id, event_id, attempt, to_timestamp(at / 1000.0),"
            "   duration_ms, status, error, answer FROM made ON CONFLICT DO NOTHING)"
            " UPDATE webhook_deliveries d SET attempts = greatest(d.attempts, a.attempt),"
            "  failures = CASE WHEN a.delivered THEN 0 ELSE d.failures + 1 END,"
            "  next_attempt_at = to_timestamp(a.next_at / 1000.0),"
            "  delivered_at = CASE WHEN a.delivered THEN to_timestamp(a.at / 1000.0) END"
            " FROM made a WHERE (d.merchant_id, d.endpoint_id, d.event_id) ="
            "  (a.merchant_id, a.endpoint_id, a.event_id) AND d.event_id" +
                range + " AND (d.attempts < a.attempt OR a.delivered)",
            arrays);
        for (DeliveryAttempt const& attempt : attempts) {
            if (!attempt.endpoint_is_gone) continue;
            disable_endpoint(tx, attempt.key.merchant_id, attempt.key.endpoint_id,
                             DisabledReason::gone, attempt.at);
        }
    };
    co_await transact(database_, work);
}

}  // namespace sycee
