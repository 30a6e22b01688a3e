#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sycee {

// Wall-clock and chain time: milliseconds since 1970-01-01T00:00:00Z without leap seconds. Block
// times are whole seconds. Waits and deadlines use std::chrono durations instead.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

constexpr Timestamp timestamp_from_seconds(std::int64_t seconds) {
    return Timestamp{std::chrono::seconds{seconds}};
}
constexpr std::int64_t to_unix_seconds(Timestamp time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
constexpr std::int64_t to_unix_milliseconds(Timestamp time) {
    return time.time_since_epoch().count();
}

// RFC 3339 in UTC with milliseconds only where they are not zero: "2026-11-23T09:33:26Z".
std::string to_rfc3339(Timestamp time);

}  // namespace sycee
