#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/evm/address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// The address in a word: 20 bytes behind 12 zeros. Nothing for any other word.
std::optional<Address> address_from_word(Bytes32 const& word);

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

// A transfer that somebody asks a token contract for. Whether it happens, only a block says.
struct TransferCall {
    Address recipient;
    Amount amount;  // above zero
};

// The bytes of call data that decode_transfer_call() looks at.
constexpr std::size_t kLongestTransferCall = 4 + 3 * 32;

// Reads the call data of transfer(address,uint256) and transferFrom(address,address,uint256); what
// stands behind it is passed over, as the contracts do. Nothing for other functions, for data that
// is too short, and for what would never be booked: a word that is no address, an amount of zero or
// of 2^128 and above.
std::optional<TransferCall> decode_transfer_call(ByteView data);

}  // namespace sycee
