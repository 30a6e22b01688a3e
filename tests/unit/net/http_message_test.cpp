#include <sycee/net/http_message.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

TEST(HttpRequest, finds_the_first_header_of_a_name) {
    HttpRequest request;
    request.headers = {{"accept", "a"}, {"x-id", "1"}, {"x-id", "2"}};
    EXPECT_EQ(request.header("x-id"), "1");
    EXPECT_EQ(request.header("x-other"), "");
}

TEST(HttpRequest, finds_a_cookie_by_its_whole_name) {
    HttpRequest request;
    request.headers = {{"cookie", "theme=dark; session=a=b;other = 1 ; alone"},
                       {"cookie", "late=2; session=c"}};
    EXPECT_EQ(request.cookie("session"), "a=b");
    EXPECT_EQ(request.cookie("theme"), "dark");
    EXPECT_EQ(request.cookie("other"), "1");
    EXPECT_EQ(request.cookie("late"), "2");
    EXPECT_EQ(request.cookie("sess"), "");
    EXPECT_EQ(request.cookie("alone"), "");
}

TEST(ParseForm, decodes_names_and_values) {
    EXPECT_EQ(parse_form("a=1&b=two+words&c=%E9%93%B6%26%3d"),
              (Form{{"a", "1"}, {"b", "two words"}, {"c", "银&="}}));
    EXPECT_EQ(parse_form("a&b=&=c&&d=x=y"), (Form{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "x=y"}}));
    EXPECT_EQ(parse_form(""), Form{});
}

TEST(ParseForm, leaves_an_invalid_escape_as_it_is) {
    EXPECT_EQ(parse_form("a=%&b=%4&c=%zz&d=%+1"),
              (Form{{"a", "%"}, {"b", "%4"}, {"c", "%zz"}, {"d", "% 1"}}));
}

TEST(ParseForm, reads_at_most_a_hundred_pairs) {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "a=1&";
    EXPECT_EQ(parse_form(text).size(), 100U);
}

TEST(FormValue, is_the_first_of_that_name) {
    auto const form = parse_form("a=1&b=2&a=3");
    EXPECT_EQ(form_value(form, "a"), "1");
    EXPECT_EQ(form_value(form, "c"), "");
}

TEST(HttpResponse, is_made_of_text_or_a_location) {
    auto const text = text_response(404, "text/plain", "no");
    EXPECT_EQ(text.status, 404U);
    EXPECT_EQ(text.headers, (HttpHeaders{{"content-type", "text/plain"}}));
    EXPECT_EQ(text.body, "no");
    auto const away = redirect("/login");
    EXPECT_EQ(away.status, 303U);
    EXPECT_EQ(away.headers, (HttpHeaders{{"location", "/login"}}));
}

}  // namespace
}  // namespace sycee
