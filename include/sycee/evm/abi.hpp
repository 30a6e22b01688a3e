#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/evm/address.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

// Call data of the ERC-20 views that the gateway asks for: the selector, then words of 32 bytes.
std::vector<std::uint8_t> decimals_call();
std::vector<std::uint8_t> symbol_call();
std::vector<std::uint8_t> balance_of_call(Address const& holder);

// Reads the one word that such a call answers. Refused: anything but exactly 32 bytes (an address
// without code answers none), a value of 2^128 and above.
Result<Amount> decode_amount(ByteView answer);

// Reads a token's name for itself: a string of the ABI, or one word of text with zeros behind it as
// older tokens answer. Anybody may have written it: at most the first 32 bytes of it are kept.
// Refused: another shape, text that is not UTF-8, characters that steer a terminal or the direction
// of a line.
Result<std::string> decode_symbol(ByteView answer);

}  // namespace sycee
