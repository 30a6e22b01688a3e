#include <sycee/app/payment_json.hpp>
#include <sycee/app/webhook_json.hpp>

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "whd_";

Json time_or_null(std::optional<Timestamp> time) {
    return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

Json attempt_json(DeliveryAttempt const& attempt) {
    Json json;
    json["attempt"] = attempt.attempt;
    json["at"] = to_rfc3339(attempt.at);
    json["duration_ms"] = attempt.duration.count();
    json["status"] = attempt.status == 0 ? Json(nullptr) : Json(attempt.status);
    json["error"] = attempt.error.empty() ? Json(nullptr) : Json(attempt.error);
    json["answer"] = attempt.answer;
    return json;
}

}  // namespace

Json webhook_endpoint_json(WebhookEndpoint const& endpoint, Timestamp now) {
    Json json;
    json["id"] = to_string(endpoint.id);
    json["object"] = "webhook_endpoint";
    json["url"] = endpoint.url;
    json["events"] = endpoint.event_types;
    json["description"] = endpoint.description.empty() ? Json(nullptr) : Json(endpoint.description);
    json["enabled"] = !endpoint.disabled_at;
    json["disabled_at"] = time_or_null(endpoint.disabled_at);
    json["disabled_reason"] = nullptr;
    if (endpoint.disabled_at) json["disabled_reason"] = to_string(endpoint.disabled_reason);
    json["previous_secret_until"] = nullptr;
    if (endpoint.previous_secret_until && *endpoint.previous_secret_until > now)
        json["previous_secret_until"] = to_rfc3339(*endpoint.previous_secret_until);
    json["created_at"] = to_rfc3339(endpoint.created_at);
    return json;
}

std::string delivery_id(DeliveryKey const& key) {
    return std::string(kPrefix) + to_base32(key.endpoint_id.uuid) + "_" +
           to_base32(key.event_id.uuid);
}

std::optional<DeliveryKey> parse_delivery_id(MerchantId merchant_id, std::string_view id) {
    if (!id.starts_with(kPrefix)) return std::nullopt;
    id.remove_prefix(kPrefix.size());
    auto const line = id.find('_');
    if (line == std::string_view::npos) return std::nullopt;
    auto const endpoint = uuid_from_base32(id.substr(0, line));
    auto const event = uuid_from_base32(id.substr(line + 1));
    if (!endpoint || !event) return std::nullopt;
    return DeliveryKey{merchant_id, {*endpoint}, {*event}};
}

Json webhook_delivery_json(WebhookDelivery const& delivery) {
    Json json;
    json["id"] = delivery_id(delivery.key);
    json["object"] = "webhook_delivery";
    json["endpoint"] = to_string(delivery.key.endpoint_id);
    json["event"] = {{"id", to_string(delivery.key.event_id)},
                     {"type", delivery.event_type},
                     {"created_at", to_rfc3339(delivery.created_at)}};
    json["status"] = to_string(delivery.state());
    json["attempt_count"] = delivery.attempts;
    json["next_attempt_at"] = time_or_null(delivery.next_attempt_at);
    json["delivered_at"] = time_or_null(delivery.delivered_at);
    return json;
}

Json webhook_delivery_json(DeliveryDetail const& detail, Network const& network) {
    Json json = webhook_delivery_json(detail.delivery);
    json["attempts"] = Json::array();
    for (DeliveryAttempt const& attempt : detail.attempts)
        json["attempts"].push_back(attempt_json(attempt));
    json["request_body"] = event_payload(detail.told, network);
    return json;
}

}  // namespace sycee
