// Pins: which moments are read, and that everything else is refused by name.
#include "../../../src/main/moment.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Moment, ReadsADayAsItsEndAndASecondAsItself) {
    EXPECT_EQ(to_rfc3339(parse_moment("2026-11-26").value()), "2026-11-26T23:59:59.999Z");
    EXPECT_EQ(to_rfc3339(parse_moment("2024-02-29").value()), "2024-02-29T23:59:59.999Z");
    EXPECT_EQ(to_rfc3339(parse_moment("2026-11-26T10:00:07Z").value()), "2026-11-26T10:00:07Z");
    EXPECT_EQ(parse_moment("1970-01-01T00:00:00Z").value(), Timestamp{});
}

TEST(Moment, RefusesWhatIsNone) {
    for (char const* text : {"", "now", "2026-11-31", "2026-02-29", "2026-13-01",
                             "2026-11-26 10:00:00Z", "2026-11-26T24:00:00Z", "2026-11-26T10:60:00Z",
                             "2026-11-26T10:00:60Z", "2026-11-26T10:00:00+", "2026-11-26T10:00:0aZ",
                             "2026-1-26", "26-11-2026", "-026-11-26", "2026-11-26T10:00:00.5Z"}) {
        auto const moment = parse_moment(text);
        ASSERT_FALSE(moment) << text;
        EXPECT_TRUE(to_string(moment.error()).contains("neither a day")) << text;
    }
}

TEST(Span, ReadsAWholeNumberWithItsUnit) {
    using namespace std::chrono_literals;
    EXPECT_EQ(parse_span("0").value(), 0s);
    EXPECT_EQ(parse_span("0h").value(), 0s);
    EXPECT_EQ(parse_span("90s").value(), 90s);
    EXPECT_EQ(parse_span("30m").value(), 1'800s);
    EXPECT_EQ(parse_span("24h").value(), 86'400s);
    EXPECT_EQ(parse_span("7d").value(), 604'800s);
}

TEST(Span, RefusesWhatIsNone) {
    for (char const* text :
         {"", "h", "1", "24 h", "-1h", "+1h", "1.5h", "1w", "24H", "1h30m", " 1h", "1000000d"}) {
        EXPECT_FALSE(parse_span(text)) << text;
    }
}

}  // namespace
}  // namespace sycee
