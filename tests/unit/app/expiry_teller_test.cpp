// Pins: a payment is told as expired once every chain has got there, and only if it has; and no
// round reaches where a payment may still be created.
#include <sycee/app/expiry_teller.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/app/payment_json.hpp>

#include "run_task.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kEnd = timestamp_from_seconds(1'800'000'000);
constexpr ChainId kChain = 1;
constexpr ChainId kOther = 137;

ChainProgress at(Timestamp head_time) {
    return {.head_time = head_time, .agreed = 1, .finalized = 1, .rule = {}};
}

ExpiringPayment payment(std::vector<ChainId> const& chains) {
    ExpiringPayment one;
    one.state.payment.id = {make_uuid_v7(kEnd, {1})};
    one.state.payment.currency = "USD";
    one.state.payment.price = Amount(5000);
    one.state.payment.expires_at = kEnd;
    for (ChainId const chain : chains)
        one.state.payment.options.push_back({chain, Address{Bytes20{1}}, Amount(50), Amount()});
    return one;
}

TEST(ExpiryReach, is_where_the_chain_is_and_no_further_than_now) {
    EXPECT_EQ(expiry_reach(at(kEnd - 9s), kEnd), kEnd - 9s);
    EXPECT_EQ(expiry_reach(at(kEnd + 9s), kEnd), kEnd);
}

TEST(ExpiryEvents, tell_of_what_ran_out) {
    auto const told = expiry_events({payment({kChain})}, kEnd);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].type, "payment.expired");
    EXPECT_EQ(told[0].status, PaymentStatus::expired);
    EXPECT_EQ(told[0].record_sequence, 0U);
    EXPECT_TRUE(is_event_type(told[0].type));
}

TEST(ExpiryEvents, do_not_tell_of_what_was_canceled) {
    auto canceled = payment({kChain});
    canceled.state.canceled.emplace();
    EXPECT_TRUE(expiry_events({canceled}, kEnd).empty());
}

TEST(ExpiryEvents, tell_of_what_a_reorg_took_everything_from) {
    auto reversed = payment({kChain});
    reversed.state.reversed_transfers.emplace_back();
    auto const told = expiry_events({reversed}, kEnd);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].status, PaymentStatus::reversed);
}

TEST(ExpiryEvents, have_no_record_in_their_words) {
    auto const events = expiry_events({payment({kChain})}, kEnd);
    auto const told = tell(events.at(0), payment({kChain}).state.payment, {});
    auto const json = event_json(told, {});
    EXPECT_EQ(json.at("type"), "payment.expired");
    EXPECT_TRUE(json.at("data").at("record").is_null());
    EXPECT_EQ(json.at("data").at("status"), "expired");
}

class StillClock final : public Clock {
  public:
    Timestamp now() const override { return kEnd + 1h; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

// Shows payments as a database would, so many at once.
class ListedExpiries final : public ExpiryPort {
  public:
    std::map<ChainId, std::size_t> left;
    std::vector<std::pair<ChainId, std::size_t>> rounds;
    std::vector<Timestamp> reached;
    std::set<ChainId> asked_with;

    Task<Round> pass(ChainId chain_id, Timestamp reach, std::set<ChainId> chains, std::size_t limit,
                     Decide decide) override {
        reached.push_back(reach);
        asked_with = std::move(chains);
        Round round{.passed = std::min(left[chain_id], limit), .events = {}};
        left[chain_id] -= round.passed;
        rounds.emplace_back(chain_id, round.passed);
        round.events = decide(std::vector<ExpiringPayment>(round.passed, payment({kChain})));
        co_return round;
    }
};

TEST(ExpiryTeller, goes_on_until_nothing_is_left_on_the_chains_that_are_followed) {
    ChainSettings chain;
    chain.id = kChain;
    ChainSettings other;
    other.id = kOther;
    Network const network{{chain, other}, "https://pay.example"};
    ChainRegistry registry(network);
    boost::asio::io_context io;
    Notifier outbox(io.get_executor());
    PaymentFeed feed(io.get_executor());
    StillClock clock;
    Metrics metrics;
    ListedExpiries expiries;
    ExpiryTeller teller(expiries, registry, outbox, feed, clock, metrics);
    expiries.left = {{kChain, 1'200}, {kOther, 1}};
    run_task(teller.tell());
    EXPECT_TRUE(expiries.rounds.empty());
    registry.set(kChain, at(kEnd + 1s));
    run_task(teller.tell());
    using Rounds = std::vector<std::pair<ChainId, std::size_t>>;
    EXPECT_EQ(expiries.rounds, (Rounds{{kChain, 500}, {kChain, 500}, {kChain, 200}}));
    EXPECT_EQ(expiries.reached.front(), kEnd + 1s);
    EXPECT_EQ(expiries.asked_with, (std::set<ChainId>{kChain, kOther}));
    registry.set(kOther, at(kEnd + 2h));
    run_task(teller.tell());
    EXPECT_EQ(expiries.rounds.back(), std::pair(kOther, std::size_t{1}));
    EXPECT_EQ(expiries.reached.back(), kEnd + 1h);
}

}  // namespace
}  // namespace sycee
