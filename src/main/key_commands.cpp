#include "key_commands.hpp"

#include <sycee/api/api_key.hpp>
#include <sycee/net/ip_network.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_api_keys.hpp>

#include "moment.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <optional>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kRefused = 2;
constexpr std::chrono::days kMostOverlap{7};
constexpr std::size_t kMostLabelBytes = 200;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

std::string joined(auto const& texts) {
    std::string all;
    for (auto const& text : texts) {
        if (!all.empty()) all += ", ";
        all += text;
    }
    return all;
}

Result<ApiKeyId> parse_key_id(std::string const& text) {
    auto const id = parse_id<ApiKeyTag>(text);
    if (!id) return refuse("key", "\"" + text + "\" is not a key's id (key_…)");
    return *id;
}

Result<MerchantId> parse_merchant_id(std::string const& text) {
    auto const id = parse_id<MerchantTag>(text);
    if (!id) return refuse("merchant", "\"" + text + "\" is not a merchant's id (mer_…)");
    return *id;
}

Result<Scopes> scopes_of(std::vector<std::string> const& names) {
    if (names.empty()) return Scopes::everything();
    auto const scopes = parse_scopes(names);
    if (!scopes) {
        return refuse("scope", "must be of " + joined(kScopeNames) + ", not " + joined(names));
    }
    return *scopes;
}

Result<std::vector<std::string>> networks_of(std::vector<std::string> const& addresses) {
    if (addresses.size() > kMostAllowedAddresses) {
        return refuse("address", "a key takes at most " + std::to_string(kMostAllowedAddresses));
    }
    std::vector<std::string> networks;
    for (auto const& address : addresses) {
        auto const network = IpNetwork::parse(address);
        if (!network) return std::unexpected(network.error());
        networks.push_back(network->text());
    }
    return networks;
}

Result<std::optional<Timestamp>> end_of(std::string const& text, Timestamp now) {
    if (text.empty()) return std::nullopt;
    auto const moment = parse_moment(text);
    if (!moment) return refuse("expires", moment.error().message);
    if (*moment <= now) return refuse("expires", "\"" + text + "\" has passed");
    return *moment;
}

// What the key is made of beside its id and secret.
Result<ApiKey> key_of(KeyInput const& input, Timestamp now) {
    ApiKey key;
    auto const merchant_id = parse_merchant_id(input.merchant);
    if (!merchant_id) return std::unexpected(merchant_id.error());
    if (input.label.size() > kMostLabelBytes) {
        return refuse("label", "has more than " + std::to_string(kMostLabelBytes) + " bytes");
    }
    auto const scopes = scopes_of(input.scopes);
    if (!scopes) return std::unexpected(scopes.error());
    auto networks = networks_of(input.addresses);
    if (!networks) return std::unexpected(networks.error());
    auto const end = end_of(input.expires, now);
    if (!end) return std::unexpected(end.error());
    key.merchant_id = *merchant_id;
    key.label = input.label;
    key.scopes = *scopes;
    key.allowed_addresses = std::move(*networks);
    key.created_at = now;
    key.expires_at = *end;
    return key;
}

// Never the secret, nor its hash.
Json key_json(ApiKey const& key) {
    auto const time = [](std::optional<Timestamp> const& at) {
        return at ? Json(to_rfc3339(*at)) : Json(nullptr);
    };
    return {{"id", to_string(key.id)},
            {"merchant", to_string(key.merchant_id)},
            {"livemode", key.livemode},
            {"label", key.label},
            {"scopes", key.scopes.names()},
            {"allowed_addresses", key.allowed_addresses},
            {"created_at", to_rfc3339(key.created_at)},
            {"last_used_at", time(key.last_used_at)},
            {"expires_at", time(key.expires_at)},
            {"revoked_at", time(key.revoked_at)},
            {"replaced_by", key.replaced_by ? Json(to_string(*key.replaced_by)) : Json(nullptr)}};
}

std::string standing_text(ApiKey const& key, Timestamp now) {
    if (key.revoked_at) return "revoked " + to_rfc3339(*key.revoked_at);
    if (!key.expires_at) return "valid";
    return (key.is_valid(now) ? "valid until " : "expired ") + to_rfc3339(*key.expires_at);
}

