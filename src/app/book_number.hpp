#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sycee {

// 1 .. 2^63-1, as the books count, in the one way in which it is written.
std::optional<std::uint64_t> parse_book_number(std::string_view text);

}  // namespace sycee
