#pragma once

#include <sycee/api/merchant_api.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/rate_settings.hpp>
#include <sycee/app/reconciler.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/crypto/signing.hpp>
#include <sycee/net/server_tls.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// Everything that the operator sets (config/sycee.example.toml explains each key). Read once, here.
struct Config {
    struct Server {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;
        std::uint16_t metrics_port = 0;  // on 127.0.0.1; 0: no metrics
        std::vector<std::string> trusted_proxies;
        std::filesystem::path tls_certificate_file;  // empty: plain HTTP
        std::filesystem::path tls_key_file;
    } server;
    std::string database_url;
    std::string database_owner_url;     // of the role that owns the tables; empty: as database_url
    std::string database_auditor_role;  // empty: none
    std::uint32_t database_connections = 3;
    std::uint32_t payments_per_transaction = 1'000;  // created together, at most
    std::filesystem::path key_file;
    std::filesystem::path signing_key_file;  // empty: no checkpoints, no receipts
    bool allow_private_webhook_addresses = false;
    ApiSettings api;
    DeskSettings desk;
    ReconciliationSettings reconciliation;
    RatesSettings rates;
    std::string log_level = "info";
    Network network;
};

using Environment = std::function<std::optional<std::string>(std::string const& name)>;

// Reads the TOML text. A key under a section is overridden by SYCEE_<SECTION>_<KEY>, as in
// SYCEE_DATABASE_URL. Relative paths are relative to `folder`. Refused with the line: unknown keys,
// wrong types, values out of range, two chains or tokens that are the same.
Result<Config> parse_config(std::string_view text, std::filesystem::path const& folder,
                            Environment const& environment);

// As above, from a file and this process's environment.
Result<Config> load_config(std::filesystem::path const& file);

// The 32 bytes that seal the secrets in the database: 64 hex digits in a file that only its owner
// can read.
Result<Bytes32> load_sealing_key(std::filesystem::path const& file);

// What the files of server.tls_certificate_file and tls_key_file hold; the key's is kept in the
// same way.
Result<TlsMaterial> load_tls_material(Config::Server const& server);

// The key that signs checkpoints, kept in the same way.
Result<SigningKey> load_signing_key(std::filesystem::path const& file);

}  // namespace sycee
