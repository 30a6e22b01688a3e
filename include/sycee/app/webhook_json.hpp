#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/app/webhook_ports.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

nlohmann::ordered_json webhook_endpoint_json(WebhookEndpoint const& endpoint, Timestamp now);

// "whd_" with the endpoint's and the event's ids.
std::string delivery_id(DeliveryKey const& key);
std::optional<DeliveryKey> parse_delivery_id(MerchantId merchant_id, std::string_view id);

nlohmann::ordered_json webhook_delivery_json(WebhookDelivery const& delivery);
// With its attempts, and the body that is sent.
nlohmann::ordered_json webhook_delivery_json(DeliveryDetail const& detail, Network const& network);

}  // namespace sycee
