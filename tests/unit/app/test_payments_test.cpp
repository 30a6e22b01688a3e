// Pins: which simulated transfer brings which outcome, and that an amount or a token that would
// bring another one is refused.
#include <sycee/app/test_payments.hpp>

#include <gtest/gtest.h>

#include <set>

namespace sycee {
namespace {

class SimulationTest : public ::testing::Test {
  protected:
    SimulationTest() {
        state.payment.merchant_id = MerchantId{make_uuid_v7(timestamp_from_seconds(1), {1})};
        state.payment.deposit_address = Address{Bytes20{3}};
        state.payment.expires_at = timestamp_from_seconds(1'800'000'900);
        for (auto const& token : test_chain_settings().tokens) {
            state.payment.options.push_back(
                {kTestChainId, token.contract, Amount(50'000'000), Amount(1'000'000)});
        }
    }
    Result<PlannedTransfer> plan(TestOutcome outcome, std::optional<std::string> amount = {},
                                 std::optional<std::string> token = {}) {
        return plan_simulation(state, {outcome, std::move(token), std::move(amount)}, Bytes32{9});
    }

    PaymentState state;
};

TEST_F(SimulationTest, APaymentIsPaidInFull) {
    auto const planned = plan(TestOutcome::paid);
    ASSERT_TRUE(planned);
    EXPECT_EQ(planned->transfer.amount, Amount(50'000'000));
    EXPECT_EQ(planned->transfer.recipient, state.payment.deposit_address);
    EXPECT_EQ(planned->transfer.merchant_id, state.payment.merchant_id);
    EXPECT_EQ(planned->transfer.transaction_hash, Bytes32{9});
    EXPECT_EQ(planned->transfer.token, state.payment.options[0].token);
    EXPECT_FALSE(planned->moment.after || planned->moment.taken_back_after);
    EXPECT_EQ(plan(TestOutcome::paid, {}, "TUSDC")->transfer.token, state.payment.options[1].token);
    // Within the tolerance, and more, is paid as well.
    EXPECT_EQ(plan(TestOutcome::paid, "49")->transfer.amount, Amount(49'000'000));
}

TEST_F(SimulationTest, TooLittleAndTooMuchAreThat) {
    EXPECT_EQ(plan(TestOutcome::underpaid)->transfer.amount, Amount(25'000'000));
    EXPECT_EQ(plan(TestOutcome::underpaid, "48.999999")->transfer.amount, Amount(48'999'999));
    EXPECT_EQ(plan(TestOutcome::overpaid)->transfer.amount, Amount(60'000'000));
    EXPECT_EQ(plan(TestOutcome::overpaid, "50.000001")->transfer.amount, Amount(50'000'001));
}

TEST_F(SimulationTest, LateIsAfterTheExpiryAndReversedBeforeOrAfterClearing) {
    EXPECT_EQ(plan(TestOutcome::late)->moment.after, state.payment.expires_at);
    auto const before = plan(TestOutcome::reversed)->moment.taken_back_after;
    auto const after = plan(TestOutcome::cleared_reversed)->moment.taken_back_after;
    auto const confirmations = test_chain_settings().finality.bands.at(0).confirmations;
    ASSERT_TRUE(before && after);
    // The block itself is the first confirmation.
    EXPECT_LT(*before, confirmations);
    EXPECT_GE(*after, confirmations);
    EXPECT_LE(*after, kDeepestTestReorg);
    EXPECT_LT(kDeepestTestReorg, kTestBlocksToFinal);
}

TEST_F(SimulationTest, AnAmountThatBringsAnotherOutcomeIsRefused) {
    for (auto const& [outcome, amount] :
         std::vector<std::pair<TestOutcome, std::string>>{{TestOutcome::paid, "48.999999"},
                                                          {TestOutcome::paid, "0"},
                                                          {TestOutcome::paid, "-1"},
                                                          {TestOutcome::paid, "1e3"},
                                                          {TestOutcome::late, "1"},
                                                          {TestOutcome::reversed, "1"},
                                                          {TestOutcome::underpaid, "49"},
                                                          {TestOutcome::underpaid, "0"},
                                                          {TestOutcome::overpaid, "50"},
                                                          {TestOutcome::overpaid, "50.0000001"}}) {
        auto const planned = plan(outcome, amount);
        ASSERT_FALSE(planned) << amount;
        EXPECT_EQ(planned.error().field, "amount") << amount;
    }
}

TEST_F(SimulationTest, OfAnOpenAmountNothingIsTooMuch) {
    state.payment.open_amount = true;
    EXPECT_EQ(plan(TestOutcome::paid)->transfer.amount, Amount(50'000'000));
    EXPECT_EQ(plan(TestOutcome::paid, "1234.5")->transfer.amount, Amount(1'234'500'000));
    EXPECT_EQ(plan(TestOutcome::underpaid)->transfer.amount, Amount(25'000'000));
    for (auto const& amount : {std::optional<std::string>(), std::optional<std::string>("90")}) {
        auto const planned = plan(TestOutcome::overpaid, amount);
        ASSERT_FALSE(planned);
        EXPECT_EQ(planned.error().field, "outcome");
    }
}

TEST_F(SimulationTest, ATokenThatIsNotOfferedIsRefused) {
    for (std::string const token : {"USDT", "", "tusdt"}) {
        auto const planned = plan(TestOutcome::paid, {}, token);
        ASSERT_FALSE(planned) << token;
        EXPECT_EQ(planned.error().field, "token");
    }
    state.payment.options = {{1, Address{Bytes20{1}}, Amount(1), {}}};
    EXPECT_FALSE(plan(TestOutcome::paid));
    EXPECT_TRUE(is_live(state.payment));
}

TEST_F(SimulationTest, NotEverMoreIsSentToOnePayment) {
    state.credits.resize(99);
    EXPECT_TRUE(plan(TestOutcome::paid));
    state.credits.resize(100);
    EXPECT_FALSE(plan(TestOutcome::paid));
}

TEST(TestMode, NamesItsOutcomesInOneWay) {
    std::set<std::string_view> names;
    for (auto const* name :
         {"paid", "underpaid", "overpaid", "late", "reversed", "cleared_reversed"}) {
        auto const outcome = parse_test_outcome(name);
        ASSERT_TRUE(outcome) << name;
        EXPECT_EQ(to_string(*outcome), name);
    }
    EXPECT_FALSE(parse_test_outcome(""));
    EXPECT_FALSE(parse_test_outcome("PAID"));
}

TEST(TestMode, HasAddressesThatAreNotTheLiveOnes) {
    auto const live = parse_extended_public_key(
        "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzv"
        "ZNSd54JoNXVsXFYSYwHsnJxqP");
    ASSERT_TRUE(live);
    auto const test = test_key_of(*live);
    ASSERT_TRUE(test);
    EXPECT_EQ(test->depth, live->depth + 1);
    std::set<Address> addresses;
    for (std::uint64_t index = 0; index < 20; ++index) {
        EXPECT_TRUE(addresses.insert(*derive_deposit_address(*live, index)).second);
        EXPECT_TRUE(addresses.insert(*derive_deposit_address(*test, index)).second);
    }
}

TEST(TestMode, PaymentsOfferOneModeAlone) {
    ChainSettings real;
    real.id = 1;
    real.tokens = {{"USDT", Address{Bytes20{1}}, 6, {}}};
    Network const network{{real, test_chain_settings()}, "https://pay.example"};
    CreatePayment input;
    input.amount = "50.00";
    input.currency = "USD";
    auto const now = timestamp_from_seconds(1'800'000'000);
    auto const live = check_new_payment(input, network, now);
    ASSERT_TRUE(live);
    ASSERT_EQ(live->options.size(), 1U);
    EXPECT_EQ(live->options[0].chain_id, 1U);
    input.livemode = false;
    auto const test = check_new_payment(input, network, now);
    ASSERT_EQ(test->options.size(), 2U);
    for (auto const& option : test->options)
        EXPECT_EQ(option.chain_id, kTestChainId);
}

}  // namespace
}  // namespace sycee
