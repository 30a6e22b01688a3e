#include "webhook_rows.hpp"

#include <sycee/base/assert.hpp>

#include "values.hpp"

#include <sstream>

namespace sycee {
namespace {

std::optional<Timestamp> time_or_nothing(pqxx::field const& field) {
    if (field.is_null()) return std::nullopt;
    return time_of(field);
}

DeliveryKey key_of(pqxx::row const& row) {
    return {id_of<MerchantTag>(row["merchant_id"]), id_of<WebhookEndpointTag>(row["endpoint_id"]),
            id_of<EventTag>(row["event_id"])};
}

}  // namespace

std::vector<std::string> event_types_of(pqxx::field const& field) {
    std::istringstream text(field.c_str());
    std::vector<std::string> types;
    for (std::string type; text >> type;)
        types.push_back(type);
    return types;
}

std::string endpoint_columns(std::string const& table) {
    return table + ".merchant_id, " + table + ".endpoint_id, " + table + ".url, array_to_string(" +
           table + ".event_types, ' ') AS event_types, " + table + ".description, " + table +
           ".disabled_reason, " + time_column(table + ".disabled_at", "disabled_at") + ", " +
           time_column(table + ".previous_secret_until", "previous_secret_until") + ", " +
           time_column(table + ".created_at", "created_at");
}

WebhookEndpoint endpoint_of(pqxx::row const& row) {
    WebhookEndpoint endpoint{.merchant_id = id_of<MerchantTag>(row["merchant_id"]),
                             .id = id_of<WebhookEndpointTag>(row["endpoint_id"]),
                             .url = row["url"].c_str(),
                             .event_types = event_types_of(row["event_types"]),
                             .description = row["description"].c_str(),
                             .disabled_at = time_or_nothing(row["disabled_at"]),
                             .previous_secret_until = time_or_nothing(row["previous_secret_until"]),
                             .created_at = time_of(row["created_at"])};
    if (endpoint.disabled_at) {
        auto const reason = parse_disabled_reason(row["disabled_reason"].c_str());
        ensure(reason.has_value(), "store: an unknown reason in webhook_endpoints");
        endpoint.disabled_reason = *reason;
    }
    return endpoint;
}

void insert_endpoint(pqxx::work& tx, NewWebhookEndpoint const& created) {
    WebhookEndpoint const& endpoint = created.endpoint;
    PgArray types;
    for (std::string const& type : endpoint.event_types)
        types.add(type);
    tx.exec_params(
        "INSERT INTO webhook_endpoints (merchant_id, endpoint_id, url, event_types, description,"
        " secret_sealed, created_at)"
        " VALUES ($1, $2, $3, $4::text[], $5, $6, to_timestamp($7::bigint / 1000.0))",
        to_sql(endpoint.merchant_id), to_sql(endpoint.id), endpoint.url, types.str(),
        endpoint.description, to_sql(ByteView(created.sealed_secret)), to_sql(endpoint.created_at));
}

std::string delivery_columns(std::string const& table) {
    return table + ".merchant_id, " + table + ".endpoint_id, " + table + ".event_id, " + table +
           ".event_type, " + table + ".attempts, " +
           time_column(table + ".created_at", "created_at") + ", " +
           time_column(table + ".next_attempt_at", "next_attempt_at") + ", " +
           time_column(table + ".delivered_at", "delivered_at");
}

WebhookDelivery delivery_of(pqxx::row const& row) {
    return {.key = key_of(row),
            .event_type = row["event_type"].c_str(),
            .created_at = time_of(row["created_at"]),
            .attempts = row["attempts"].as<unsigned>(),
            .next_attempt_at = time_or_nothing(row["next_attempt_at"]),
            .delivered_at = time_or_nothing(row["delivered_at"])};
}

std::string attempt_columns(std::string const& table) {
    return table + ".merchant_id, " + table + ".endpoint_id, " + table + ".event_id, " + table +
           ".attempt, " + time_column(table + ".attempted_at", "attempted_at") + ", " + table +
           ".duration_ms, " + table + ".status, " + table + ".error, " + table + ".answer";
}

DeliveryAttempt attempt_of(pqxx::row const& row) {
    unsigned const status = row["status"].as<unsigned>();
    return {.key = key_of(row),
            .attempt = row["attempt"].as<unsigned>(),
            .at = time_of(row["attempted_at"]),
            .duration = std::chrono::milliseconds{row["duration_ms"].as<std::int64_t>()},
            .status = status,
            .error = row["error"].c_str(),
            .answer = row["answer"].c_str(),
            .delivered = status >= 200 && status < 300};
}

void give_up_deliveries(pqxx::work& tx, MerchantId merchant_id, WebhookEndpointId endpoint_id) {
    tx.exec_params(
        "UPDATE webhook_deliveries SET next_attempt_at = NULL"
        " WHERE merchant_id = $1 AND endpoint_id = $2 AND next_attempt_at IS NOT NULL",
        to_sql(merchant_id), to_sql(endpoint_id));
}

bool disable_endpoint(pqxx::work& tx, MerchantId merchant_id, WebhookEndpointId endpoint_id,
                      DisabledReason reason, Timestamp now) {
    auto const disabled = tx.exec_params(
        "UPDATE webhook_endpoints SET disabled_at = to_timestamp($3::bigint / 1000.0),"
        " disabled_reason = $4"
        " WHERE merchant_id = $1 AND endpoint_id = $2 AND disabled_at IS NULL",
        to_sql(merchant_id), to_sql(endpoint_id), to_sql(now), std::string(to_string(reason)));
    give_up_deliveries(tx, merchant_id, endpoint_id);
    return disabled.affected_rows() == 1;
}

}  // namespace sycee
