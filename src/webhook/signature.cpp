#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/webhook/signature.hpp>

#include <vector>

namespace sycee {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kShortestKey = 24;
constexpr std::size_t kLongestKey = 64;

Result<std::vector<std::uint8_t>> key_of(Secret const& secret) {
    std::string_view text = secret.reveal();
    if (!text.starts_with(kPrefix)) return refuse("secret", "must begin with whsec_");
    text.remove_prefix(kPrefix.size());
    auto key = from_base64(text);
    if (!key) return refuse("secret", "must be base64 with padding after whsec_");
    if (key->size() < kShortestKey || key->size() > kLongestKey) {
        return refuse("secret", "must hold 24 to 64 bytes, not " + std::to_string(key->size()));
    }
    return std::move(*key);
}

}  // namespace

Result<void> check_webhook_secret(Secret const& secret) {
    auto const key = key_of(secret);
    if (!key) return std::unexpected(key.error());
    return {};
}

Result<std::string> sign_webhook(Secret const& secret, std::string_view id, Timestamp time,
                                 std::string_view body) {
    auto const key = key_of(secret);
    if (!key) return std::unexpected(key.error());
    std::string content;
    content.reserve(id.size() + body.size() + 24);
    content.append(id).append(".").append(std::to_string(to_unix_seconds(time)));
    content.append(".").append(body);
    return "v1," + to_base64(hmac_sha256(*key, as_bytes(content)));
}

}  // namespace sycee
