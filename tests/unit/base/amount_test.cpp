// Pins: amounts are exact, never wrap, and their text forms accept exactly what the API documents.
#include <sycee/base/amount.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/base/bytes.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Amount, base_units_round_trip_up_to_the_largest) {
    for (char const* text : {"0", "1", "50000000", "18446744073709551616",
                             "340282366920938463463374607431768211455"}) {
        auto const amount = parse_base_units(text);
        ASSERT_TRUE(amount) << text;
        EXPECT_EQ(to_string(*amount), text);
    }
    EXPECT_EQ(*parse_base_units("340282366920938463463374607431768211455"), Amount::max());
}

TEST(Amount, base_units_refuse_everything_else) {
    for (char const* text : {"", "-1", "+1", "01", "1.0", "1e3", "0x10", " 1", "1 ", "１",
                             "340282366920938463463374607431768211456",
                             "999999999999999999999999999999999999999999"}) {
        EXPECT_FALSE(parse_base_units(text)) << text;
    }
}

TEST(Amount, decimals_round_trip) {
    struct Row {
        char const* text;
        unsigned decimals;
        char const* base_units;
        char const* shown;
    };
    for (Row const& row :
         {Row{"50", 6, "50000000", "50.000000"}, Row{"0.000001", 6, "1", "0.000001"},
          Row{"50.5", 2, "5050", "50.50"}, Row{"7", 0, "7", "7"},
          Row{"1.5", 18, "1500000000000000000", "1.500000000000000000"}}) {
        auto const amount = parse_decimal(row.text, row.decimals);
        ASSERT_TRUE(amount) << row.text;
        EXPECT_EQ(to_string(*amount), row.base_units);
        EXPECT_EQ(to_decimal(*amount, row.decimals), row.shown);
    }
    EXPECT_EQ(to_short_decimal(Amount(50'500'000), 6), "50.5");
    EXPECT_EQ(to_short_decimal(Amount(50'000'000), 6), "50");
}

TEST(Amount, decimals_refuse_signs_exponents_and_too_many_digits) {
    for (char const* text :
         {"", ".", "1.", ".5", "-1", "+1", "1e2", "01", "00.5", "1.234", "1,50", "1 000", "NaN",
          "inf", "0x1", "3402823669209384634633746074317682114.56"}) {
        EXPECT_FALSE(parse_decimal(text, 2)) << text;
    }
    EXPECT_TRUE(parse_decimal("3402823669209384634633746074317682114.55", 2));
}

TEST(Amount, a_refusal_quotes_a_long_or_dirty_input_only_in_part) {
    auto const refused = parse_decimal(std::string(5000, 'x') + "\n", 2);
    ASSERT_FALSE(refused);
    EXPECT_LT(refused.error().message.size(), 200U);
    EXPECT_EQ(parse_decimal("a\nb", 2).error().message.find('\n'), std::string::npos);
}

TEST(Amount, sums_and_differences_outside_the_range_throw) {
    EXPECT_THROW(Amount::max() + Amount(1), InvariantViolation);
    EXPECT_THROW(Amount(1) - Amount(2), InvariantViolation);
    EXPECT_EQ(Amount::max() - Amount::max(), Amount{});
}

TEST(Amount, an_evm_word_of_two_to_the_128_is_refused) {
    Bytes32 word{};
    word[31] = 5;
    EXPECT_EQ(*amount_from_word(word), Amount(5));
    word[15] = 1;  // 2^128 + 5
    EXPECT_FALSE(amount_from_word(word));
    EXPECT_FALSE(amount_from_word(std::span<std::uint8_t const, 32>(
        Bytes32{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})));
}

TEST(Amount, multiplies_and_divides_exactly_over_256_bits) {
    EXPECT_EQ(multiply_divide_down(Amount(10), Amount(1), Amount(3)), Amount(3));
    EXPECT_EQ(multiply_divide_up(Amount(10), Amount(1), Amount(3)), Amount(4));
    EXPECT_EQ(multiply_divide_up(Amount(9), Amount(1), Amount(3)), Amount(3));
    EXPECT_EQ(multiply_divide_down(Amount::max(), Amount::max(), Amount::max()), Amount::max());
    EXPECT_THROW(multiply_divide_down(Amount::max(), Amount(2), Amount(1)), InvariantViolation);
    EXPECT_THROW(multiply_divide_down(Amount(1), Amount(1), Amount(0)), InvariantViolation);
}

// Against a slower way of the same arithmetic that can't overflow for these sizes.
TEST(Amount, agrees_with_plain_arithmetic_where_that_fits) {
    std::uint64_t seed = 88172645463325252ULL;
    auto const next = [&seed] {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return seed;
    };
    for (int i = 0; i < 10'000; ++i) {
        Uint128 const a = next(), b = next(), c = next() % 1'000'000'007 + 1;
        Uint128 const product = a * b;
        if (product / c > ~Uint128{0}) continue;
        EXPECT_EQ(multiply_divide_down(Amount(a), Amount(b), Amount(c)).base_units(), product / c);
    }
}

}  // namespace
}  // namespace sycee
