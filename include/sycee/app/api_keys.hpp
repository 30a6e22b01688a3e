#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/runtime/task.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// One thing that an API key may do. To write does not include to read.
enum class Scope : std::uint8_t {
    payments_read,
    payments_write,
    refunds_read,
    refunds_write,
    exceptions_read,
    exceptions_write,
    statements_read,
    fee_invoices_read,
    events_read,
    webhooks_read,
    webhooks_write,
};

// In the order of the enumeration. The names are part of the contract and stand in the database.
inline constexpr std::array<std::string_view, 11> kScopeNames{
    "payments:read",   "payments:write",   "refunds:read",    "refunds:write",
    "exceptions:read", "exceptions:write", "statements:read", "fee_invoices:read",
    "events:read",     "webhooks:read",    "webhooks:write"};

constexpr std::string_view to_string(Scope scope) {
    return kScopeNames.at(static_cast<std::size_t>(scope));
}
std::optional<Scope> parse_scope(std::string_view name);

// What a key may do.
class Scopes {
  public:
    // Also what a later version adds: that of a full key. A key with every scope there is now stays
    // a restricted one.
    static constexpr Scopes everything() {
        Scopes scopes;
        scopes.everything_ = true;
        return scopes;
    }
    constexpr Scopes& add(Scope scope) {
        bits_ |= bit(scope);
        return *this;
    }
    constexpr Scopes& remove(Scope scope) {
        bits_ &= ~bit(scope);
        return *this;
    }
    constexpr bool is_everything() const { return everything_; }
    constexpr bool has(Scope scope) const { return everything_ || (bits_ & bit(scope)) != 0; }
    // "*" alone for everything.
    std::vector<std::string_view> names() const;

    bool operator==(Scopes const&) const = default;

  private:
    static constexpr std::uint32_t bit(Scope scope) {
        return std::uint32_t{1} << static_cast<unsigned>(scope);
    }

    bool everything_ = false;
    std::uint32_t bits_ = 0;
};

// Refused: an empty list would be a key for nothing, "*" stands alone, names are as in kScopeNames.
std::optional<Scopes> parse_scopes(std::vector<std::string> const& names);

constexpr std::size_t kMostAllowedAddresses = 50;

// A merchant's key, without its secret.
struct ApiKey {
    ApiKeyId id;
    MerchantId merchant_id;
    bool livemode = true;  // that of the merchant
    std::string label;
    Bytes32 secret_hash{};
    Scopes scopes;
    std::vector<std::string> allowed_addresses;  // networks, as "192.0.2.0/24"; none: from anywhere
    Timestamp created_at{};
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> revoked_at;
    std::optional<Timestamp> last_used_at;  // may lag by a minute
    std::optional<ApiKeyId> replaced_by;    // by its rotation

    bool is_valid(Timestamp now) const { return !revoked_at && (!expires_at || now < *expires_at); }
};

struct ApiKeyUse {
    ApiKeyId id;
    Timestamp at{};
};

class ApiKeyPort {
  public:
    virtual ~ApiKeyPort() = default;
    // As it is now: a key that was revoked is so with the next request.
    virtual Task<std::optional<ApiKey>> find(ApiKeyId id) = 0;
    virtual Task<void> note_uses(std::vector<ApiKeyUse> uses) = 0;
};

}  // namespace sycee
