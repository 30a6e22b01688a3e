#pragma once

#include <sycee/app/refund_ports.hpp>
#include <sycee/app/settings.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// "ref_1_42": the chain and the record that promised. With the merchant it names a promise.
std::string refund_id(RefundKey const& key);
std::optional<RefundKey> parse_refund_id(MerchantId merchant_id, std::string_view id);

// A refund as the API shows it. `claim_url`: see there (RefundClaims); empty: it needs none.
nlohmann::ordered_json refund_json(RefundDetail const& refund, Network const& network,
                                   std::string const& claim_url);

}  // namespace sycee
