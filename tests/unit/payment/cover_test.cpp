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

}  // namespace
}  // namespace sycee
