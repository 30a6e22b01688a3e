// Pins: no address that was given out is ever missed, in memory or not, and each is asked for once.
#include <sycee/app/address_index.hpp>

#include <gtest/gtest.h>

#include <random>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = timestamp_from_seconds(2'000'000'000);

Address numbered(std::uint64_t number) {
    std::mt19937_64 random(number);
    Address address;
    for (auto& byte : address.bytes)
        byte = static_cast<std::uint8_t>(random());
    return address;
}

TEST(KeySet, holds_what_was_added_and_nothing_else) {
    KeySet keys;
    EXPECT_FALSE(keys.contains(7));
    for (std::uint64_t key = 1; key <= 10'000; ++key)
        keys.add(key * 3);
    for (std::uint64_t key = 1; key <= 30'000; ++key)
        EXPECT_EQ(keys.contains(key), key % 3 == 0) << key;
    keys.add(3);
    EXPECT_EQ(keys.size(), 10'000U);
    EXPECT_EQ(keys.keys().size(), 10'000U);
}

TEST(KeyFilter, never_says_no_to_what_was_added_and_seldom_perhaps_to_others) {
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> added(50'000);
    KeyFilter filter;
    EXPECT_FALSE(filter.may_contain(1));
    for (auto& key : added) {
        key = random();
        filter.add(key);
    }
    for (std::uint64_t const key : added)
        EXPECT_TRUE(filter.may_contain(key));
    int wrong = 0;
    for (int i = 0; i < 50'000; ++i)
        wrong += filter.may_contain(random()) ? 1 : 0;
    EXPECT_LT(wrong, 50'000 / 20);
}

TEST(AddressIndex, watches_an_address_for_ever_but_not_in_memory) {
    AddressIndex index;
    for (std::uint64_t i = 0; i < 1'000; ++i)
        index.add(numbered(i), kNow + 15min);
    EXPECT_EQ(index.in_memory(), 1'000U);
    index.archive(kNow + 1h);
    EXPECT_EQ(index.in_memory(), 1'000U);
    index.archive(kNow + 24h * 10);
    EXPECT_EQ(index.in_memory(), 0U);
    EXPECT_EQ(index.archived(), 1'000U);
    int others = 0;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        EXPECT_TRUE(index.may_contain(numbered(i)));
        others += index.may_contain(numbered(1'000 + i)) ? 1 : 0;
    }
    EXPECT_LT(others, 50);
}

TEST(AddressIndex, an_address_whose_last_bytes_are_zero_is_watched_too) {
    AddressIndex index;
    Address zero_tail;
    zero_tail.bytes[0] = 1;
    EXPECT_FALSE(index.may_contain(zero_tail));
    index.add(zero_tail, kNow);
    EXPECT_TRUE(index.may_contain(zero_tail));
}

}  // namespace
}  // namespace sycee
