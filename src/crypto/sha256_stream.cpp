#include <sycee/base/assert.hpp>
#include <sycee/crypto/sha256_stream.hpp>

#include <openssl/evp.h>

namespace sycee {

struct Sha256Stream::State {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                    &EVP_MD_CTX_free};
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
    ensure(state_->context != nullptr &&
               EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1,
           "crypto: SHA-256 failed");
}
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::add(ByteView data) {
    ensure(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1,
           "crypto: SHA-256 failed");
}

Bytes32 Sha256Stream::finish() {
    Bytes32 digest{};
    ensure(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1,
           "crypto: SHA-256 failed");
    return digest;
}

}  // namespace sycee
