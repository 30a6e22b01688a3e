#include "token_json.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

void add_token(nlohmann::ordered_json& json, ChainId chain_id, Address const& contract,
               Network const& network) {
    ChainSettings const* chain = network.chain(chain_id);
    TokenSettings const* token = network.token(chain_id, contract);
    json["chain_id"] = chain_id;
    json["network"] = chain == nullptr ? "" : chain->name;
    json["token"] = token == nullptr ? "" : token->symbol;
    json["contract"] = to_string(contract);
    json["decimals"] = token == nullptr ? 0 : token->decimals;
}

nlohmann::ordered_json token_json(ChainId chain_id, Address const& contract,
                                  Network const& network) {
    nlohmann::ordered_json json;
    add_token(json, chain_id, contract, network);
    return json;
}

void add_amount(nlohmann::ordered_json& json, std::string const& name, Amount amount) {
    json[name] = to_decimal(amount, json.at("decimals").get<unsigned>());
    json[name + "_base_units"] = to_string(amount);
}

}  // namespace sycee
