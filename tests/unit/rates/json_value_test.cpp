// Pins: a number in somebody's document is read as it is written there, or not at all.
#include "../../../src/rates/json_value.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

std::string read(std::string_view document, std::string_view pointer) {
    auto const steps = parse_json_pointer(pointer);
    if (!steps) return "pointer: " + to_string(steps.error());
    auto const values = read_json_values(document, {*steps});
    return values ? values->at(0) : to_string(values.error());
}

TEST(JsonValue, is_taken_digit_by_digit) {
    // More digits than a double has, and zeros that one drops.
    EXPECT_EQ(read(R"({"rates": {"EUR": 0.919963201471941100}})", "/rates/EUR"),
              "0.919963201471941100");
    EXPECT_EQ(read(R"({"rates": {"JPY": "156.250"}})", "/rates/JPY"), "156.250");
    EXPECT_EQ(read(R"({"v": 18446744073709551617})", "/v"), "18446744073709551617");
    EXPECT_EQ(read(R"({"v": 25})", "/v"), "25");
    EXPECT_EQ(read(R"({"v": -1})", "/v"), "-1");
    EXPECT_EQ(read(R"({"v": 1.5e-3})", "/v"), "1.5e-3");
}

TEST(JsonValue, is_found_by_the_whole_pointer) {
    constexpr std::string_view kDocument =
        R"({"a": [{"b": 1}, {"b": 2, "c": [3, [4, 5]]}], "b": 6, "x/y": {"m~n": 7}, "0": 8, "": 9})";
    EXPECT_EQ(read(kDocument, "/a/1/b"), "2");
    EXPECT_EQ(read(kDocument, "/a/1/c/1/0"), "4");
    EXPECT_EQ(read(kDocument, "/b"), "6");
    EXPECT_EQ(read(kDocument, "/x~1y/m~0n"), "7");
    EXPECT_EQ(read(kDocument, "/0"), "8");
    EXPECT_EQ(read(kDocument, "/"), "9");
    EXPECT_EQ(read("[[1], 2]", "/0/0"), "1");
}

TEST(JsonValue, is_refused_where_it_is_not_one_number) {
    EXPECT_EQ(read(R"({"a": 1})", "/b"), "has nothing where a number is looked for");
    EXPECT_EQ(read(R"({"a": {"b": 1}})", "/b"), "has nothing where a number is looked for");
    EXPECT_EQ(read(R"({"a": [1]})", "/a/01"), "has nothing where a number is looked for");
    for (auto const* value : {"null", "true", "{}", "[1]"}) {
        EXPECT_EQ(read(std::string(R"({"a": )") + value + "}", "/a"),
                  "has no number where one is looked for")
            << value;
    }
    EXPECT_EQ(read(R"({"a": 1, "a": 2})", "/a"), "has a value twice");
    EXPECT_EQ(read(R"({"o": {"a": 1}, "o": {"a": 1}})", "/o/a"), "has a value twice");
}

TEST(JsonValue, is_refused_where_the_document_is_none) {
    for (auto const* document : {"", "{", R"({"a": 1)", R"({"a": 1}{})", R"({"a": 01})",
                                 R"({"a": NaN})", "{\"a\": 1e999}"})
        EXPECT_EQ(read(document, "/a"), "is not JSON") << document;
    EXPECT_EQ(read(std::string(33, '[') + std::string(33, ']'), "/a"), "is nested too deeply");
    EXPECT_EQ(read(std::string(32, '[') + std::string(32, ']'), "/a"),
              "has nothing where a number is looked for");
}

TEST(JsonValue, needs_a_pointer_by_the_rules) {
    for (auto const* wrong : {"", "a", "/a~", "/a~2b"})
        EXPECT_FALSE(parse_json_pointer(wrong)) << wrong;
    EXPECT_EQ(parse_json_pointer("/a//b").value(), (std::vector<std::string>{"a", "", "b"}));
}

TEST(JsonValue, reads_several_places_of_one_document) {
    auto const values =
        read_json_values(R"({"time": 1800000000, "v": {"x": "0.5"}})", {{"v", "x"}, {"time"}});
    EXPECT_EQ(values.value(), (std::vector<std::string>{"0.5", "1800000000"}));
}

}  // namespace
}  // namespace sycee
