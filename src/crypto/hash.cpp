#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>

#include <cryptopp/keccak.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

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

// Not by SHA256(): that looks the algorithm up again for each call, under a lock, which takes
// longer than to hash a record does.
Bytes32 sha256(ByteView data) {
    static std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> const algorithm(
        EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
    thread_local std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    Bytes32 digest{};
    bool const done = algorithm != nullptr && context != nullptr &&
                      EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    ensure(done, "crypto: SHA-256 failed");
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
