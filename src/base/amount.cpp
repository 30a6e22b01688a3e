#include <sycee/base/amount.hpp>
#include <sycee/base/assert.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

// Adds one decimal digit; false where the value would pass 2^128-1.
bool append_digit(Uint128& value, char digit) {
    auto const units = static_cast<unsigned>(digit - '0');
    constexpr Uint128 kMax = ~Uint128{0};
    if (value > (kMax - units) / 10) return false;
    value = value * 10 + units;
    return true;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// What is quoted back of an input: enough to recognise it, never a page of it.
std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::string shown;
    for (char const c : text.substr(0, kShown))
        shown.push_back(c < 0x20 || c == 0x7f ? '?' : c);
    return '"' + shown + (text.size() > kShown ? "…\"" : "\"");
}

struct Wide {  // 256 bits
    Uint128 high = 0;
    Uint128 low = 0;
};

Wide multiply(Uint128 a, Uint128 b) {
    constexpr Uint128 kMask = (Uint128{1} << 64) - 1;
    Uint128 const a0 = a & kMask, a1 = a >> 64, b0 = b & kMask, b1 = b >> 64;
    Uint128 const low = a0 * b0;
    Uint128 const middle = a1 * b0 + (low >> 64);
    Uint128 const middle2 = a0 * b1 + (middle & kMask);
    return {a1 * b1 + (middle >> 64) + (middle2 >> 64), (middle2 << 64) | (low & kMask)};
}

// Schoolbook long division, a bit at a time, where a product has more than 128 bits: exact, and
// rare.
std::pair<Uint128, Uint128> divide(Wide dividend, Uint128 divisor) {
    ensure(divisor != 0, "amount: division by zero");
    ensure(dividend.high < divisor, "amount: a quotient does not fit 128 bits");
    if (dividend.high == 0) return {dividend.low / divisor, dividend.low % divisor};
    Uint128 remainder = dividend.high;
    Uint128 quotient = 0;
    for (int bit = 127; bit >= 0; --bit) {
        bool const carry = (remainder >> 127) != 0;
        remainder = (remainder << 1) | ((dividend.low >> bit) & 1);
        quotient <<= 1;
        if (carry || remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1;
        }
    }
    return {quotient, remainder};
}

}  // namespace

Amount& Amount::operator+=(Amount other) {
    ensure(base_units_ <= ~Uint128{0} - other.base_units_, "amount: a sum does not fit 128 bits");
    base_units_ += other.base_units_;
    return *this;
}

Amount& Amount::operator-=(Amount other) {
    ensure(base_units_ >= other.base_units_, "amount: a difference is below zero");
    base_units_ -= other.base_units_;
    return *this;
}

std::string to_string(Amount amount) {
    Uint128 value = amount.base_units();
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    std::reverse(digits.begin(), digits.end());
    return digits;
}

Result<Amount> parse_base_units(std::string_view text) {
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) {
        return refuse(
            "", "must be a whole number of base units in decimal digits, not " + quoted(text));
    }
    if (text.size() > 1 && text.front() == '0') {
        return refuse("", "must not begin with a zero, as " + quoted(text) + " does");
    }
    Uint128 value = 0;
    for (char const c : text) {
        if (!append_digit(value, c)) return refuse("", quoted(text) + " is 2^128 or above");
    }
    return Amount(value);
}

std::string to_decimal(Amount amount, unsigned decimals) {
    std::string digits = to_string(amount);
    if (decimals == 0) return digits;
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
    return digits;
}

std::string to_short_decimal(Amount amount, unsigned decimals) {
    std::string text = to_decimal(amount, decimals);
    if (decimals == 0) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

Result<Amount> parse_decimal(std::string_view text, unsigned decimals) {
    auto const point = text.find('.');
    std::string_view const whole = text.substr(0, point);
    std::string_view const fraction =
        point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    bool const digits_only = std::all_of(whole.begin(), whole.end(), is_digit) &&
                             std::all_of(fraction.begin(), fraction.end(), is_digit);
    bool const bare_point = point != std::string_view::npos && fraction.empty();
    if (whole.empty() || !digits_only || bare_point) {
        return refuse("", "must be a decimal number such as \"50.00\", not " + quoted(text));
    }
    if (whole.size() > 1 && whole.front() == '0') {
        return refuse("", "must not begin with a zero, as " + quoted(text) + " does");
    }
    if (fraction.size() > decimals) {
        return refuse("", "must have at most " + std::to_string(decimals) +
                              " digits after the point, unlike " + quoted(text));
    }
    Uint128 value = 0;
    auto const append_all = [&value](std::string_view digits) {
        return std::all_of(digits.begin(), digits.end(),
                           [&value](char c) { return append_digit(value, c); });
    };
    std::string const padding(decimals - fraction.size(), '0');
    if (!append_all(whole) || !append_all(fraction) || !append_all(padding)) {
        return refuse("", quoted(text) + " is too large");
    }
    return Amount(value);
}

Result<Amount> amount_from_word(std::span<std::uint8_t const, 32> word) {
    auto const high = word.first<16>();
    if (std::any_of(high.begin(), high.end(), [](std::uint8_t byte) { return byte != 0; })) {
        return refuse("value", "the EVM word is 2^128 or above");
    }
    Uint128 value = 0;
    for (std::uint8_t const byte : word.last<16>())
        value = (value << 8) | byte;
    return Amount(value);
}

Amount power_of_ten(unsigned exponent) {
    ensure(exponent <= 38, "amount: 10^" + std::to_string(exponent) + " does not fit 128 bits");
    Uint128 power = 1;
    for (unsigned i = 0; i < exponent; ++i)
        power *= 10;
    return Amount(power);
}

Amount multiply_divide_down(Amount amount, Amount numerator, Amount denominator) {
    auto const product = multiply(amount.base_units(), numerator.base_units());
    return Amount(divide(product, denominator.base_units()).first);
}

Amount multiply_divide_up(Amount amount, Amount numerator, Amount denominator) {
    auto const product = multiply(amount.base_units(), numerator.base_units());
    auto const [quotient, remainder] = divide(product, denominator.base_units());
    return Amount(quotient) + Amount(remainder == 0 ? 0 : 1);
}

}  // namespace sycee
