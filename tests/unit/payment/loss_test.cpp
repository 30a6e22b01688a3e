// Pins: a loss is one record, token_loss -> coins, of what is missing; only where the address
// differs, the comparison is final, and no more is lost than lies there for good.
#include <sycee/base/assert.hpp>
#include <sycee/payment/loss.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
Address const kToken{Bytes20{1}};

class Loss : public ::testing::Test {
  protected:
    Loss() {
        PaymentState state;
        state.payment.id.uuid.bytes[0] = 1;
        Credit credit;
        credit.transfer.key = {.chain_id = kChain, .token = kToken};
        credit.transfer.amount = Amount(50);
        credit.transfer.block_number = 100;
        state.credits.push_back(credit);
        view.head.sequence = 7;
        view.payments.push_back(state);
        view.frozen.insert(state.payment.id);
        decision = {.difference_id = {},
                    .payment_id = state.payment.id,
                    .token = kToken,
                    .amount = Amount(30),
                    .block_number = 105,
                    .block_hash = {},
                    .decided_by = "opr_a",
                    .approved_by = "opr_b",
                    .reason_hash = {}};
        chains[kChain] = ChainProgress{{}, 110, 105, {}};
    }

    std::string refusal() const {
        auto const step = book_loss(view, kChain, decision, chains, {});
        return step ? "" : to_string(step.error());
    }

    MerchantView view;
    LossDecision decision;
    ChainsProgress chains;
};

TEST_F(Loss, is_one_record_that_lowers_the_coins_and_nobodys_claim) {
    auto const step = book_loss(view, kChain, decision, chains, {});
    ASSERT_TRUE(step) << to_string(step.error());
    ASSERT_EQ(step->entries.size(), 1U);
    EXPECT_EQ(step->first_head.sequence, 7U);
    EXPECT_EQ(step->head.sequence, 8U);
    auto const& record = std::get<TokenLoss>(step->entries[0].record);
    EXPECT_EQ(record.amount, Amount(30));
    EXPECT_EQ(record.block_number, 105U);
    EXPECT_EQ(record.approved_by, "opr_b");
    EXPECT_EQ(postings_of(record),
              (Postings{{Account::token_loss, Account::coins, kToken.bytes, Amount(30)}}));
    EXPECT_EQ(address_balance(step->payments[0], kChain, kToken), Amount(20));
}

TEST_F(Loss, of_an_address_that_does_not_differ_is_refused) {
    view.frozen.clear();
    EXPECT_EQ(refusal(), "difference: is not open");
    decision.payment_id.uuid.bytes[0] = 9;
    EXPECT_EQ(refusal(), "difference: is not open");
}

TEST_F(Loss, waits_until_its_comparison_is_final) {
    chains[kChain]->finalized = 104;
    EXPECT_EQ(refusal(),
              "difference: was found in block 105, which is not final yet: a reorg could bring it "
              "back");
    chains[kChain] = std::nullopt;
    EXPECT_NE(refusal(), "");
}

TEST_F(Loss, is_never_of_nothing_or_of_more_than_lies_there_for_good) {
    decision.amount = Amount{};
    EXPECT_EQ(refusal(), "difference: leaves nothing missing");
    decision.amount = Amount(51);
    EXPECT_EQ(
        refusal(),
        "difference: leaves 51 base units missing, but the books have only 50 there that were "
        "received for good");
    // What came in a block that is not final does not count.
    decision.amount = Amount(50);
    view.payments[0].credits[0].transfer.block_number = 106;
    EXPECT_NE(refusal().find("only 0 there"), std::string::npos) << refusal();
    // Nor does what is booked as lost already.
    view.payments[0].credits[0].transfer.block_number = 100;
    view.payments[0].losses.push_back({kChain, kToken, Amount(1)});
    EXPECT_NE(refusal().find("only 49 there"), std::string::npos) << refusal();
}

TEST_F(Loss, is_never_taken_away_by_a_reorg_nor_by_a_repair) {
    view.payments[0].losses.push_back({kChain, kToken, Amount(30)});
    ChainStep step{.chain_id = kChain,
                   .rolled_back_to = 99,
                   .head = 99,
                   .tokens = {},
                   .chains = chains,
                   .repairs = true};
    EXPECT_THROW(advance_merchant(view, {}, step, {}), InvariantViolation);
    step.rolled_back_to = 100;
    EXPECT_NO_THROW(advance_merchant(view, {}, step, {}));
}

}  // namespace
}  // namespace sycee
