#pragma once

#include <sycee/base/bytes.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// Base58Check as BIP-32 uses it: the payload, then the first 4 bytes of its double SHA-256.
std::string to_base58_check(ByteView payload);

// The payload; nothing for a letter outside the alphabet, a wrong checksum or more than 200
// letters.
std::optional<std::vector<std::uint8_t>> from_base58_check(std::string_view text);

}  // namespace sycee
