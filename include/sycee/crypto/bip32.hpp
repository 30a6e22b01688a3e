#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sycee {

// A public key on secp256k1 in compressed form: 33 bytes, the first one 02 or 03.
using CompressedPublicKey = Bytes<33>;

// The 64 bytes x || y of a public key, as Ethereum hashes them for an address.
// Throws InvariantViolation if the key is not on the curve.
Bytes<64> uncompressed_point(CompressedPublicKey const& key);

// An extended public key (BIP-32, "xpub"). It derives the public keys below it and can spend
// nothing. Keep it confidential all the same: whoever has it sees every deposit address, and
// together with the private key of any one address below it gives the extended *private* key away.
struct ExtendedPublicKey {
    std::uint8_t depth = 0;
    Bytes<4> parent_fingerprint{};
    std::uint32_t child_number = 0;  // 2^31 and above: hardened
    Bytes32 chain_code{};
    CompressedPublicKey key{};

    bool operator==(ExtendedPublicKey const&) const = default;
};

// Reads Base58Check text, 111 letters. Refused with the reason: another version (a private key, a
// test network, SLIP-132's ypub and zpub), a wrong checksum, a point that is not on the curve, and
// depth 0 with a parent or a child number (BIP-32, test vector 5).
Result<ExtendedPublicKey> parse_extended_public_key(std::string_view text);

std::string to_string(ExtendedPublicKey const& key);

// Public derivation (CKDpub). Refused: a hardened index (2^31 and above), and the one index in
// 2^127 that has no key, where the caller takes the next one.
Result<ExtendedPublicKey> derive_child(ExtendedPublicKey const& parent, std::uint32_t index);

// uncompressed_point() of that child's key, in less time.
Result<Bytes<64>> derive_child_point(ExtendedPublicKey const& parent, std::uint32_t index);

}  // namespace sycee
