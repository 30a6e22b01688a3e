// Pins what an amount is worth at the price that was locked when the payment was created.
#include <sycee/payment/locked_value.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

Address const kToken{Bytes20{1}};

Payment payment(std::uint64_t price, Amount option) {
    Payment payment;
    payment.currency = "USD";
    payment.price = Amount(price);
    payment.options = {{1, kToken, option, {}}};
    return payment;
}

TEST(LockedValue, is_the_part_of_the_price_rounded_down) {
    auto const whole = payment(5'000, Amount(50'000'000));
    EXPECT_EQ(value_at_locked_price(whole, 1, kToken, Amount(50'000'000)), Amount(5'000));
    EXPECT_EQ(value_at_locked_price(whole, 1, kToken, Amount(20'000'000)), Amount(2'000));
    EXPECT_EQ(value_at_locked_price(whole, 1, kToken, Amount(49'999'999)), Amount(4'999));
    EXPECT_EQ(value_at_locked_price(whole, 1, kToken, Amount(9'999)), Amount(0));
    // One token is worth 1,200 minor units here.
    EXPECT_EQ(value_at_locked_price(payment(6'000, Amount(5'000'000)), 1, kToken, Amount(1)),
              Amount(0));
    EXPECT_EQ(
        value_at_locked_price(payment(6'000, Amount(5'000'000)), 1, kToken, Amount(1'000'000)),
        Amount(1'200));
}

TEST(LockedValue, is_exact_where_the_product_is_beyond_128_bits) {
    Amount const large = Amount::max();
    EXPECT_EQ(value_at_locked_price(payment(999'999'999'999, large), 1, kToken, large),
              Amount(999'999'999'999));
}

TEST(LockedValue, is_unknown_where_no_price_was_locked) {
    auto const priced = payment(5'000, Amount(50'000'000));
    EXPECT_FALSE(value_at_locked_price(priced, 2, kToken, Amount(1)));
    EXPECT_FALSE(value_at_locked_price(priced, 1, Address{Bytes20{2}}, Amount(1)));
}

}  // namespace
}  // namespace sycee
