// Pins: what is detected stands for one transaction of its sender, ends by itself, and tells the
// pages of its payment.
#include <sycee/app/detected_transfers.hpp>

#include <gtest/gtest.h>

#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr ChainId kChain = 31337;
Timestamp const kNow = timestamp_from_seconds(1'000);

PaymentId payment(std::uint8_t number) {
    PaymentId id;
    id.uuid.bytes[0] = number;
    return id;
}

DetectedTransfer transfer(std::uint64_t nonce, std::uint8_t hash, PaymentId id = payment(1)) {
    DetectedTransfer made;
    made.place = {kChain, Address{Bytes20{9}}, nonce};
    made.transaction_hash.fill(hash);
    made.payment_id = id;
    made.amount = Amount(50);
    made.seen_at = kNow;
    return made;
}

class Detected : public ::testing::Test {
  protected:
    std::vector<std::uint64_t> nonces(PaymentId id = payment(1), Timestamp now = kNow) const {
        std::vector<std::uint64_t> found;
        for (auto const& one : detected.of(id, now))
            found.push_back(one.place.nonce);
        return found;
    }
    // Ends only if the page of payment 1 was told since the last time.
    void hear_of_it() { run_task(io, page.next(1h)); }

    boost::asio::io_context io{1};
    PaymentFeed feed{io.get_executor()};
    PaymentFeed::Subscription page{feed, payment(1)};
    DetectedTransfers detected{feed, 3};
};

using Nonces = std::vector<std::uint64_t>;

TEST_F(Detected, are_of_one_payment_each) {
    detected.add(transfer(1, 1));
    hear_of_it();
    detected.add(transfer(2, 2, payment(2)));
    EXPECT_EQ(nonces(), Nonces{1});
    EXPECT_EQ(nonces(payment(2)), Nonces{2});
    EXPECT_EQ(detected.count(kChain), 2U);
    EXPECT_EQ(detected.count(1), 0U);
}

TEST_F(Detected, end_when_another_transaction_takes_their_place) {
    detected.add(transfer(1, 1));
    detected.take_place(transfer(1, 1).place, transfer(1, 1).transaction_hash);
    detected.take_place(transfer(2, 2).place, transfer(2, 2).transaction_hash);
    EXPECT_EQ(nonces(), Nonces{1});
    hear_of_it();
    detected.add(transfer(1, 3, payment(2)));
    EXPECT_EQ(nonces(), Nonces{});
    hear_of_it();
    EXPECT_EQ(nonces(payment(2)), Nonces{1});
    detected.take_place(transfer(1, 4).place, transfer(1, 4).transaction_hash);
    EXPECT_EQ(nonces(payment(2)), Nonces{});
}

TEST_F(Detected, end_some_time_after_they_were_seen_last) {
    detected.add(transfer(1, 1));
    hear_of_it();
    detected.see_again(transfer(1, 1), kNow + 5min);
    EXPECT_EQ(nonces(payment(1), kNow + 14min), Nonces{1});
    EXPECT_EQ(nonces(payment(1), kNow + 15min), Nonces{});
    detected.forget_expired(kNow + 14min);
    EXPECT_EQ(detected.count(kChain), 1U);
    detected.forget_expired(kNow + 15min);
    EXPECT_EQ(detected.count(kChain), 0U);
    hear_of_it();
}

TEST_F(Detected, are_removed_only_where_it_is_the_same_transaction) {
    detected.add(transfer(1, 1));
    detected.remove(transfer(1, 2));
    detected.remove(transfer(2, 1));
    EXPECT_EQ(nonces(), Nonces{1});
    detected.remove(transfer(1, 1));
    EXPECT_EQ(nonces(), Nonces{});
}

TEST_F(Detected, are_bounded) {
    for (std::uint8_t number = 1; number <= 4; ++number) {
        auto one = transfer(number, number);
        one.seen_at = kNow + std::chrono::seconds{number == 2 ? 0 : number};
        detected.add(one);
    }
    EXPECT_EQ(nonces(), (Nonces{1, 3, 4}));
}

TEST_F(Detected, are_looked_after_in_turn) {
    for (std::uint8_t number = 1; number <= 3; ++number)
        detected.add(transfer(number, number));
    detected.see_again(transfer(1, 1), kNow + 1s);
    EXPECT_TRUE(detected.seen_before(kChain, kNow - 1s, 9).empty());
    EXPECT_TRUE(detected.seen_before(1, kNow, 9).empty());
    EXPECT_EQ(detected.seen_before(kChain, kNow, 9).size(), 2U);
    auto const first = detected.seen_before(kChain, kNow + 1s, 2);
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].place.nonce, 2U);
    EXPECT_EQ(first[1].place.nonce, 3U);
}

}  // namespace
}  // namespace sycee
