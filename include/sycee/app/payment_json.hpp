#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/payment/state.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace sycee {

// A payment as a shop sees it, in API answers and in events alike (schema Payment in
// api/openapi.yaml). Amounts are decimal strings; base units where the name says so.
nlohmann::ordered_json payment_json(PaymentState const& state, PaymentStatus status,
                                    Network const& network);

// The body of a webhook: {type, timestamp, data}, as Standard Webhooks asks for.
std::string event_payload(ToldEvent const& told, Network const& network);

std::string checkout_url(PaymentId id, Network const& network);

}  // namespace sycee
