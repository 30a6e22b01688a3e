#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/evm/address.hpp>

#include <cstdint>
#include <vector>

namespace sycee {

// Call data of the ERC-20 views that the gateway asks for: the selector, then words of 32 bytes.
std::vector<std::uint8_t> decimals_call();
std::vector<std::uint8_t> balance_of_call(Address const& holder);

// Reads the one word that such a call answers. Refused: anything but exactly 32 bytes (an address
// without code answers none), a value of 2^128 and above.
Result<Amount> decode_amount(ByteView answer);

}  // namespace sycee
