#include "media_type.hpp"

#include <algorithm>

namespace sycee {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    auto const first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Removes and returns what comes before the next semicolon.
std::string_view take_part(std::string_view& rest) {
    auto const end = rest.find(';');
    auto const part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return trimmed(part);
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_json_content_type(std::string_view value) {
    if (!equal_ignoring_case(take_part(value), "application/json")) return false;
    while (!value.empty()) {
        auto const parameter = take_part(value);
        if (!parameter.empty() && !equal_ignoring_case(parameter, "charset=utf-8") &&
            !equal_ignoring_case(parameter, "charset=\"utf-8\"")) {
            return false;
        }
    }
    return true;
}

}  // namespace sycee
