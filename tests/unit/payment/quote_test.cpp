// Pins how a price becomes an amount of tokens: exact, the fewest units that are worth it; and when
// the sources of a rate are believed.
#include <sycee/payment/locked_value.hpp>
#include <sycee/payment/payment.hpp>
#include <sycee/payment/quote.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <chrono>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

Rate rate(std::string_view text) {
    return parse_rate(text).value();
}

Result<Amount> amount(std::uint64_t price, unsigned currency, unsigned token, Rate by,
                      std::uint32_t spread = 0) {
    return quoted_amount(Amount(price), currency, token,
                         {.rate = by, .spread_basis_points = spread, .sources = {}});
}

TEST(Quote, takes_the_digits_of_each_currency_from_iso_4217) {
    for (auto const* two : {"USD", "EUR", "GBP", "CNY", "HKD", "CHF", "INR", "BRL", "AED"})
        EXPECT_EQ(currency_decimals(two), 2U) << two;
    for (auto const* none : {"JPY", "KRW", "VND", "CLP", "ISK", "XOF"})
        EXPECT_EQ(currency_decimals(none), 0U) << none;
    for (auto const* three : {"KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"})
        EXPECT_EQ(currency_decimals(three), 3U) << three;
    for (auto const* unknown : {"", "usd", "USDT", "XXX", "XAU", "XTS", "EU", "BTC", "DEM"})
        EXPECT_FALSE(currency_decimals(unknown)) << unknown;
}

