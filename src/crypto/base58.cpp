#include <sycee/crypto/base58.hpp>
#include <sycee/crypto/hash.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t kLongestText = 200;

Bytes<4> checksum(ByteView payload) {
    Bytes32 const digest = sha256(sha256(payload));
    return {digest[0], digest[1], digest[2], digest[3]};
}

// number = number * multiplier + addend, the number being big-endian digits of the given base.
void multiply_add(std::vector<std::uint8_t>& number, unsigned base, unsigned multiplier,
                  unsigned addend) {
    unsigned carry = addend;
    for (auto digit = number.rbegin(); digit != number.rend(); ++digit) {
        carry += *digit * multiplier;
        *digit = static_cast<std::uint8_t>(carry % base);
        carry /= base;
    }
    while (carry != 0) {
        number.insert(number.begin(), static_cast<std::uint8_t>(carry % base));
        carry /= base;
    }
}

}  // namespace

std::string to_base58_check(ByteView payload) {
    std::vector<std::uint8_t> bytes(payload.begin(), payload.end());
    auto const sum = checksum(payload);
    bytes.insert(bytes.end(), sum.begin(), sum.end());

    std::vector<std::uint8_t> digits;
    for (std::uint8_t const byte : bytes)
        multiply_add(digits, 58, 256, byte);
    auto const zeros = static_cast<std::size_t>(
        std::find_if(bytes.begin(), bytes.end(), [](auto byte) { return byte != 0; }) -
        bytes.begin());
    std::string text(zeros, kAlphabet[0]);
    for (std::uint8_t const digit : digits)
        text.push_back(kAlphabet[digit]);
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base58_check(std::string_view text) {
    if (text.size() > kLongestText) return std::nullopt;
    std::vector<std::uint8_t> number;
    for (char const c : text) {
        auto const digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        multiply_add(number, 256, 58, static_cast<unsigned>(digit));
    }
    auto const zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
    std::vector<std::uint8_t> bytes(zeros, 0);
    bytes.insert(bytes.end(), number.begin(), number.end());
    if (bytes.size() < 4) return std::nullopt;

    std::vector<std::uint8_t> payload(bytes.begin(), bytes.end() - 4);
    auto const sum = checksum(payload);
    if (!std::equal(sum.begin(), sum.end(), bytes.end() - 4)) return std::nullopt;
    return payload;
}

}  // namespace sycee
