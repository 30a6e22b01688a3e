// Pins: moments are read as they are written, and nothing else is taken for one.
#include <sycee/base/moment.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Rfc3339, is_read_as_it_is_written) {
    for (std::int64_t const millis : {0LL, 1LL, 999LL, 1'795'687'200'000LL, 4'102'444'799'250LL}) {
        Timestamp const time{std::chrono::milliseconds{millis}};
        EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << to_rfc3339(time);
    }
    EXPECT_EQ(parse_rfc3339("2026-11-26T10:00:00.500Z"),
              timestamp_from_seconds(1'795'687'200) + std::chrono::milliseconds(500));
    EXPECT_EQ(parse_rfc3339("2026-11-26T10:00:00.000Z"), timestamp_from_seconds(1'795'687'200));
    EXPECT_TRUE(parse_rfc3339("2028-02-29T23:59:59Z"));
}

TEST(Rfc3339, is_nothing_else) {
    for (auto const* text :
         {"", "2026-11-26", "2026-11-26T10:00:00", "2026-11-26T10:00:00z", "2026-11-26 10:00:00Z",
          "2026-11-26T10:00:00+00:00", "2026-11-26T10:00:00.5Z", "2026-11-26T10:00:00.5000Z",
          "2026-11-26T10:00:60Z", "2026-11-26T24:00:00Z", "2026-11-26T10:60:00Z",
          "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
          "2026-01-00T00:00:00Z", "+026-11-26T10:00:00Z", "2026-11-26T10:00:0 Z",
          "2026-11-26T10:00:00,500Z", "99999-11-26T10:00:0Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

}  // namespace
}  // namespace sycee
