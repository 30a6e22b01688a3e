#pragma once

#include <sycee/base/bytes.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// RFC 4648, section 4: the standard alphabet with padding.
std::string to_base64(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

// RFC 4648, section 5: the URL-safe alphabet, without padding.
std::string to_base64url(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace sycee
