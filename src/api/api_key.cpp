#include <sycee/api/api_key.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/hash.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {

struct Prefix {
    std::string_view text;
    ApiKeyKind kind;
    bool livemode;
};
constexpr std::size_t kPrefixLetters = 8;
constexpr std::array kPrefixes{
    Prefix{"sk_live_", ApiKeyKind::full, true}, Prefix{"rk_live_", ApiKeyKind::restricted, true},
    Prefix{"sk_test_", ApiKeyKind::full, false}, Prefix{"rk_test_", ApiKeyKind::restricted, false}};
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
    auto const prefix = std::ranges::find(kPrefixes, text.substr(0, kPrefixLetters), &Prefix::text);
    if (prefix == kPrefixes.end()) return std::nullopt;
    text.remove_prefix(kPrefixLetters);
    auto const id = uuid_from_base32(text.substr(0, kIdLetters));
    auto const secret = text.substr(kIdLetters + 1);
    if (!id || text[kIdLetters] != '_' || !std::ranges::all_of(secret, is_base64url)) {
        return std::nullopt;
    }
    return ParsedApiKey{.kind = prefix->kind,
                        .livemode = prefix->livemode,
                        .id = ApiKeyId{*id},
                        .secret_hash = sha256(as_bytes(secret))};
}

NewApiKey make_api_key(ApiKeyId id, Bytes32 const& random, ApiKeyKind kind, bool livemode) {
    std::string const secret = to_base64url(random);
    auto const prefix = std::ranges::find_if(
        kPrefixes, [&](Prefix const& one) { return one.kind == kind && one.livemode == livemode; });
    return {Secret(std::string(prefix->text) + to_base32(id.uuid) + "_" + secret),
            sha256(as_bytes(secret))};
}

}  // namespace sycee
