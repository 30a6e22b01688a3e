#include "authenticate.hpp"

#include <sycee/api/api_key.hpp>
#include <sycee/base/ascii.hpp>
#include <sycee/crypto/hash.hpp>

namespace sycee {
namespace {

constexpr std::string_view kScheme = "bearer ";

std::optional<ParsedApiKey> bearer_key(HttpRequest const& request) {
    std::string_view const value = request.header("authorization");
    if (!equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    return parse_api_key(value.substr(kScheme.size()));
}

}  // namespace

Task<std::optional<Caller>> authenticate(HttpRequest const& request, AccessPort& access) {
    auto const key = bearer_key(request);
    if (!key) co_return std::nullopt;
    auto const row = co_await access.find_api_key(key->id);
    // An unknown id is compared all the same, so that the time tells nothing about which ids exist.
    Bytes32 const expected = row ? row->secret_hash : Bytes32{};
    bool const same = equal_in_constant_time(expected, key->secret_hash);
    if (!row || !same || row->revoked_at) co_return std::nullopt;
    co_return Caller{row->merchant_id, row->id};
}

}  // namespace sycee
