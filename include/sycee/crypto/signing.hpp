#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/crypto/bip32.hpp>

namespace sycee {

// ECDSA on secp256k1: r || s, 32 bytes each, big-endian. s is in the lower half, so that nobody can
// make a second signature out of the first.
using Signature = Bytes<64>;

// A private key that signs what Sycee says about its books. It spends nothing: it has nothing to do
// with the keys of deposit addresses.
class SigningKey {
  public:
    // Refused: zero, and what is not below the order of the curve.
    static Result<SigningKey> from_bytes(Bytes32 const& bytes);

    CompressedPublicKey const& public_key() const { return public_key_; }
    // By RFC 6979: the same digest has always the same signature, and no random number can give the
    // key away.
    Signature sign(Bytes32 const& digest) const;

  private:
    SigningKey(Bytes32 const& bytes, CompressedPublicKey const& public_key)
        : bytes_(bytes), public_key_(public_key) {}

    Bytes32 bytes_;
    CompressedPublicKey public_key_;
};

// False for another digest, another key, a key that is not on the curve, and a signature whose s is
// in the upper half.
bool is_signed_by(CompressedPublicKey const& key, Bytes32 const& digest,
                  Signature const& signature);

}  // namespace sycee
