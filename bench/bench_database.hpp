#pragma once

#include <sycee/base/assert.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/database.hpp>
#include <sycee/store/pg_access.hpp>

#include <cstdlib>
#include <run_task.hpp>
#include <stdexcept>
#include <string>

namespace sycee::bench {

// The connection string of the empty database that scripts/with-postgres has made.
inline std::string database_url() {
    char const* url = std::getenv("SYCEE_TEST_DATABASE");
    if (url == nullptr) throw std::runtime_error("run this through bench/run");
    return url;
}

// `child`: the merchant's key is that child of one account, unlike any other's.
inline MerchantId create_merchant(boost::asio::io_context& io, Database& database,
                                  std::uint32_t child, Timestamp now) {
    auto const account = parse_extended_public_key(
        "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd"
        "5"
        "4JoNXVsXFYSYwHsnJxqP");
    MerchantId const id = new_id<MerchantTag>(now);
    NewMerchant merchant{.id = id,
                         .name = "Shop " + std::to_string(child),
                         .extended_public_key = derive_child(account.value(), child).value(),
                         .fees = {.basis_points = 50},
                         .webhook = {{{.merchant_id = id,
                                       .id = new_id<WebhookEndpointTag>(now),
                                       .url = "https://shop.example/webhook",
                                       .event_types = {std::string(kEveryEvent)},
                                       .created_at = now},
                                      {1, 2, 3}}},
                         .created_at = now};
    auto const created = run_task(io, PgAccess(database).create_merchant(std::move(merchant)));
    ensure(created.has_value(), "bench: no merchant was created");
    return id;
}

}  // namespace sycee::bench
