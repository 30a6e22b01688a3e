#include "../../../src/checkout/view.hpp"

#include "../../../src/checkout/copy.hpp"
#include "page_fakes.hpp"

#include <gtest/gtest.h>

namespace sycee::checkout {
namespace {

using namespace std::chrono_literals;

CheckoutView view_of(PageWorld const& world, std::size_t option = 0) {
    auto const detected = world.detected.of(world.state.payment.id, world.clock.time);
    return make_view(world.state, world.service.status(world.state), world.network,
                     world.clock.time, option, detected);
}

TEST(CheckoutView, ShowsTheOptionThatWasChosen) {
    PageWorld const world;
    EXPECT_EQ(view_of(world).option().due, "50.00");
    EXPECT_EQ(view_of(world).option().network, "Sepolia");
    EXPECT_EQ(view_of(world, 1).option().token, "USDC");
    EXPECT_EQ(view_of(world, 7).chosen, 0U);
    EXPECT_EQ(view_of(world).time_left, 15min);
}

TEST(CheckoutView, AsksOnlyForWhatIsStillDue) {
    PageWorld world;
    world.credit(20, CreditStage::authorized);
    auto const view = view_of(world);
    EXPECT_EQ(view.phase, Phase::partially_paid);
    EXPECT_EQ(view.received, "20.00 USDT");
    EXPECT_EQ(view.option().due, "30.00");
    EXPECT_TRUE(view.option().uri.ends_with("&uint256=30000000")) << view.option().uri;
    EXPECT_EQ(view_of(world, 1).option().due, "30.00");
}

TEST(CheckoutView, WhatItAsksForCoversThePayment) {
    PageWorld world;
    world.credit(0, CreditStage::authorized);
    world.state.credits[0].transfer.amount = Amount(49'999'999);
    auto const same_token = view_of(world);
    EXPECT_EQ(same_token.option().due, "0.000001");
    EXPECT_EQ(view_of(world, 1).option().due, "0.01");
}

TEST(CheckoutView, ALateTransferDoesNotCount) {
    PageWorld world;
    world.credit(20, CreditStage::authorized);
    world.state.credits[0].first_seen_time = world.state.payment.expires_at + 1s;
    EXPECT_EQ(view_of(world).option().due, "50.00");
}

TEST(CheckoutView, NeverLinksToAScript) {
    PageWorld world;
    for (auto const* url : {"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
                            "//evil.example", " https://x", "https://a\nb", ""}) {
        world.state.payment.success_url = url;
        EXPECT_EQ(view_of(world).success_url, "") << url;
    }
}

TEST(CheckoutView, ATransferOnItsWayIsShownWhileTheBooksWait) {
    PageWorld world;
    world.detected.add(world.announced(20));
    world.clock.time += 1min;
    auto view = view_of(world);
    EXPECT_EQ(view.phase, Phase::detected);
    EXPECT_EQ(view.status, PaymentStatus::open);
    EXPECT_FALSE(view.payable());
    EXPECT_EQ(view.detected, "20.00 USDT");
    EXPECT_EQ(view.detected_for, 9min);
    EXPECT_EQ(view.option().due, "50.00") << "it does not count";
    EXPECT_EQ(state_text(view).title, "We see your transfer on its way");
    EXPECT_TRUE(state_text(view).message.contains("It counts once a block contains it."));

    world.clock.time += 9min;
    EXPECT_EQ(view_of(world).phase, Phase::open) << "nobody has seen it for long";
}

TEST(CheckoutView, ATransferOnItsWayIsNotShownOnceTheBooksKnowBetter) {
    PageWorld world;
    world.detected.add(world.announced(20));
    world.credit(20, CreditStage::authorized);
    EXPECT_EQ(view_of(world).phase, Phase::detected) << "that was another transaction";
    world.state.credits[0].transfer.key.transaction_hash = world.announced(20).transaction_hash;
    EXPECT_EQ(view_of(world).phase, Phase::partially_paid);
    EXPECT_EQ(view_of(world).detected, "");
    world.detected.add(world.announced(30, 2));
    EXPECT_EQ(view_of(world).detected, "30.00 USDT");
    world.credit(30, CreditStage::authorized);
    EXPECT_EQ(view_of(world).phase, Phase::authorized);
}

TEST(CheckoutView, ATransferOnItsWayThatWouldNotCountIsNotShown) {
    PageWorld world;
    auto wrong_token = world.announced(50);
    wrong_token.token = kOtherToken;  // which is another chain's
    world.detected.add(wrong_token);
    EXPECT_EQ(view_of(world).phase, Phase::open);
    auto other_payment = world.announced(50, 2);
    other_payment.payment_id.uuid.bytes[15] ^= 1;
    world.detected.add(other_payment);
    EXPECT_EQ(view_of(world).phase, Phase::open);
}

TEST(CheckoutView, ATransferOnItsWayAfterTheTimeIsPromisedNothing) {
    PageWorld world;
    world.clock.time += 901s;
    world.detected.add(world.announced(50));
    auto const view = view_of(world);
    EXPECT_EQ(view.phase, Phase::detected);
    EXPECT_TRUE(view.time_is_up());
    EXPECT_TRUE(state_text(view).message.contains("it may come too late"));
}

// Any amount can stand in a transaction that no block will ever take.
TEST(CheckoutView, AnnouncedAmountsMayBeOfAnySize) {
    PageWorld world;
    for (std::uint8_t transaction = 1; transaction <= 2; ++transaction) {
        auto transfer = world.announced(1, transaction);
        transfer.amount = Amount::max();
        world.detected.add(transfer);
    }
    EXPECT_EQ(view_of(world).detected, "340282366920938463463374607431768.211455 USDT");
}

struct StateCase {
    char const* name;
    Uint128 paid;
    CreditStage stage;
    std::chrono::seconds wall_clock;
    std::chrono::seconds chain_clock;
    bool reversed;
    Phase phase;
    bool final;
    char const* title;
    char const* message_part;
};

class CheckoutStates : public testing::TestWithParam<StateCase> {};

TEST_P(CheckoutStates, HaveTheirWords) {
    auto const& param = GetParam();
    PageWorld world;
    if (param.paid > 0) world.credit(param.paid, param.stage);
    if (param.reversed) world.lose_a_transfer();
    Timestamp const start = world.clock.time;
    world.clock.time = start + param.wall_clock;
    world.follow(kTestChain, start + param.chain_clock);
    world.follow(kOtherChain, start + param.chain_clock);
    auto const view = view_of(world);
    EXPECT_EQ(view.phase, param.phase);
    EXPECT_EQ(view.final, param.final);
    auto const text = state_text(view);
    EXPECT_EQ(text.title, param.title);
    EXPECT_TRUE(text.message.contains(param.message_part)) << text.message;
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckoutStates,
    testing::Values(StateCase{"open",
                              0,
                              {},
                              1s,
                              1s,
                              false,
                              Phase::open,
                              false,
                              "Waiting for your payment",
                              "by itself"},
                    StateCase{"partial", 20, CreditStage::authorized, 1s, 1s, false,
                              Phase::partially_paid, false, "Part of your payment arrived",
                              "Still due: 30.00 USDT"},
                    StateCase{"authorized", 50, CreditStage::authorized, 1s, 1s, false,
                              Phase::authorized, false, "Payment received", "confirming"},
                    StateCase{"cleared", 50, CreditStage::cleared, 1s, 1s, false, Phase::paid,
                              false, "Paid", "confirmed"},
                    StateCase{"settled", 50, CreditStage::settled, 1s, 1s, false, Phase::paid, true,
                              "Paid", "final"},
                    StateCase{"checking",
                              0,
                              {},
                              901s,
                              899s,
                              false,
                              Phase::checking,
                              false,
                              "The time is up",
                              "do not send"},
                    StateCase{"expired",
                              0,
                              {},
                              902s,
                              901s,
                              false,
                              Phase::expired,
                              true,
                              "This payment has expired",
                              "do not send"},
                    StateCase{"underpaid", 20, CreditStage::unapplied, 902s, 901s, false,
                              Phase::expired, true, "This payment has expired",
                              "We received 20.00 USDT"},
                    StateCase{"reversed",
                              0,
                              {},
                              1s,
                              1s,
                              true,
                              Phase::reversed,
                              false,
                              "The network took your transfer back",
                              "comes back"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST(CheckoutCopy, WritesTimesAndHosts) {
    EXPECT_EQ(clock_text(872s), "14:32");
    EXPECT_EQ(clock_text(5s), "0:05");
    EXPECT_EQ(clock_text(3725s), "1:02:05");
    EXPECT_EQ(host_of("https://shop.example/thanks?x=1"), "shop.example");
    EXPECT_EQ(host_of("https://bank.example@evil.example/"), "evil.example");
}

}  // namespace
}  // namespace sycee::checkout
