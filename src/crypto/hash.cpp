#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>

#include <cryptopp/keccak.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace sycee {
namespace {

template <std::size_t N>
Bytes<N> hmac(EVP_MD const* digest, ByteView key, ByteView data) {
    Bytes<N> result{};
    unsigned length = 0;
    auto const* const written = HMAC(digest, key.data(), static_cast<int>(key.size()), data.data(),
                                     data.size(), result.data(), &length);
    ensure(written != nullptr && length == N, "crypto: HMAC failed");
    return result;
}

}  // namespace

Bytes32 keccak256(ByteView data) {
    Bytes32 digest{};
    CryptoPP::Keccak_256 keccak;
    keccak.CalculateDigest(digest.data(), data.data(), data.size());
    return digest;
}

Bytes32 sha256(ByteView data) {
    Bytes32 digest{};
    SHA256(data.data(), data.size(), digest.data());
    return digest;
}

Bytes32 hmac_sha256(ByteView key, ByteView data) {
    return hmac<32>(EVP_sha256(), key, data);
}

Bytes<64> hmac_sha512(ByteView key, ByteView data) {
    return hmac<64>(EVP_sha512(), key, data);
}

bool equal_in_constant_time(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sycee
