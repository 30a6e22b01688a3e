#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/secret.hpp>

#include <string>
#include <vector>

namespace sycee {

// Seals the secrets that must be kept in a usable form (webhook signing keys), so that a dump of
// the database does not give them away: XSalsa20-Poly1305 of libsodium under a key that is kept in
// a file.
class SecretBox {
  public:
    explicit SecretBox(Bytes32 const& key) : key_(key) {}

    // 24 bytes of nonce, then the sealed text.
    std::vector<std::uint8_t> seal(Secret const& secret) const;
    // Refused where the bytes were not sealed under this key.
    Result<Secret> open(ByteView sealed) const;

  private:
    Bytes32 key_;
};

}  // namespace sycee
