#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Where a merchant's events are posted to, and what came of it.
namespace sycee {

struct WebhookEndpointTag {
    static constexpr std::string_view prefix = "we";
};
using WebhookEndpointId = Id<WebhookEndpointTag>;

// In the place of the types: all there are, and all there will be.
inline constexpr std::string_view kEveryEvent = "*";
// Sent to one endpoint when its merchant asks for it. No payment's, and in no outbox.
inline constexpr std::string_view kTestEvent = "webhook.test";

enum class DisabledReason : std::uint8_t {
    merchant,  // asked for it
    gone,      // the shop answered 410
};
std::string_view to_string(DisabledReason reason);
std::optional<DisabledReason> parse_disabled_reason(std::string_view text);

// One of a merchant's shops. Its secret is not among this: it is given to whoever creates or
// rotates it, and to the signer.
struct WebhookEndpoint {
    MerchantId merchant_id;
    WebhookEndpointId id;
    std::string url;
    std::vector<std::string> event_types;  // or kEveryEvent alone
    std::string description;
    std::optional<Timestamp> disabled_at;  // nothing: enabled
    DisabledReason disabled_reason = DisabledReason::merchant;
    // Until then the secret before this one signs as well.
    std::optional<Timestamp> previous_secret_until;
    Timestamp created_at{};

    bool operator==(WebhookEndpoint const&) const = default;
};

struct NewWebhookEndpoint {
    WebhookEndpoint endpoint;
    std::vector<std::uint8_t> sealed_secret;
};

// One event for one endpoint.
struct DeliveryKey {
    MerchantId merchant_id;
    WebhookEndpointId endpoint_id;
    EventId event_id;

    auto operator<=>(DeliveryKey const&) const = default;
};

enum class DeliveryState : std::uint8_t {
    pending,
    delivered,
    failed,  // given up, or the endpoint was disabled
};
std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);

struct WebhookDelivery {
    DeliveryKey key;
    std::string event_type;
    Timestamp created_at{};  // of the event
    unsigned attempts = 0;   // made so far
    std::optional<Timestamp> next_attempt_at;
    std::optional<Timestamp> delivered_at;

    DeliveryState state() const {
        if (next_attempt_at) return DeliveryState::pending;
        return delivered_at ? DeliveryState::delivered : DeliveryState::failed;
    }
};

struct DeliveryAttempt {
    DeliveryKey key;
    unsigned attempt = 0;  // from 1
    Timestamp at{};
    std::chrono::milliseconds duration{};
    unsigned status = 0;  // of the answer; 0: none came
    std::string error;
    std::string answer;  // the beginning of its body, as UTF-8; whatever the shop likes to say
    std::optional<Timestamp> next_attempt_at;  // nothing: delivered, or given up
    bool delivered = false;
    bool endpoint_is_gone = false;  // it is disabled, and nothing more is sent to it
};

}  // namespace sycee
