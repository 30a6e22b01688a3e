#include <sycee/base/ascii.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Ascii, changes_the_case_of_ascii_letters_alone) {
    EXPECT_EQ(lower_case("Content-TYPE ÄZ[@"), "content-type Äz[@");
    EXPECT_TRUE(equal_ignoring_case("ChunkeD", "chunked"));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));
    EXPECT_FALSE(equal_ignoring_case("a", "ab"));
}

TEST(Ascii, trims_spaces_and_tabs) {
    EXPECT_EQ(trimmed(" \ta b\t "), "a b");
    EXPECT_EQ(trimmed("a"), "a");
    EXPECT_EQ(trimmed(" \t"), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Ascii, takes_part_by_part) {
    std::string_view rest = "a;;b";
    EXPECT_EQ(take_until(rest, ';'), "a");
    EXPECT_EQ(take_until(rest, ';'), "");
    EXPECT_EQ(take_until(rest, ';'), "b");
    EXPECT_EQ(rest, "");
    EXPECT_EQ(take_until(rest, ';'), "");
}

}  // namespace
}  // namespace sycee
