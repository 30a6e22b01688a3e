#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/net/http_message.hpp>

#include <optional>

namespace sycee {

// Who asks: a merchant, by one of its keys.
struct Caller {
    MerchantId merchant_id;
    ApiKeyId key_id;
};

// The caller whose API key the request carries ("Authorization: Bearer sk_live_..."). Nothing for
// a missing, malformed, unknown, wrong or revoked key: the caller can't tell which.
Task<std::optional<Caller>> authenticate(HttpRequest const& request, AccessPort& access);

}  // namespace sycee
