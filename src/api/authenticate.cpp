#include "authenticate.hpp"

#include <sycee/api/api_key.hpp>
#include <sycee/base/ascii.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/net/ip_network.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::string_view kScheme = "bearer ";

std::optional<ParsedApiKey> bearer_key(HttpRequest const& request) {
    std::string_view const value = request.header("authorization");
    if (!equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    return parse_api_key(value.substr(kScheme.size()));
}

Problem unauthorized() {
    return {.kind = kUnauthorized,
            .detail = "Send a valid API key: \"Authorization: Bearer sk_live_...\".",
            .headers = {{"www-authenticate", "Bearer"}}};
}

Problem wrong_address(std::string const& peer) {
    return {.kind = kAddressNotAllowed,
            .detail = "This API key may not be used from " + peer +
                      ". Keys are for the addresses that they were made for."};
}

bool is_allowed_from(ApiKey const& key, std::string const& peer) {
    if (key.allowed_addresses.empty()) return true;
    return std::ranges::any_of(key.allowed_addresses, [&peer](std::string const& text) {
        auto const network = IpNetwork::parse(text);
        return network && network->contains(peer);
    });
}

}  // namespace

Task<std::expected<Caller, Problem>> authenticate(HttpRequest const& request, ApiKeyPort& keys,
                                                  Timestamp now) {
    auto const sent = bearer_key(request);
    if (!sent) co_return std::unexpected(unauthorized());
    auto const key = co_await keys.find(sent->id);
    // An unknown id is compared all the same, so that the time tells nothing about which ids exist.
    Bytes32 const expected = key ? key->secret_hash : Bytes32{};
    bool const same = equal_in_constant_time(expected, sent->secret_hash);
    if (!key || !same || !key->is_valid(now)) co_return std::unexpected(unauthorized());
    // The secret under another prefix was changed by hand: whoever reads it would take it for what
    // it is not.
    bool const is_full = key->scopes.is_everything();
    if (is_full != (sent->kind == ApiKeyKind::full) || key->livemode != sent->livemode)
        co_return std::unexpected(unauthorized());
    if (!is_allowed_from(*key, request.peer)) {
        co_return std::unexpected(wrong_address(request.peer));
    }
    co_return Caller{.merchant_id = key->merchant_id,
                     .key_id = key->id,
                     .livemode = key->livemode,
                     .scopes = key->scopes};
}

Problem lacks_scope(Scope scope) {
    std::string const name(to_string(scope));
    // RFC 6750, 3.1.
    return {.kind = kForbidden,
            .detail = "This needs an API key with the scope " + name + ".",
            .headers = {{"www-authenticate",
                         "Bearer error=\"insufficient_scope\", scope=\"" + name + "\""}}};
}

}  // namespace sycee
