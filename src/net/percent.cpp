#include "percent.hpp"

#include <charconv>

namespace sycee {
namespace {

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

std::optional<char> percent_escape(std::string_view two_digits) {
    if (two_digits.size() != 2 || !is_hex_digit(two_digits[0]) || !is_hex_digit(two_digits[1])) {
        return std::nullopt;
    }
    unsigned char byte = 0;
    std::from_chars(two_digits.data(), two_digits.data() + 2, byte, 16);
    return static_cast<char>(byte);
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
