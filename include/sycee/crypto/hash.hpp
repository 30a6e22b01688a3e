#pragma once

#include <sycee/base/bytes.hpp>

#include <string>
#include <string_view>

namespace sycee {

// Keccak-256 as Ethereum uses it: the original padding, not that of FIPS 202's SHA3-256.
Bytes32 keccak256(ByteView data);

// FIPS 180-4.
Bytes32 sha256(ByteView data);

// RFC 2104 with SHA-256 and SHA-512.
Bytes32 hmac_sha256(ByteView key, ByteView data);
Bytes<64> hmac_sha512(ByteView key, ByteView data);

// Compares in a time that does not depend on where the first difference is. Different lengths are
// unequal at once: a length is never the secret.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace sycee
