// Pins: what a decision at the exceptions desk does, and what is refused.
#include <sycee/payment/desk.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
constexpr Timestamp kNow = timestamp_from_seconds(3'000);
Address const kToken{Bytes20{1}};
Address const kOtherToken{Bytes20{2}};

class Desk : public ::testing::Test {
  protected:
    Desk() {
        view.merchant_id.uuid.bytes[0] = 1;
        view.fees.basis_points = 100;
        view.head = {10, {}};
        add_payment(2);
        add_payment(3);
        chains[kChain] = ChainProgress{kNow, 100, 90, {}};
        put_on_desk(20'000'000, 50);
    }

    void add_payment(std::uint8_t number) {
        PaymentState state;
        state.payment.id.uuid.bytes[0] = number;
        state.payment.currency = "USD";
        state.payment.price = Amount(5'000);
        state.payment.options = {{kChain, kToken, Amount(50'000'000), Amount{}}};
        state.payment.expires_at = timestamp_from_seconds(2'000);
        view.payments.push_back(state);
    }

    // A transfer to the first payment that came too late or was too little.
    void put_on_desk(std::uint64_t amount, BlockNumber block) {
        Credit credit;
        credit.transfer.key = {kChain, {}, kToken, 0};
        credit.transfer.amount = Amount(amount);
        credit.transfer.block_number = block;
        credit.first_seen_time = timestamp_from_seconds(1'000);
        credit.stage = CreditStage::unapplied;
        credit.stage_sequence = 8;
        credit.stage_hash[0] = 8;
        credit.excess = Amount(amount);
        credit.unapplied_reason = UnappliedReason::underpaid;
        view.payments[0].credits = {credit};
    }

    Decision decision(ResolutionKind kind, std::uint64_t amount) const {
        Decision result;
        result.exception_sequence = 8;
        result.payment_id = view.payments[0].payment.id;
        result.kind = kind;
        result.amount = Amount(amount);
        result.decided_by = "opr_a";
        if (kind == ResolutionKind::credit) result.target = view.payments[1].payment.id;
        return result;
    }

    Result<MerchantStep> resolve(Decision const& what) const {
        return resolve_exception(view, kChain, what, chains, kNow);
    }
    std::string refusal(Decision const& what) const {
        auto const result = resolve(what);
        return result ? "" : to_string(result.error());
    }

    MerchantView view;
    ChainsProgress chains;
};

std::vector<std::string> types(MerchantStep const& step) {
    std::vector<std::string> result;
    for (auto const& event : step.events)
        result.push_back(event.type);
    return result;
}
using Types = std::vector<std::string>;

TEST_F(Desk, what_is_accepted_pays_its_payment_whatever_is_missing) {
    auto const step = resolve(decision(ResolutionKind::accept, 20'000'000));
    ASSERT_TRUE(step) << to_string(step.error());
    ASSERT_EQ(step->entries.size(), 1U);
    EXPECT_EQ(
        postings_of(step->entries[0].record),
        (Postings{
            {Account::payer_unapplied, Account::merchant_settled, kToken.bytes, Amount(19'800'000)},
            {Account::payer_unapplied, Account::operator_fee, kToken.bytes, Amount(200'000)}}));
    EXPECT_EQ(types(*step),
              (Types{"payment.exception_resolved", "payment.cleared", "payment.settled"}));
    EXPECT_EQ(step->events.back().status, PaymentStatus::settled);
    EXPECT_EQ(step->payments[0].credits[0].resolved, Amount(20'000'000));
}

TEST_F(Desk, a_credit_pays_another_payment_as_far_as_it_goes) {
    auto const step = resolve(decision(ResolutionKind::credit, 20'000'000));
    ASSERT_TRUE(step) << to_string(step.error());
    EXPECT_EQ(types(*step), Types{"payment.exception_resolved"});
    EXPECT_EQ(still_due(step->payments[1], step->payments[1].payment.options[0]),
              Amount(30'000'000));

    put_on_desk(50'000'000, 50);
    EXPECT_EQ(types(resolve(decision(ResolutionKind::credit, 50'000'000)).value()),
              (Types{"payment.exception_resolved", "payment.cleared", "payment.settled"}));
}

TEST_F(Desk, an_open_amount_takes_as_much_as_it_is_given) {
    view.payments[1].payment.open_amount = true;
    put_on_desk(90'000'000, 50);
    auto const step = resolve(decision(ResolutionKind::credit, 80'000'000));
    ASSERT_TRUE(step) << to_string(step.error());
    EXPECT_EQ(types(*step),
              (Types{"payment.exception_resolved", "payment.cleared", "payment.settled"}));
    EXPECT_EQ(payment_amount(step->payments[1]), Amount(8'000));
    // What is cleared has its amount.
    view.payments[1] = step->payments[1];
    EXPECT_EQ(refusal(decision(ResolutionKind::credit, 1)), "target: is paid already");
}

TEST_F(Desk, an_open_amount_takes_no_more_than_it_needs_while_a_part_waits) {
    view.payments[1].payment.open_amount = true;
    Credit& waiting = view.payments[1].credits.emplace_back(view.payments[0].credits[0]);
    waiting.stage = CreditStage::authorized;
    put_on_desk(90'000'000, 50);
    EXPECT_EQ(refusal(decision(ResolutionKind::credit, 80'000'000)),
              "amount: is more than the 30000000 base units that the payment still needs");
    EXPECT_TRUE(resolve(decision(ResolutionKind::credit, 30'000'000)));
    // A late one does not wait for anything.
    waiting.first_seen_time = timestamp_from_seconds(2'001);
    EXPECT_TRUE(resolve(decision(ResolutionKind::credit, 80'000'000)));
}

TEST_F(Desk, of_an_open_amount_less_than_the_least_may_be_accepted) {
    view.payments[0].payment.open_amount = true;
    auto const step = resolve(decision(ResolutionKind::accept, 20'000'000));
    ASSERT_TRUE(step) << to_string(step.error());
    EXPECT_EQ(step->events.back().status, PaymentStatus::settled);
    EXPECT_EQ(payment_amount(step->payments[0]), Amount(2'000));
}

TEST_F(Desk, a_write_off_and_a_refund_carry_no_fee) {
    auto const kept = resolve(decision(ResolutionKind::write_off, 5'000'000));
    EXPECT_EQ(postings_of(kept->entries[0].record),
              (Postings{{Account::payer_unapplied, Account::merchant_settled, kToken.bytes,
                         Amount(5'000'000)}}));
    auto const promised = resolve(decision(ResolutionKind::refund, 20'000'000));
    EXPECT_EQ(postings_of(promised->entries[0].record),
              (Postings{{Account::payer_unapplied, Account::refund_frozen, kToken.bytes,
                         Amount(20'000'000)}}));
    EXPECT_EQ(types(*promised), Types{"payment.exception_resolved"});
    EXPECT_EQ(promised->events[0].status, PaymentStatus::expired);
}

TEST_F(Desk, nothing_is_given_out_twice) {
    view.payments[0].credits[0].resolved = Amount(15'000'000);
    EXPECT_EQ(refusal(decision(ResolutionKind::write_off, 5'000'001)),
              "amount: is more than the 5000000 base units that are left of the exception");
    EXPECT_EQ(refusal(decision(ResolutionKind::write_off, 5'000'000)), "");
    view.payments[0].credits[0].resolved = Amount(20'000'000);
    EXPECT_EQ(refusal(decision(ResolutionKind::refund, 1)), "exception: is resolved already");
}

TEST_F(Desk, waits_for_finality) {
    put_on_desk(20'000'000, 91);
    EXPECT_EQ(refusal(decision(ResolutionKind::accept, 20'000'000)),
              "exception: is not final yet: a reorg could take it away");
    chains[kChain] = std::nullopt;
    put_on_desk(20'000'000, 50);
    EXPECT_NE(refusal(decision(ResolutionKind::accept, 20'000'000)), "");
}

TEST_F(Desk, refuses_what_would_be_over_again) {
    put_on_desk(60'000'000, 50);
    EXPECT_EQ(refusal(decision(ResolutionKind::accept, 60'000'000)),
              "amount: is more than the 50000000 base units that the payment still needs");
    EXPECT_EQ(refusal(decision(ResolutionKind::accept, 50'000'000)), "");
}

TEST_F(Desk, refuses_a_target_that_cannot_take_it) {
    auto what = decision(ResolutionKind::credit, 1);
    what.target = view.payments[0].payment.id;
    EXPECT_NE(refusal(what), "");
    what.target = PaymentId{};
    EXPECT_EQ(refusal(what), "target: is not a payment of this merchant");
    what.target.reset();
    EXPECT_EQ(refusal(what), "target: is missing: which payment does it pay?");
    view.payments[1].payment.options[0].token = kOtherToken;
    EXPECT_EQ(refusal(decision(ResolutionKind::credit, 1)),
              "target: has no price in this token on this chain");
}

TEST_F(Desk, refuses_a_payment_that_is_paid) {
    view.payments[1].desk_credits = {{kChain, kToken, Amount(50'000'000), {}, 7, false, 5}};
    EXPECT_EQ(refusal(decision(ResolutionKind::credit, 1)), "target: is paid already");
}

TEST_F(Desk, refuses_what_is_not_on_the_desk) {
    auto what = decision(ResolutionKind::refund, 1);
    what.exception_sequence = 7;
    EXPECT_EQ(refusal(what), "exception: is not on the desk");
    view.payments[0].credits[0].stage = CreditStage::authorized;
    EXPECT_EQ(refusal(decision(ResolutionKind::refund, 1)), "exception: is not on the desk");
    EXPECT_EQ(refusal(decision(ResolutionKind::refund, 0)), "exception: is not on the desk");
}

}  // namespace
}  // namespace sycee
