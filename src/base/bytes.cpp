#include <sycee/base/bytes.hpp>

#include <array>

namespace sycee {
namespace {

constexpr std::uint8_t kNoDigit = 0xff;

// A table: node answers are hex for the most part.
constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (unsigned char c = '0'; c <= '9'; ++c)
        digits[c] = static_cast<std::uint8_t>(c - '0');
    for (unsigned char c = 'a'; c <= 'f'; ++c)
        digits[c] = static_cast<std::uint8_t>(c - 'a' + 10);
    for (unsigned char c = 'A'; c <= 'F'; ++c)
        digits[c] = static_cast<std::uint8_t>(c - 'A' + 10);
    return digits;
}

constexpr auto kValues = make_digits();

}  // namespace

std::string to_hex(ByteView bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(bytes.size() * 2, '0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text[2 * i] = kDigits[bytes[i] >> 4];
        text[2 * i + 1] = kDigits[bytes[i] & 15];
    }
    return text;
}

std::string to_hex0x(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

bool read_hex(std::string_view digits, std::span<std::uint8_t> into) {
    if (digits.size() != into.size() * 2) return false;
    unsigned seen = 0;
    for (std::size_t i = 0; i < into.size(); ++i) {
        unsigned const high = kValues[static_cast<unsigned char>(digits[2 * i])];
        unsigned const low = kValues[static_cast<unsigned char>(digits[2 * i + 1])];
        seen |= high | low;
        into[i] = static_cast<std::uint8_t>((high << 4U) | low);
    }
    return seen <= 15;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    std::vector<std::uint8_t> bytes(text.size() / 2);
    if (!read_hex(text, bytes)) return std::nullopt;
    return bytes;
}

}  // namespace sycee
