#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/base/amount.hpp>

#include <string>

namespace sycee {

// How amounts of tokens are written. A token that is not configured, or not any more, is counted in
// its base units.

// "USDT", or "base units of 0x…"
std::string token_name(Network const& network, ChainId chain_id, Address const& token);
// 0 for a token that is not configured.
unsigned token_decimals(Network const& network, ChainId chain_id, Address const& token);
// All decimals, so that columns line up: "50.000000"
std::string token_decimal(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount);
// "50.000000 USDT"
std::string token_amount(Network const& network, ChainId chain_id, Address const& token,
                         Amount amount);

}  // namespace sycee
