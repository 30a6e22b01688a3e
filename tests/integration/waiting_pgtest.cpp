// Pins what waits, against the real PostgreSQL: only what is live, and neither settled nor on the
// desk, by how long ago its block was.
#include <sycee/store/waiting.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;
using ByAge = std::array<WaitingSum, kWaitingAges>;

TEST_F(BooksInPostgres, what_is_settled_does_not_wait) {
    EXPECT_TRUE(run(load_waiting(*database, kStart)).empty());
    settle();
    EXPECT_TRUE(run(load_waiting(*database, kStart + 1h)).empty());
}

TEST_F(BooksInPostgres, what_is_authorized_or_cleared_waits_by_its_age) {
    auto const partly = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(101)},
                 .arrivals = {{partly, transfer(partly, 2, 20'000'000, block(101))}},
                 .finalized = 100}));
    commit(plan({block(102)}, {transfer(1, 50'000'000, block(102))}, 100));
    auto const seen = [this](Timestamp now) {
        auto const waiting = run(load_waiting(*database, now));
        EXPECT_EQ(waiting.size(), 2U);
        EXPECT_FALSE(waiting.at(0).cleared);
        EXPECT_EQ(waiting.at(0).oldest, block(101).time);
        EXPECT_TRUE(waiting.at(1).cleared);
        EXPECT_EQ(waiting.at(1).token, kToken);
        EXPECT_EQ(waiting.at(1).oldest, block(102).time);
        return std::pair(waiting.at(0).by_age, waiting.at(1).by_age);
    };
    WaitingSum const part{1, Amount(20'000'000)};
    WaitingSum const whole{1, Amount(50'000'000)};
    WaitingSum const none;
    EXPECT_EQ(seen(block(102).time),
              std::pair(ByAge({part, none, none, none}), ByAge({whole, none, none, none})));
    EXPECT_EQ(seen(block(101).time + 10min),
              std::pair(ByAge({none, part, none, none}), ByAge({whole, none, none, none})));
    EXPECT_EQ(seen(block(101).time + 24h),
              std::pair(ByAge({none, none, none, part}), ByAge({none, none, whole, none})));

    commit(plan({.added = {block(101, 1), block(102, 1), block(103, 1)},
                 .others = {payment, partly},
                 .finalized = 100,
                 .rolled_back_to = 100}));
    EXPECT_TRUE(run(load_waiting(*database, kStart + 1h)).empty());
}

}  // namespace
}  // namespace sycee
