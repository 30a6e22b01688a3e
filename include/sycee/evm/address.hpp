#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/crypto/bip32.hpp>

#include <compare>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace sycee {

// An account or contract of an EVM chain: 20 bytes. The same bytes are the same key's account on
// every EVM chain, but a token contract is only known together with its chain id.
struct Address {
    Bytes20 bytes{};

    auto operator<=>(Address const&) const = default;
};

// With the checksum of EIP-55 in the case of its letters:
// "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".
std::string to_string(Address const& address);

// Reads 0x and 40 hex digits. All lower or all upper case is taken as it is; mixed case must carry
// the right EIP-55 checksum, so that a mistyped address is refused.
Result<Address> parse_address(std::string_view text);

// The last 20 bytes of Keccak-256 over the public key's coordinates.
Address address_of(CompressedPublicKey const& key);
Address address_of(Bytes<64> const& uncompressed_point);

}  // namespace sycee

template <>
struct std::hash<sycee::Address> {
    std::size_t operator()(sycee::Address const& address) const noexcept {
        // The tail: vanity addresses share their first bytes, and who grinds tails to collide in
        // our hash table must pay for a deposit address that we derived, which nobody chooses.
        std::size_t value = 0;
        std::memcpy(&value, address.bytes.data() + 12, sizeof value);
        return value;
    }
};
