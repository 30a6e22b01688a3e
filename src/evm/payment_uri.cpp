#include <sycee/evm/payment_uri.hpp>

namespace sycee {

std::string payment_uri(ChainId chain_id, Address const& token, Address const& recipient,
                        std::optional<Amount> amount) {
    return "ethereum:" + to_string(token) + "@" + std::to_string(chain_id) +
           "/transfer?address=" + to_string(recipient) +
           (amount ? "&uint256=" + to_string(*amount) : "");
}

}  // namespace sycee
