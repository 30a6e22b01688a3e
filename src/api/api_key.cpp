#include <sycee/api/api_key.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/hash.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::string_view kFull = "sk_live_";
constexpr std::string_view kRestricted = "rk_live_";
constexpr std::size_t kPrefixLetters = kFull.size();
static_assert(kRestricted.size() == kPrefixLetters);
constexpr std::size_t kIdLetters = 26;
constexpr std::size_t kSecretLetters = 43;

bool is_base64url(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

}  // namespace

std::optional<ParsedApiKey> parse_api_key(std::string_view text) {
    // Cut by length: the secret's letters may be underscores too.
    if (text.size() != kPrefixLetters + kIdLetters + 1 + kSecretLetters) return std::nullopt;
    auto const prefix = text.substr(0, kPrefixLetters);
    if (prefix != kFull && prefix != kRestricted) return std::nullopt;
    text.remove_prefix(kPrefixLetters);
    auto const id = uuid_from_base32(text.substr(0, kIdLetters));
    auto const secret = text.substr(kIdLetters + 1);
    if (!id || text[kIdLetters] != '_' || !std::ranges::all_of(secret, is_base64url)) {
        return std::nullopt;
    }
    return ParsedApiKey{.kind = prefix == kFull ? ApiKeyKind::full : ApiKeyKind::restricted,
                        .id = ApiKeyId{*id},
                        .secret_hash = sha256(as_bytes(secret))};
}

NewApiKey make_api_key(ApiKeyId id, Bytes32 const& random, ApiKeyKind kind) {
    std::string const secret = to_base64url(random);
    return {Secret(std::string(kind == ApiKeyKind::full ? kFull : kRestricted) +
                   to_base32(id.uuid) + "_" + secret),
            sha256(as_bytes(secret))};
}

}  // namespace sycee
