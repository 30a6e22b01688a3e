#include <sycee/checkout/find_throttle.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kNow = timestamp_from_seconds(1'790'000'000);

PaymentId payment(std::uint8_t number) {
    return {make_uuid_v7(kNow, {number})};
}

TEST(FindThrottle, LimitsEachPaymentOverASlidingMinute) {
    FindThrottle throttle({.all = 100, .per_payment = 2});
    EXPECT_EQ(throttle.take(payment(1), kNow), 0s);
    EXPECT_EQ(throttle.take(payment(1), kNow + 30s), 0s);
    EXPECT_EQ(throttle.take(payment(1), kNow + 31s), 29s);
    EXPECT_EQ(throttle.take(payment(1), kNow + 59'001ms), 1s);
    EXPECT_EQ(throttle.take(payment(2), kNow + 31s), 0s);
    EXPECT_EQ(throttle.take(payment(1), kNow + 60s), 0s);
    EXPECT_EQ(throttle.take(payment(1), kNow + 61s), 29s);
}

TEST(FindThrottle, LimitsAllOfThemTogether) {
    FindThrottle throttle({.all = 3, .per_payment = 2});
    for (std::uint8_t number = 1; number <= 3; ++number)
        EXPECT_EQ(throttle.take(payment(number), kNow + number * 1s), 0s);
    EXPECT_EQ(throttle.take(payment(4), kNow + 11s), 50s);
    EXPECT_EQ(throttle.take(payment(4), kNow + 61s), 0s);
}

TEST(FindThrottle, WhatWasRefusedDoesNotCount) {
    FindThrottle throttle({.all = 3, .per_payment = 1});
    EXPECT_EQ(throttle.take(payment(1), kNow), 0s);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(throttle.take(payment(1), kNow), 60s);
    EXPECT_EQ(throttle.take(payment(2), kNow), 0s);
}

TEST(FindThrottle, AClockThatIsSetBackBlocksNobody) {
    FindThrottle throttle({.all = 1, .per_payment = 1});
    EXPECT_EQ(throttle.take(payment(1), kNow + 24h), 0s);
    EXPECT_EQ(throttle.take(payment(1), kNow), 0s);
}

}  // namespace
}  // namespace sycee
