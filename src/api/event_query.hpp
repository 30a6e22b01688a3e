#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// Takes a number of the feed, after which to go on: what is wrong with it, or "".
std::string take_sequence(std::optional<std::uint64_t>& after, std::string_view value);

}  // namespace sycee
