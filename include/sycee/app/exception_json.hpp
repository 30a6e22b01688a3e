#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// "exc_1_42": the chain and the record that put the money on the desk. Unique for one merchant, who
// is known from elsewhere.
std::string exception_id(DeskKey const& key);
std::optional<DeskKey> parse_exception_id(MerchantId merchant_id, std::string_view id);

// An exception as a shop sees it (schema Exception in api/openapi.yaml).
nlohmann::ordered_json exception_json(DeskException const& exception, Network const& network);

}  // namespace sycee
