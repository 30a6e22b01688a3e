#pragma once

#include <sycee/base/result.hpp>
#include <sycee/base/secret.hpp>

#include <string>

namespace sycee {

// argon2id with libsodium's interactive limits (2 passes, 64 MiB; OWASP ASVS 5 asks for at least
// 19): about 80 ms, so call it on a worker. The result holds salt and limits.
std::string hash_password(Secret const& password);
bool verify_password(std::string const& hash, Secret const& password);

// At least 12 characters, at most 256 bytes.
Result<void> check_new_password(Secret const& password);

}  // namespace sycee
