#include <sycee/app/token_text.hpp>

namespace sycee {

std::string token_name(Network const& network, ChainId chain_id, Address const& token) {
    auto const* settings = network.token(chain_id, token);
    return settings == nullptr ? "base units of " + to_string(token) : settings->symbol;
}

unsigned token_decimals(Network const& network, ChainId chain_id, Address const& token) {
    auto const* settings = network.token(chain_id, token);
    return settings == nullptr ? 0 : settings->decimals;
}

std::string token_decimal(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount) {
    return to_decimal(amount, token_decimals(network, chain_id, token));
}

std::string token_amount(Network const& network, ChainId chain_id, Address const& token,
                         Amount amount) {
    return token_decimal(network, chain_id, token, amount) + " " +
           token_name(network, chain_id, token);
}

}  // namespace sycee
