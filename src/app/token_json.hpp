#pragma once

#include <sycee/app/settings.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace sycee {

// chain_id, network, token, contract, decimals; empty names and no decimals for a token that is
// not configured.
void add_token(nlohmann::ordered_json& json, ChainId chain_id, Address const& contract,
               Network const& network);
nlohmann::ordered_json token_json(ChainId chain_id, Address const& contract,
                                  Network const& network);

// The amount as a decimal, and in base units beside it. After add_token.
void add_amount(nlohmann::ordered_json& json, std::string const& name, Amount amount);

}  // namespace sycee
