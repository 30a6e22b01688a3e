#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sycee {

// Text made safe for HTML, as an element's text or inside a quoted attribute.
std::string escape_html(std::string_view text);

// A piece of a page, safe to be put into another one.
struct Html {
    std::string text;

    Html& operator+=(Html const& other) {
        text += other.text;
        return *this;
    }
};

// What is put into a pattern: text and numbers are escaped, pieces of a page are taken as they are.
struct HtmlArgument {
    HtmlArgument(Html const& piece) : text(piece.text) {}
    HtmlArgument(std::string_view plain) : text(escape_html(plain)) {}
    HtmlArgument(std::string const& plain) : text(escape_html(plain)) {}
    HtmlArgument(char const* plain) : text(escape_html(plain)) {}
    HtmlArgument(std::integral auto number) : text(std::to_string(number)) {}
    std::string text;
};

// Known when the program is compiled, so that no input can ever be a pattern.
struct HtmlPattern {
    consteval HtmlPattern(char const* literal) : text(literal) {}
    std::string_view text;
};

// Each {} of the pattern is replaced by the next argument. Throws InvariantViolation where their
// numbers differ. Attributes in a pattern are always quoted.
Html html(HtmlPattern pattern, std::initializer_list<HtmlArgument> arguments = {});

}  // namespace sycee