TEST(Quote, rounds_up_to_the_tokens_unit) {
    EXPECT_EQ(amount(4'600, 2, 6, rate("0.92")), Amount(50'000'000));
    EXPECT_EQ(amount(1, 2, 6, rate("0.92")), Amount(10'870));
    EXPECT_EQ(amount(1, 0, 6, rate("156.25")), Amount(6'400));
    EXPECT_EQ(amount(1, 3, 6, rate("0.307")), Amount(3'258));
    EXPECT_EQ(amount(1, 0, 0, rate("156.25")), Amount(1));
    EXPECT_EQ(amount(5'000, 2, 6, rate("1")), Amount(50'000'000));
    EXPECT_EQ(amount(5'000, 2, 6, rate("1"), 1), Amount(50'005'000));
}

TEST(Quote, refuses_what_no_order_costs) {
    EXPECT_EQ(amount(1'000'000'000'000'000, 2, 24, rate("1")).value(),
              multiply_divide_up(power_of_ten(13), power_of_ten(24), Amount(1)));
    EXPECT_FALSE(amount(1'000'000'000'000'001, 2, 6, rate("1")));
    EXPECT_FALSE(amount(1'000'000'000'000'000, 2, 24, rate("0.000001")));
    EXPECT_TRUE(amount(1'000'000'000'000'000, 3, 24, rate("1000000000000"), 2'000));
}

// amount × rate ≥ price × (1 + spread), and one unit less would not do. In 10^-18 of the price's
// minor unit and with factors small enough for 128 bits, so that nothing of ours is used to check.
TEST(Quote, is_the_fewest_units_that_are_worth_the_price) {
    rc::check([] {
        constexpr std::array kTens{Uint128{1}, Uint128{10}, Uint128{100}, Uint128{1'000}};
        unsigned const currency = *rc::gen::inRange(0U, 4U);
        auto const price = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
        auto const spread = *rc::gen::inRange<std::uint32_t>(0, 2'001);
        auto const units = *rc::gen::inRange<std::uint64_t>(1'000'000, 5'000'000'000'000'000);
        Rate const by{Amount(units)};
        auto const due = amount(price, currency, 6, by, spread);
        RC_ASSERT(due.has_value());
        // due / 10^6 × units / 10^12 ≥ price / 10^currency × (10^4 + spread) / 10^4
        Uint128 const wanted = Uint128{price} * (10'000 + spread) * 100'000'000'000'000U;
        auto const worth = [&](Uint128 tokens) { return tokens * units * kTens[currency]; };
        Uint128 const paid = due->base_units();
        RC_ASSERT(worth(paid) >= wanted);
        RC_ASSERT(worth(paid - 1) < wanted);
    });
}

TEST(Quote, is_worth_the_whole_price_when_it_is_paid_and_no_more_than_its_part_before) {
    for (auto const& [code, price, by] :
         {std::tuple{"JPY", 7'501U, "156.37"}, std::tuple{"KWD", 19'501U, "0.30711"},
          std::tuple{"EUR", 4'999U, "0.9217"}}) {
        Payment payment;
        payment.currency = code;
        payment.price = Amount(price);
        Address const token{Bytes20{1}};
        Amount const due = amount(price, currency_decimals(code).value(), 6, rate(by)).value();
        payment.options = {{1, token, due, {}}};
        EXPECT_EQ(value_at_locked_price(payment, 1, token, due), Amount(price)) << code;
        EXPECT_LT(value_at_locked_price(payment, 1, token, due - Amount(1)).value(), Amount(price));
    }
}

TEST(Quote, reads_and_writes_rates_exactly) {
    EXPECT_EQ(to_string(rate("0.920")), "0.92");
    EXPECT_EQ(to_string(rate("1463.123456789012")), "1463.123456789012");
    for (auto const* wrong : {"", "0", "0.0000009", "1000000000001", "-1", "1e3", "1,5", "1.",
                              "0.1234567890123", "nan"})
        EXPECT_FALSE(parse_rate(wrong)) << wrong;
}

TEST(Quote, makes_a_sources_value_a_rate) {
    EXPECT_EQ(to_string(rate_of(Amount(108'700'000), 8, true).value()), "0.919963201471");
    EXPECT_EQ(to_string(rate_of(Amount(108'700'000), 8, false).value()), "1.087");
    EXPECT_EQ(to_string(rate_of(power_of_ten(18), 18, true).value()), "1");
    EXPECT_FALSE(rate_of(Amount(0), 8, true));
    EXPECT_FALSE(rate_of(Amount(0), 8, false));
    EXPECT_FALSE(rate_of(Amount(1), 19, false));
    EXPECT_FALSE(rate_of(Amount::max(), 0, true));
    EXPECT_FALSE(rate_of(Amount::max(), 0, false));
    EXPECT_FALSE(rate_of(Amount(1), 18, false));
    EXPECT_FALSE(rate_of(Amount(1), 18, true));
}

TEST(Quote, reads_pairs) {
    EXPECT_EQ(parse_pair("EUR / USD").value(), (CurrencyPair{"EUR", "USD"}));
    for (auto const* wrong : {"", "EUR/USD", "EUR", " / USD", "EUR / "})
        EXPECT_FALSE(parse_pair(wrong)) << wrong;
}

SourceReading reading(std::string name, std::string_view value, std::chrono::seconds age = 0s,
                      std::chrono::seconds longest = 60s) {
    return {.source = std::move(name),
            .rate = rate(value),
            .at = kNow - age,
            .usable_until = kNow - age + longest};
}

TEST(Quote, uses_a_reading_up_to_its_age_and_none_of_the_future) {
    EXPECT_TRUE(is_fresh(reading("a", "1", 60s), kNow));
    EXPECT_FALSE(is_fresh(reading("a", "1", 61s), kNow));
    EXPECT_TRUE(is_fresh(reading("a", "1", -120s), kNow));
    EXPECT_FALSE(is_fresh(reading("a", "1", -121s), kNow));
    EXPECT_FALSE(is_fresh({.source = "a", .rate = std::nullopt}, kNow));
    EXPECT_TRUE(is_fresh({.source = "a", .rate = rate("1")}, kNow));
}

TEST(Quote, keeps_what_each_fresh_source_said) {
    std::array const readings{reading("a", "0.93"), reading("b", "0.91", 90s),
                              reading("c", "0.92")};
    auto const agreed = agree_on_rate(readings, {.most_deviation = 200}, kNow);
    ASSERT_TRUE(agreed);
    EXPECT_EQ(to_string(agreed->rate), "0.925");
    EXPECT_EQ(agreed->sources,
              (std::vector<SourceRate>{{"a", rate("0.93"), kNow}, {"c", rate("0.92"), kNow}}));
}

TEST(Quote, takes_no_rate_without_a_source_whatever_the_rule) {
    EXPECT_FALSE(agree_on_rate({}, {.least_sources = 0}, kNow));
}

// A guarded token is one whose dollars lie in the band, its ends included.
TEST(Quote, knows_when_a_peg_is_lost) {
    RateRule const rule{.lowest = rate("0.98"), .highest = rate("1.02")};
    for (auto const& [value, holds] :
         {std::pair{"1", true}, std::pair{"0.98", true}, std::pair{"1.02", true},
          std::pair{"0.979999999999", false}, std::pair{"1.020000000001", false},
          std::pair{"0.88", false}}) {
        std::array const readings{reading("feed", value)};
        EXPECT_EQ(agree_on_rate(readings, rule, kNow).has_value(), holds) << value;
    }
    std::array const old{reading("feed", "1", 61s)};
    EXPECT_FALSE(agree_on_rate(old, rule, kNow));
}

}  // namespace
}  // namespace sycee
