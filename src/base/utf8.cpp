#include <sycee/base/utf8.hpp>

#include <cstddef>

namespace sycee {
namespace {

// Length of the UTF-8 character that `text` begins with; 0: none.
std::size_t character_length(std::string_view text) {
    auto const byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    unsigned const first = byte(0);
    if (first < 0x80) return 1;
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned lowest = 0x80;
    unsigned highest = 0xbf;
    if (first == 0xe0) lowest = 0xa0;   // overlong
    if (first == 0xed) highest = 0x9f;  // surrogates
    if (first == 0xf0) lowest = 0x90;   // overlong
    if (first == 0xf4) highest = 0x8f;  // beyond U+10FFFF
    if (first < 0xc2 || first > 0xf4 || byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    }
    return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        std::size_t const length = character_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace sycee