void show(ApiKey const& key, Timestamp now) {
    std::cout << to_string(key.id) << "  " << standing_text(key, now) << "\n"
              << "  merchant   " << to_string(key.merchant_id) << "\n"
              << "  label      " << key.label << "\n"
              << "  may        " << joined(key.scopes.names()) << "\n"
              << "  from       "
              << (key.allowed_addresses.empty() ? "anywhere" : joined(key.allowed_addresses))
              << "\n"
              << "  created    " << to_rfc3339(key.created_at) << "\n"
              << "  last used  " << (key.last_used_at ? to_rfc3339(*key.last_used_at) : "never")
              << "\n";
    if (key.replaced_by) std::cout << "  replaced   by " << to_string(*key.replaced_by) << "\n";
}

ApiKeyKind kind_of(Scopes const& scopes) {
    return scopes.is_everything() ? ApiKeyKind::full : ApiKeyKind::restricted;
}

void show_new(ApiKey const& key, Secret const& text, bool json) {
    if (json) {
        Json shown = key_json(key);
        shown["key"] = text.reveal();
        std::cout << shown.dump(2) << "\n";
    } else {
        std::cout << "Key id   " << to_string(key.id) << "\nMay      " << joined(key.scopes.names())
                  << "\nAPI key  " << text.reveal()
                  << "\n\nShown only now: Sycee keeps its hash alone.\n";
    }
}

}  // namespace

Task<int> create_key(Config config, KeyInput input, bool json) {
    Timestamp const now = SystemClock().now();
    auto key = key_of(input, now);
    if (!key) co_return refused(key.error());
    Database database(config.database_url, 1);
    PgApiKeys keys(database);
    auto const livemode = co_await keys.livemode_of(key->merchant_id);
    if (!livemode) co_return refused({"merchant", "there is no merchant " + input.merchant});
    key->livemode = *livemode;
    key->id = new_id<ApiKeyTag>(now);
    auto const made =
        make_api_key(key->id, random_bytes<32>(), kind_of(key->scopes), key->livemode);
    key->secret_hash = made.secret_hash;
    auto const created = co_await keys.create(*key);
    if (!created) co_return refused(created.error());
    show_new(*key, made.text, json);
    co_return kDone;
}

Task<int> list_keys(Config config, std::string merchant, bool json) {
    std::optional<MerchantId> only;
    if (!merchant.empty()) {
        auto const id = parse_merchant_id(merchant);
        if (!id) co_return refused(id.error());
        only = *id;
    }
    Database database(config.database_url, 1);
    PgApiKeys keys(database);
    auto const found = co_await keys.list(only);
    Timestamp const now = SystemClock().now();
    Json rows = Json::array();
    for (auto const& key : found) {
        if (json) {
            rows.push_back(key_json(key));
        } else {
            show(key, now);
        }
    }
    if (json) {
        std::cout << rows.dump(2) << "\n";
    } else if (found.empty()) {
        std::cout << "There is no key yet: sycee key create --help\n";
    }
    co_return kDone;
}

Task<int> rotate_key(Config config, RotationInput input, bool json) {
    auto const old = parse_key_id(input.key);
    if (!old) co_return refused(old.error());
    auto const overlap = parse_span(input.overlap);
    if (!overlap) co_return refused({"overlap", overlap.error().message});
    if (*overlap > kMostOverlap) {
        co_return refused({"overlap", "must be at most 7d, not " + input.overlap});
    }
    Timestamp const now = SystemClock().now();
    auto const end = end_of(input.expires, now);
    if (!end) co_return refused(end.error());

    Database database(config.database_url, 1);
    PgApiKeys keys(database);
    // Its prefix tells what the old one may do, which nobody can change.
    auto const rotated = co_await keys.find(*old);
    if (!rotated) co_return refused({"key", "there is no key " + input.key});
    auto const id = new_id<ApiKeyTag>(now);
    auto const made =
        make_api_key(id, random_bytes<32>(), kind_of(rotated->scopes), rotated->livemode);
    auto const key = co_await keys.rotate(
        *old, {.id = id, .secret_hash = made.secret_hash, .expires_at = *end}, now, *overlap);
    if (!key) co_return refused(key.error());
    show_new(*key, made.text, json);
    if (!json) {
        std::cout << "\n"
                  << input.key << " is valid until " << to_rfc3339(now + *overlap)
                  << " at the latest.\n";
    }
    co_return kDone;
}

Task<int> revoke_key(Config config, std::string key) {
    auto const id = parse_key_id(key);
    if (!id) co_return refused(id.error());
    Database database(config.database_url, 1);
    PgApiKeys keys(database);
    if (!co_await keys.revoke(*id, SystemClock().now())) {
        co_return refused({"key", "there is no key " + key});
    }
    std::cout << "Revoked " << key << "\n";
    co_return kDone;
}

}  // namespace sycee
