// Pins: how far a verification is, without a flood of lines where it goes to a log.
#include <gtest/gtest.h>

#include <verify_progress.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr VerifyProgress kHalf{.journals = 1'200,
                               .journals_done = 3,
                               .all_records = 20'000,
                               .records = 10'001,
                               .postings = 999};

TEST(VerifyProgress, is_said_in_one_line) {
    EXPECT_EQ(progress_text(kHalf, 2s),
              "verified 10,001 of 20,000 records (50 %) and 999 postings, 3 of 1,200 journals "
              "done, 5,500 a second");
}

TEST(VerifyProgress, is_whole_where_there_is_nothing_and_never_more) {
    EXPECT_EQ(progress_text({}, 0s),
              "verified 0 of 0 records (100 %) and 0 postings, 0 of 0 journals done, 0 a second");
    EXPECT_NE(progress_text({.all_records = 1, .records = 9}, 1s).find("(100 %)"),
              std::string::npos);
}

TEST(VerifyProgress, is_a_line_every_few_seconds_in_a_log) {
    std::vector<std::string> written;
    VerifyMeter::Time const start{};
    VerifyMeter meter(false, start, [&](std::string const& text) { written.push_back(text); });
    for (auto after = 0ms; after < 12s; after += 10ms)
        meter.show(kHalf, start + after);
    meter.end();
    EXPECT_EQ(written,
              (std::vector{progress_text(kHalf, 5s) + "\n", progress_text(kHalf, 10s) + "\n"}));
}

TEST(VerifyProgress, is_written_over_on_a_terminal_and_erased_at_the_end) {
    std::string written;
    VerifyMeter::Time const start{};
    VerifyMeter meter(true, start, [&](std::string const& text) { written += text; });
    meter.end();
    EXPECT_EQ(written, "");
    meter.show(kHalf, start + 400ms);
    meter.show(kHalf, start + 600ms);
    meter.show(kHalf, start + 700ms);
    meter.end();
    EXPECT_EQ(written, "\r\x1b[K" + progress_text(kHalf, 600ms) + "\r\x1b[K");
}

}  // namespace
}  // namespace sycee
