#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/net/http_message.hpp>

#include <optional>

namespace sycee {

// The merchant whose API key the request carries ("Authorization: Bearer sk_live_..."). Nothing for
// a missing, malformed, unknown, wrong or revoked key: the caller can't tell which.
Task<std::optional<MerchantId>> authenticate(HttpRequest const& request, AccessPort& access);

}  // namespace sycee
