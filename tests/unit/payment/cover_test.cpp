// Pins: when a payment is covered by parts in several tokens and on several chains.
#include <sycee/payment/state.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace sycee {
namespace {

Address const kDollar{Bytes20{1}};
Address const kOther{Bytes20{2}};

class Cover : public ::testing::Test {
  protected:
    Cover() {
        state.payment.currency = "USD";
        state.payment.price = Amount(1'000);  // ten dollars
        state.payment.options = {{1, kDollar, Amount(10'000'000), Amount(5'000)},
                                 {1, kOther, Amount(10'000'000), Amount{}},
                                 {56, kDollar, Amount(1'000'000'000'000), Amount{}}};
        state.payment.expires_at = timestamp_from_seconds(1'000);
    }

    Credit& add(ChainId chain_id, Address const& token, std::uint64_t amount) {
        Credit credit;
        credit.transfer.key.chain_id = chain_id;
        credit.transfer.key.token = token;
        credit.transfer.key.transaction_hash[0] =
            static_cast<std::uint8_t>(state.credits.size() + 1);
        credit.transfer.amount = Amount(amount);
        return state.credits.emplace_back(credit);
    }
    Coverage coverage() const {
        std::vector<Credit const*> all;
        for (Credit const& credit : state.credits)
            all.push_back(&credit);
        return cover(state, all);
    }

    PaymentState state;
};

TEST_F(Cover, what_is_over_of_a_cleared_part_does_not_pay_for_another_chain) {
    Credit& here = add(1, kDollar, 10'000'000);
    here.stage = CreditStage::cleared;
    here.gross = Amount(8'000'000);
    here.excess = Amount(2'000'000);
    EXPECT_FALSE(coverage().covered);
    EXPECT_EQ(status_of(state, std::nullopt), PaymentStatus::partially_paid);
    add(56, kDollar, 200'000'000'000);
    EXPECT_EQ(status_of(state, std::nullopt), PaymentStatus::authorized);
    EXPECT_EQ(coverage().applied[1], Amount(200'000'000'000));
}

TEST_F(Cover, a_shortfall_is_in_the_token_that_tolerates_it) {
    add(1, kDollar, 9'995'000);
    add(56, kDollar, 1);
    Coverage const covered = coverage();
    ASSERT_TRUE(covered.covered);
    EXPECT_EQ(covered.shortfall, Amount(5'000));
    EXPECT_EQ(covered.short_credit, 0U);
}

TEST_F(Cover, dust_of_another_token_does_not_undo_a_tolerance) {
    add(1, kDollar, 9'995'000);
    EXPECT_TRUE(coverage().covered);
    add(1, kOther, 1);
    EXPECT_TRUE(coverage().covered);
}

TEST_F(Cover, a_tolerance_does_not_hang_on_the_order) {
    add(1, kDollar, 4'995'001);
    add(1, kOther, 5'000'000);
    bool const before = coverage().covered;
    std::swap(state.credits[0], state.credits[1]);
    EXPECT_EQ(coverage().covered, before);
}

// Its price of ten dollars is the least then.
class OpenAmount : public Cover {
  protected:
    OpenAmount() {
        state.payment.open_amount = true;
        state.payment.options[0].tolerance = Amount{};
    }
    Credit& clear(Credit& credit) {
        credit.stage = CreditStage::cleared;
        credit.gross = credit.transfer.amount;
        return credit;
    }
};

TEST_F(OpenAmount, all_that_reaches_the_least_is_applied) {
    add(1, kDollar, 9'999'999);
    EXPECT_FALSE(coverage().covered);
    EXPECT_EQ(still_due(state, state.payment.options[0]), Amount(1));
    EXPECT_EQ(status_of(state, std::nullopt), PaymentStatus::partially_paid);
    add(1, kDollar, 73'000'000);
    Coverage const covered = coverage();
    ASSERT_TRUE(covered.covered);
    EXPECT_EQ(covered.applied, (std::vector{Amount(9'999'999), Amount(73'000'000)}));
    EXPECT_TRUE(covered.shortfall.is_zero());
    EXPECT_EQ(status_of(state, std::nullopt), PaymentStatus::authorized);
}

TEST_F(OpenAmount, parts_in_several_tokens_are_applied_whole) {
    add(1, kOther, 9'000'000);
    add(56, kDollar, 700'000'000'000);
    Coverage const covered = coverage();
    ASSERT_TRUE(covered.covered);
    EXPECT_EQ(covered.applied, (std::vector{Amount(9'000'000), Amount(700'000'000'000)}));
}

TEST_F(OpenAmount, the_amount_is_what_was_paid_and_nothing_before_it_is_cleared) {
    EXPECT_EQ(payment_amount(state), std::nullopt);
    add(1, kDollar, 12'349'999);
    EXPECT_EQ(payment_amount(state), std::nullopt);
    clear(state.credits.back());
    EXPECT_EQ(payment_amount(state), Amount(1'234));
    // On another chain as well, and what the desk gave; what lies on the desk is not of it.
    clear(add(56, kDollar, 500'000'000'000));
    state.desk_credits.push_back({.chain_id = 1, .token = kOther, .amount = Amount(2'005'000)});
    Credit& second = add(1, kDollar, 40'000'000);
    second.stage = CreditStage::unapplied;
    second.excess = second.transfer.amount;
    EXPECT_EQ(payment_amount(state), Amount(1'234 + 500 + 200));
}

TEST_F(OpenAmount, less_than_the_least_that_a_reorg_left_has_no_amount) {
    clear(add(56, kDollar, 100'000'000'000));
    EXPECT_EQ(payment_amount(state), std::nullopt);
    EXPECT_EQ(status_of(state, std::nullopt), PaymentStatus::partially_paid);
}

TEST_F(Cover, the_amount_of_a_payment_with_a_price_is_its_price) {
    EXPECT_EQ(payment_amount(state), Amount(1'000));
    add(1, kDollar, 90'000'000);
    EXPECT_EQ(payment_amount(state), Amount(1'000));
}

}  // namespace
}  // namespace sycee
