#include "percent.hpp"

namespace sycee {
namespace {

// 16 for what is not a hex digit.
unsigned hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
}

}  // namespace

std::optional<char> percent_escape(std::string_view two_digits) {
    if (two_digits.size() != 2) return std::nullopt;
    unsigned const high = hex_value(two_digits[0]);
    unsigned const low = hex_value(two_digits[1]);
    if (high > 15 || low > 15) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        auto const byte = percent_escape(text.substr(i + 1, 2));
        if (!byte) return std::nullopt;
        decoded.push_back(*byte);
        i += 2;
    }
    return decoded;
}

}  // namespace sycee
