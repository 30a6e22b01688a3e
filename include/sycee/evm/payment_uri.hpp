#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/evm/address.hpp>

#include <optional>
#include <string>

namespace sycee {

// EIP-681 request to transfer a token: "ethereum:<token>@<chain
// id>/transfer?address=<to>&uint256=<n>". Plain integers without exponents and no other parameters,
// since parsers differ on both. A wallet may let its user change everything in it, so it only ever
// suggests. Without an amount, the wallet asks its user for one.
std::string payment_uri(ChainId chain_id, Address const& token, Address const& recipient,
                        std::optional<Amount> amount);

}  // namespace sycee
