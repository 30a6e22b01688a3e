#pragma once

#include <sycee/app/api_keys.hpp>
#include <sycee/net/http_message.hpp>

#include "problem.hpp"

#include <expected>

namespace sycee {

// Who asks: a merchant, by one of its keys.
struct Caller {
    MerchantId merchant_id;
    ApiKeyId key_id;
    bool livemode = true;  // that of the merchant, and of its key
    Scopes scopes;         // of the key
};

// The caller whose API key the request carries ("Authorization: Bearer sk_live_..."). The same
// problem for a missing, malformed, unknown, wrong, revoked or expired key: the caller can't tell
// which. Only whoever has the secret learns that the key is not for the address it asks from.
Task<std::expected<Caller, Problem>> authenticate(HttpRequest const& request, ApiKeyPort& keys,
                                                  Timestamp now);

// The problem of a key without that scope.
Problem lacks_scope(Scope scope);

}  // namespace sycee
