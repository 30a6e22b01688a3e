#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/secret.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace sycee {

// What the first letters of a key tell whoever finds it: "sk_" may do everything, "rk_" has scopes.
enum class ApiKeyKind : std::uint8_t { full, restricted };

// A merchant's API key: "sk_live_" or "rk_live_", of a test merchant "sk_test_" or "rk_test_", 26
// letters of the key's public id, "_", and 43 letters that are the secret (base64url of 32 random
// bytes). The books keep the id and the SHA-256 of the secret's letters: with 256 random bits there
// is nothing that a slow hash would add.
struct ParsedApiKey {
    ApiKeyKind kind = ApiKeyKind::full;
    bool livemode = true;
    ApiKeyId id;
    Bytes32 secret_hash{};
};

// Nothing where the text has not the form of a key.
std::optional<ParsedApiKey> parse_api_key(std::string_view text);

struct NewApiKey {
    Secret text;  // shown once, to whoever asked for the key
    Bytes32 secret_hash{};
};

// Pure: the caller brings the random bytes.
NewApiKey make_api_key(ApiKeyId id, Bytes32 const& random, ApiKeyKind kind = ApiKeyKind::full,
                       bool livemode = true);

}  // namespace sycee
