#include <sycee/base/assert.hpp>
#include <sycee/crypto/signing.hpp>

#include <secp256k1.h>

#include <memory>

namespace sycee {
namespace {

// What the library does with a private key takes the same time for every key.
secp256k1_context const* curve() {
    static std::unique_ptr<secp256k1_context, decltype(&secp256k1_context_destroy)> const context(
        secp256k1_context_create(SECP256K1_CONTEXT_NONE), &secp256k1_context_destroy);
    return context.get();
}

}  // namespace

Result<SigningKey> SigningKey::from_bytes(Bytes32 const& bytes) {
    secp256k1_pubkey point;
    if (secp256k1_ec_pubkey_create(curve(), &point, bytes.data()) != 1) {
        return refuse("signing key", "is not a private key of secp256k1");
    }
    CompressedPublicKey key{};
    std::size_t size = key.size();
    int const written =
        secp256k1_ec_pubkey_serialize(curve(), key.data(), &size, &point, SECP256K1_EC_COMPRESSED);
    ensure(written == 1 && size == key.size(), "crypto: a public key could not be serialized");
    return SigningKey(bytes, key);
}

Signature SigningKey::sign(Bytes32 const& digest) const {
    secp256k1_ecdsa_signature made;
    int const done = secp256k1_ecdsa_sign(curve(), &made, digest.data(), bytes_.data(),
                                          secp256k1_nonce_function_rfc6979, nullptr);
    ensure(done == 1, "crypto: signing failed");
    Signature signature{};
    secp256k1_ecdsa_signature_serialize_compact(curve(), signature.data(), &made);
    return signature;
}

bool is_signed_by(CompressedPublicKey const& key, Bytes32 const& digest,
                  Signature const& signature) {
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature parsed;
    return secp256k1_ec_pubkey_parse(curve(), &point, key.data(), key.size()) == 1 &&
           secp256k1_ecdsa_signature_parse_compact(curve(), &parsed, signature.data()) == 1 &&
           secp256k1_ecdsa_verify(curve(), &parsed, digest.data(), &point) == 1;
}

}  // namespace sycee
