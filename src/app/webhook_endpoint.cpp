#include <sycee/app/webhook_endpoint.hpp>

#include <array>

namespace sycee {
namespace {

constexpr std::array kReasons{DisabledReason::merchant, DisabledReason::gone};
constexpr std::array kStates{DeliveryState::pending, DeliveryState::delivered,
                             DeliveryState::failed};

template <class Values>
auto parse(Values const& values, std::string_view text)
    -> std::optional<typename Values::value_type> {
    for (auto const value : values) {
        if (to_string(value) == text) return value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(DisabledReason reason) {
    return reason == DisabledReason::gone ? "gone" : "merchant";
}

std::optional<DisabledReason> parse_disabled_reason(std::string_view text) {
    return parse(kReasons, text);
}

std::string_view to_string(DeliveryState state) {
    if (state == DeliveryState::pending) return "pending";
    return state == DeliveryState::delivered ? "delivered" : "failed";
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
    return parse(kStates, text);
}

}  // namespace sycee
