#include <sycee/base/assert.hpp>
#include <sycee/store/pg_webhooks.hpp>

#include "book_writer.hpp"
#include "event_rows.hpp"
#include "idempotency_rows.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"
#include "webhook_rows.hpp"

#include <algorithm>

namespace sycee {
namespace {

constexpr int kMostAttempts = 1'000;  // of one delivery, with all that were asked for

std::optional<WebhookEndpoint> find_endpoint(pqxx::transaction_base& tx, MerchantId merchant_id,
                                             WebhookEndpointId id, char const* lock = "") {
    auto const rows = tx.exec_params("SELECT " + endpoint_columns("w") +
                                         " FROM webhook_endpoints w"
                                         " WHERE merchant_id = $1 AND endpoint_id = $2" +
                                         lock,
                                     to_sql(merchant_id), to_sql(id));
    if (rows.empty()) return std::nullopt;
    return endpoint_of(rows[0]);
}

// The smallest id of an event that was created then.
EventId first_event_id(Timestamp time) {
    return {make_uuid_v7(std::max(time, Timestamp{}), {})};
}

char const* condition_of(DeliveryFilter const& filter) {
    if (!filter.state) return "";
    switch (*filter.state) {
        case DeliveryState::pending:
            return " AND d.next_attempt_at IS NOT NULL";
        case DeliveryState::delivered:
            return " AND d.next_attempt_at IS NULL AND d.delivered_at IS NOT NULL";
        case DeliveryState::failed:
            break;
    }
    return " AND d.next_attempt_at IS NULL AND d.delivered_at IS NULL";
}

std::string is_delivery(std::string const& table) {
    return " " + table + ".merchant_id = $1 AND " + table + ".endpoint_id = $2 AND " + table +
           ".event_id = $3";
}

// Its words, where its payment's month is in the database.
ToldEvent load_told(pqxx::transaction_base& tx, WebhookDelivery const& delivery) {
    ToldEvent told;
    told.event.id = delivery.key.event_id;
    told.event.merchant_id = delivery.key.merchant_id;
    told.event.type = delivery.event_type;
    told.event.created_at = delivery.created_at;
    if (delivery.event_type == kTestEvent) return told;
    auto const rows =
        tx.exec_params("SELECT " + event_columns("e") +
                           " FROM all_outbox_events e WHERE e.merchant_id = $1 AND e.event_id = $2",
                       to_sql(delivery.key.merchant_id), to_sql(delivery.key.event_id));
    ensure(!rows.empty(), "store: the event of a delivery is not there");
    OutboxEvent event = event_of(rows[0]);
    require_present(tx, {{event.merchant_id, event.payment_id}});
    auto words = tell_all(tx, {std::move(event)});
    ensure(words.at(0).has_value(), "store: an event can't be told");
    return std::move(*words[0]);
}

}  // namespace

Task<bool> PgWebhooks::create(NewWebhookEndpoint endpoint, std::size_t most,
                              std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) {
        // Two at once would not see each other, nor would a booking see it that is committed later.
        lock_feed(tx, endpoint.endpoint.merchant_id);
        auto const count =
            tx.exec_params1("SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $1",
                            to_sql(endpoint.endpoint.merchant_id));
        if (count[0].as<std::size_t>() >= most) return false;
        insert_endpoint(tx, endpoint);
        write_claim(tx, endpoint.endpoint.merchant_id, claim, endpoint.endpoint.created_at);
        return true;
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<WebhookEndpoint>> PgWebhooks::list(MerchantId merchant_id) {
    auto work = [&](pqxx::work& tx) {
        std::vector<WebhookEndpoint> endpoints;
        for (auto const& row : tx.exec_params("SELECT " + endpoint_columns("w") +
                                                  " FROM webhook_endpoints w"
                                                  " WHERE merchant_id = $1 ORDER BY endpoint_id",
                                              to_sql(merchant_id)))
            endpoints.push_back(endpoint_of(row));
        return endpoints;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<WebhookEndpoint>> PgWebhooks::find(MerchantId merchant_id,
                                                      WebhookEndpointId id) {
    auto work = [&](pqxx::work& tx) { return find_endpoint(tx, merchant_id, id); };
    co_return co_await transact(database_, work);
}

Task<std::optional<NewWebhookEndpoint>> PgWebhooks::find_sealed(MerchantId merchant_id,
                                                                WebhookEndpointId id) {
    auto work = [&](pqxx::work& tx) -> std::optional<NewWebhookEndpoint> {
        auto const rows = tx.exec_params("SELECT " + endpoint_columns("w") +
                                             ", w.secret_sealed FROM webhook_endpoints w"
                                             " WHERE merchant_id = $1 AND endpoint_id = $2",
                                         to_sql(merchant_id), to_sql(id));
        if (rows.empty()) return std::nullopt;
        return NewWebhookEndpoint{endpoint_of(rows[0]), byte_vector_of(rows[0]["secret_sealed"])};
    };
    co_return co_await transact(database_, work);
}

Task<bool> PgWebhooks::change(MerchantId merchant_id, WebhookEndpointId id, EndpointChange change,
                              Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        lock_feed(tx, merchant_id);  // what is booked from now on goes by the change
        auto const before = find_endpoint(tx, merchant_id, id, " FOR UPDATE");
        if (!before) return false;
        PgArray types;
        for (std::string const& type : change.event_types.value_or(before->event_types))
            types.add(type);
        tx.exec_params(
            "UPDATE webhook_endpoints SET url = $3, event_types = $4::text[], description = $5"
            " WHERE merchant_id = $1 AND endpoint_id = $2",
            to_sql(merchant_id), to_sql(id), change.url.value_or(before->url), types.str(),
            change.description.value_or(before->description));
        if (change.is_enabled == false && !before->disabled_at) {
            disable_endpoint(tx, merchant_id, id, DisabledReason::merchant, now);
        } else if (change.is_enabled == true) {
            tx.exec_params(
                "UPDATE webhook_endpoints SET disabled_at = NULL, disabled_reason = NULL"
                " WHERE merchant_id = $1 AND endpoint_id = $2",
                to_sql(merchant_id), to_sql(id));
        }
        return true;
    };
    co_return co_await transact(database_, work);
}

Task<bool> PgWebhooks::remove(MerchantId merchant_id, WebhookEndpointId id) {
    auto work = [&](pqxx::work& tx) {
        auto const removed = tx.exec_params(
            "DELETE FROM webhook_endpoints WHERE merchant_id = $1 AND endpoint_id = $2",
            to_sql(merchant_id), to_sql(id));
        give_up_deliveries(tx, merchant_id, id);
        return removed.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

Task<bool> PgWebhooks::rotate(MerchantId merchant_id, WebhookEndpointId id,
                              std::vector<std::uint8_t> sealed_secret,
                              std::optional<Timestamp> previous_until, Timestamp now,
                              std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) {
        std::optional<std::string> until;
        if (previous_until) until = to_sql(*previous_until);
        auto const rotated = tx.exec_params(
            "UPDATE webhook_endpoints SET secret_sealed = $3, previous_secret_sealed ="
            "  CASE WHEN $4::bigint IS NOT NULL THEN secret_sealed END,"
            " previous_secret_until = to_timestamp($4::bigint / 1000.0)"
            " WHERE merchant_id = $1 AND endpoint_id = $2",
            to_sql(merchant_id), to_sql(id), to_sql(ByteView(sealed_secret)),
            until ? until->c_str() : nullptr);
        if (rotated.affected_rows() == 0) return false;
        write_claim(tx, merchant_id, claim, now);
        return true;
    };
    co_return co_await transact(database_, work);
}

Task<DeliveryPage> PgWebhooks::deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                          DeliveryFilter filter, std::optional<EventId> after,
                                          std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        DeliveryPage page;
        std::string const older =
            after ? " AND d.event_id < '" + to_sql(*after) + "'" : std::string();
        for (auto const& row :
             tx.exec_params("SELECT " + delivery_columns("d") +
                                " FROM all_webhook_deliveries d WHERE d.merchant_id = $1"
                                " AND d.endpoint_id = $2" +
                                older + condition_of(filter) + " ORDER BY d.event_id DESC LIMIT $3",
                            to_sql(merchant_id), to_sql(id), limit + 1))
            page.deliveries.push_back(delivery_of(row));
        page.has_more = page.deliveries.size() > limit;
        if (page.has_more) page.deliveries.pop_back();
        return page;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<DeliveryDetail>> PgWebhooks::find_delivery(DeliveryKey key) {
    auto work = [&](SnapshotTransaction& tx) -> std::optional<DeliveryDetail> {
        if (!find_endpoint(tx, key.merchant_id, key.endpoint_id)) return std::nullopt;
        auto const rows =
            tx.exec_params("SELECT " + delivery_columns("d") +
                               " FROM all_webhook_deliveries d WHERE" + is_delivery("d"),
                           to_sql(key.merchant_id), to_sql(key.endpoint_id), to_sql(key.event_id));
        if (rows.empty()) return std::nullopt;
        DeliveryDetail detail{.delivery = delivery_of(rows[0])};
        detail.told = load_told(tx, detail.delivery);
        for (auto const& row : tx.exec_params(
                 "SELECT " + attempt_columns("a") + " FROM all_webhook_attempts a WHERE" +
                     is_delivery("a") + " ORDER BY a.attempt DESC LIMIT 100",
                 to_sql(key.merchant_id), to_sql(key.endpoint_id), to_sql(key.event_id)))
            detail.attempts.push_back(attempt_of(row));
        std::ranges::reverse(detail.attempts);
        return detail;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<bool> PgWebhooks::add_test(DeliveryKey key, Timestamp now,
                                std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) {
        auto const added = tx.exec_params(
            "INSERT INTO webhook_deliveries (merchant_id, endpoint_id, event_id, event_type,"
            " created_at, next_attempt_at)"
            " SELECT merchant_id, endpoint_id, $3, $4, to_timestamp($5::bigint / 1000.0),"
            "  to_timestamp($5::bigint / 1000.0) FROM webhook_endpoints"
            " WHERE merchant_id = $1 AND endpoint_id = $2 AND disabled_at IS NULL",
            to_sql(key.merchant_id), to_sql(key.endpoint_id), to_sql(key.event_id),
            std::string(kTestEvent), to_sql(now));
        if (added.affected_rows() == 0) return false;
        write_claim(tx, key.merchant_id, claim, now);
        return true;
    };
    co_return co_await transact(database_, work);
}

Task<Redelivered> PgWebhooks::redeliver(DeliveryKey key, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        auto const endpoint = find_endpoint(tx, key.merchant_id, key.endpoint_id, " FOR UPDATE");
        if (!endpoint) return Redelivered::no_such_delivery;
        auto const rows = tx.exec_params(
            "SELECT d.attempts FROM all_webhook_deliveries d WHERE" + is_delivery("d"),
            to_sql(key.merchant_id), to_sql(key.endpoint_id), to_sql(key.event_id));
        if (rows.empty()) return Redelivered::no_such_delivery;
        if (endpoint->disabled_at) return Redelivered::endpoint_disabled;
        if (rows[0][0].as<int>() >= kMostAttempts) return Redelivered::too_often;
        auto const asked = tx.exec_params(
            "UPDATE webhook_deliveries d SET failures = 0, delivered_at = NULL,"
            " next_attempt_at = to_timestamp($4::bigint / 1000.0) WHERE" +
                is_delivery("d"),
            to_sql(key.merchant_id), to_sql(key.endpoint_id), to_sql(key.event_id), to_sql(now));
        return asked.affected_rows() == 1 ? Redelivered::yes : Redelivered::archived;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<RedeliveredMany>> PgWebhooks::redeliver_failed(MerchantId merchant_id,
                                                                  WebhookEndpointId id,
                                                                  Timestamp since, Timestamp now,
                                                                  std::size_t limit) {
    auto work = [&](pqxx::work& tx) -> std::optional<RedeliveredMany> {
        auto const endpoint = find_endpoint(tx, merchant_id, id, " FOR UPDATE");
        if (!endpoint || endpoint->disabled_at) return std::nullopt;
        auto const asked = tx.exec_params(
            "UPDATE webhook_deliveries d SET failures = 0,"
            " next_attempt_at = to_timestamp($5::bigint / 1000.0)"
            " FROM (SELECT event_id FROM webhook_deliveries WHERE merchant_id = $1"
            "   AND endpoint_id = $2 AND event_id >= $3 AND next_attempt_at IS NULL"
            "   AND delivered_at IS NULL AND attempts < $6 ORDER BY event_id LIMIT $4) AS failed"
            " WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.event_id = failed.event_id"
            "  AND d.event_id >= $3",
            to_sql(merchant_id), to_sql(id), to_sql(first_event_id(since)), limit, to_sql(now),
            kMostAttempts);
        auto const count = static_cast<std::size_t>(asked.affected_rows());
        return RedeliveredMany{.count = count, .has_more = count == limit};
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
