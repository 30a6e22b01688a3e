#pragma once

#include <sycee/base/result.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <string_view>

namespace sycee {

// A moment as an operator writes it: a day ("2026-11-26", its end, in UTC) or RFC 3339 in UTC with
// whole seconds ("2026-11-26T10:00:00Z"). Refused: anything else, and days that no calendar has.
Result<Timestamp> parse_moment(std::string_view text);

// A span of time as an operator writes it: a whole number of seconds, minutes, hours or days
// ("90s", "30m", "24h", "7d"), or "0".
Result<std::chrono::seconds> parse_span(std::string_view text);

}  // namespace sycee
