#include <sycee/runtime/log.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <regex>

namespace sycee {
namespace {

std::string logged(std::function<void()> const& act) {
    ::testing::internal::CaptureStderr();
    act();
    return ::testing::internal::GetCapturedStderr();
}

// What follows the time.
std::string line_with_value(std::string_view value) {
    auto const line = logged([value] { log_info("net", "hello", {{"key", value}}); });
    return line.substr(line.find(' ') + 1);
}

TEST(Log, writes_one_line_with_utc_time_level_component_message_and_fields) {
    auto const line = logged([] {
        log_warning("follow", "a head came", {{"chain", 8453}, {"node", "https://a.example"}});
    });
    std::regex const expected(
        R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning follow a head came )"
        R"(chain=8453 node=https://a\.example\n)");
    EXPECT_TRUE(std::regex_match(line, expected)) << line;
}

TEST(Log, no_value_can_forge_a_line_or_a_field) {
    struct Row {
        std::string_view value;
        std::string_view written;
    };
    std::vector<Row> const rows{
        {"plain-1.2/3", "key=plain-1.2/3"},
        {"", R"(key="")"},
        {"two words", R"(key="two words")"},
        {"a=b", R"(key="a=b")"},
        {"a\nb", R"(key="a\nb")"},
        {"a\r\nb", R"(key="a\x0d\nb")"},
        {"say \"hi\" \\", R"(key="say \"hi\" \\")"},
        {"\x1b[2J", R"(key="\x1b[2J")"},
        {"\xc2\x9b", R"(key="\xc2\x9b")"},
        {"\xe2\x80\xae", R"(key="\xe2\x80\xae")"},
        {std::string_view("a\0b", 3), R"(key="a\x00b")"},
        {"{} %v %n", R"(key="{} %v %n")"},
    };
    for (auto const& row : rows) {
        EXPECT_EQ(line_with_value(row.value), "info net hello " + std::string(row.written) + "\n");
    }
}

TEST(Log, cleans_message_and_key_too) {
    auto const line = logged([] { log_error("net", "one\ntwo", {{"k\ney", "v"}}); });
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
    EXPECT_TRUE(line.contains(R"(one\ntwo k\ney=v)")) << line;
}

TEST(Log, shortens_a_long_value) {
    auto const line = line_with_value(std::string(100'000, 'x'));
    EXPECT_LT(line.size(), 1100U);
    EXPECT_TRUE(line.ends_with("xxx...\"\n")) << line;
}

TEST(Log, is_silent_below_its_level) {
    auto const write_both = [] {
        log_debug("net", "quiet");
        log_info("net", "loud");
    };
    EXPECT_FALSE(logged(write_both).contains("quiet"));
    EXPECT_TRUE(set_log_level("debug"));
    EXPECT_TRUE(logged(write_both).contains("quiet"));
    EXPECT_TRUE(set_log_level("error"));
    EXPECT_EQ(logged(write_both), "");
    EXPECT_FALSE(set_log_level("loud"));
    set_log_level(LogLevel::info);
}

}  // namespace
}  // namespace sycee
