#pragma once

#include <sycee/base/result.hpp>

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sycee {

__extension__ typedef unsigned __int128 Uint128;

// An exact number of base units: of a token (USDT on Ethereum: 6 decimals, on BSC: 18) or of a
// currency (USD: 2). Unsigned, 128 bits; NUMERIC(39,0) in PostgreSQL and a decimal string in JSON.
// No operation wraps: a sum or difference outside the range throws InvariantViolation.
class Amount {
  public:
    constexpr Amount() = default;
    constexpr explicit Amount(Uint128 base_units) : base_units_(base_units) {}

    constexpr Uint128 base_units() const { return base_units_; }
    constexpr bool is_zero() const { return base_units_ == 0; }

    constexpr auto operator<=>(Amount const&) const = default;
    Amount& operator+=(Amount other);
    Amount& operator-=(Amount other);
    friend Amount operator+(Amount a, Amount b) { return a += b; }
    friend Amount operator-(Amount a, Amount b) { return a -= b; }

    static constexpr Amount max() { return Amount(~Uint128{0}); }

  private:
    Uint128 base_units_ = 0;
};

// Decimal digits of the base units: "50000000".
std::string to_string(Amount amount);

// Reads what to_string writes. Refused: an empty string, signs, leading zeros, exponents, anything
// but ASCII digits, and values of 2^128 and above.
Result<Amount> parse_base_units(std::string_view text);

// The amount in whole units: 50000000 base units of 6 decimals are "50.000000", of 0 decimals
// "50000000".
std::string to_decimal(Amount amount, unsigned decimals);

// As to_decimal without zeros at the end that carry nothing: "50", "0.5". For people, not for JSON.
std::string to_short_decimal(Amount amount, unsigned decimals);

// Reads a decimal string of whole units, "50", "50.0" or "0.05". Refused: signs, exponents, spaces,
// leading zeros, a bare or trailing point, more digits after the point than `decimals`, overflow.
Result<Amount> parse_decimal(std::string_view text, unsigned decimals);

// Narrows a big-endian EVM word. Refused, never wrapped: a word of 2^128 or above. Shape: 32 bytes.
Result<Amount> amount_from_word(std::span<std::uint8_t const, 32> word);

// 10^exponent. Throws InvariantViolation above 10^38, which does not fit.
Amount power_of_ten(unsigned exponent);

// floor(amount * numerator / denominator), exact over 256 bits.
// Throws InvariantViolation if the denominator is zero or the result does not fit 128 bits.
Amount multiply_divide_down(Amount amount, Amount numerator, Amount denominator);
// As above, rounded up.
Amount multiply_divide_up(Amount amount, Amount numerator, Amount denominator);

}  // namespace sycee
