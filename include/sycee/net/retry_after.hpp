#pragma once

#include <sycee/base/time.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace sycee {

// How long to wait, by a Retry-After header: seconds, or a date as RFC 9110 wants it ("Sun, 06 Nov
// 1994 08:49:37 GMT"), of which one that has passed is 0. At most `most`; nothing where the header
// is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Timestamp now,
                                                           std::chrono::milliseconds most);

}  // namespace sycee
