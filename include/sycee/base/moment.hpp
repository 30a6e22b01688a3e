#pragma once

#include <sycee/base/time.hpp>

#include <optional>
#include <string_view>

namespace sycee {

// What to_rfc3339() writes, and trailing zeros of the milliseconds besides: UTC, with a capital T
// and Z. Nothing for anything else, and for days that no calendar has.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace sycee
