#pragma once

#include <sycee/base/result.hpp>
#include <sycee/base/secret.hpp>
#include <sycee/base/time.hpp>

#include <string>
#include <string_view>

// Signatures of Standard Webhooks (specification 1.0.0), symmetric: what every library of that name
// verifies.
namespace sycee {

// "whsec_" and the base64 of 24 to 64 bytes. No message quotes it.
Result<void> check_webhook_secret(Secret const& secret);

// "v1,<base64>": HMAC-SHA256 over "<id>.<seconds>.<body>". Refused: a secret that the check
// refuses.
Result<std::string> sign_webhook(Secret const& secret, std::string_view id, Timestamp time,
                                 std::string_view body);

}  // namespace sycee
