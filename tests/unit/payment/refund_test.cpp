// Pins: what may be promised back to a payer and by what a promise is kept: never more than is
// settled less what was promised, never without a recipient, and only by a final transfer that
// fits.
#include <sycee/payment/refund.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
constexpr ChainId kOtherChain = 8453;
Address const kToken{Bytes20{1}};
Address const kOtherToken{Bytes20{2}};
Address const kPayer{Bytes20{7}};
Timestamp const kNow = timestamp_from_seconds(5'000);

class Refunds : public ::testing::Test {
  protected:
    Refunds() {
        PaymentState state;
        state.payment.id.uuid.bytes[0] = 1;
        state.payment.deposit_address = Address{Bytes20{9}};
        state.payment.options = {{kChain, kToken, Amount(50), Amount{}}};
        state.payment.price = Amount(50);
        Credit credit;
        credit.transfer.key = {kChain, {}, kToken, 0};
        credit.transfer.amount = Amount(60);
        credit.stage = CreditStage::settled;
        credit.gross = Amount(50);
        credit.fee = Amount(1);
        credit.excess = Amount(10);
        credit.stage_sequence = 2;
        state.credits = {credit};
        view.merchant_id.uuid.bytes[0] = 3;
        view.head.sequence = 4;
        view.payments = {state};
        chains[kChain] =
            ChainProgress{.head_time = kNow, .agreed = 110, .finalized = 100, .rule = {}};
    }

    PaymentState const& state() const { return view.payments.front(); }
    RefundDecision decision(Amount amount) const {
        return {.payment_id = state().payment.id,
                .token = kToken,
                .recipient = kPayer,
                .amount = amount,
                .decided_by = "key_1",
                .approved_by = ""};
    }
    Result<MerchantStep> promise(RefundDecision const& what) const {
        return promise_refund(view, kChain, what, chains, kNow);
    }
    // Promises, and goes on from there. The number of the record.
    std::uint64_t promised(Amount amount) { return take(promise(decision(amount))); }
    std::uint64_t take(Result<MerchantStep> const& step) {
        EXPECT_TRUE(step) << to_string(step.error());
        EXPECT_EQ(step->entries.size(), 1U);
        view.head = step->head;
        view.payments = step->payments;
        last = step->entries.back();
        events.push_back(step->events.at(0).type);
        return view.head.sequence;
    }
    static std::string refusal(Result<MerchantStep> const& step) {
        return step ? "accepted" : to_string(step.error());
    }
    static Transfer transfer(Amount amount) {
        Transfer paid;
        paid.key = {kChain, {}, kToken, 0};
        paid.key.transaction_hash[0] = 5;
        paid.recipient = kPayer;
        paid.amount = amount;
        paid.block_number = 100;
        paid.block_time = kNow;
        return paid;
    }
    PromiseKept kept(std::uint64_t sequence, Transfer const& by) const {
        return {.payment_id = state().payment.id,
                .promise_sequence = sequence,
                .recipient = kPayer,
                .promised_at = kNow,
                .transfer = by};
    }
    Result<MerchantStep> keep(PromiseKept const& what) const {
        return keep_promise(view, kChain, what, chains, kNow);
    }
    Result<MerchantStep> cancel(std::uint64_t sequence) const {
        return cancel_promise(
            view, kChain,
            {.payment_id = state().payment.id, .promise_sequence = sequence, .decided_by = "key_1"},
            chains, kNow);
    }

    MerchantView view;
    ChainsProgress chains;
    JournalEntry last;
    std::vector<std::string> events;
};

TEST_F(Refunds, are_at_most_what_is_settled_less_the_fee_and_what_was_promised) {
    EXPECT_EQ(refusal(promise(decision(Amount(50)))),
              "amount: is more than the 49 base units that are left of what is settled");
    promised(Amount(30));
    EXPECT_EQ(refundable_amount(state(), kChain, kToken), Amount(19));
    EXPECT_EQ(refusal(promise(decision(Amount(20)))),
              "amount: is more than the 19 base units that are left of what is settled");
    promised(Amount(19));
    EXPECT_EQ(refusal(promise(decision(Amount(1)))),
              "payment: has nothing settled in this token to refund");
    EXPECT_TRUE(refundable_of(state()).empty());
}

TEST_F(Refunds, of_what_was_paid_are_not_there_again_and_of_what_was_canceled_are) {
    auto const first = promised(Amount(20));
    auto const second = promised(Amount(20));
    take(keep(kept(first, transfer(Amount(20)))));
    EXPECT_EQ(refundable_amount(state(), kChain, kToken), Amount(9));
    take(cancel(second));
    EXPECT_EQ(refundable_amount(state(), kChain, kToken), Amount(29));
    EXPECT_EQ(events, (std::vector<std::string>{"refund.created", "refund.created", "refund.paid",
                                                "refund.canceled"}));
}

TEST_F(Refunds, count_what_the_desk_gave_to_the_payment) {
    view.payments.front().desk_credits = {
        {.chain_id = kOtherChain, .token = kOtherToken, .amount = Amount(8), .fee = Amount(3)}};
    EXPECT_EQ(refundable_amount(state(), kOtherChain, kOtherToken), Amount(5));
    EXPECT_EQ(refundable_of(state()).size(), 2U);
}

TEST_F(Refunds, need_a_recipient_that_can_be_one) {
    auto const to = [&](Address const& recipient) {
        RefundDecision what = decision(Amount(1));
        what.recipient = recipient;
        return refusal(promise(what));
    };
    EXPECT_EQ(to({}), "accepted");  // nobody yet: the payer says it
    EXPECT_EQ(to(kToken), "recipient: is the contract of the token itself");
    EXPECT_EQ(to(state().payment.deposit_address),
              "recipient: is a deposit address of this gateway");
    EXPECT_EQ(to(kOtherToken), "accepted");
}

TEST_F(Refunds, of_a_frozen_address_or_another_payment_are_refused) {
    view.frozen = {state().payment.id};
    EXPECT_NE(refusal(promise(decision(Amount(1)))).find("payment: is at an address"),
              std::string::npos);
    view.frozen.clear();
    RefundDecision other = decision(Amount(1));
    other.payment_id = {};
    EXPECT_EQ(refusal(promise(other)), "payment: is not a payment of this merchant");
    EXPECT_EQ(refusal(promise(decision({}))), "amount: must be above zero");
}

TEST_F(Refunds, hold_what_was_decided) {
    promised(Amount(7));
    auto const& record = std::get<Refund>(last.record);
    EXPECT_EQ(record.recipient, kPayer);
    EXPECT_EQ(record.amount, Amount(7));
    EXPECT_EQ(postings_of(last.record), refund_postings(kToken.bytes, Amount(7)));
    EXPECT_EQ(last.sequence, 5U);
}

TEST_F(Refunds, are_paid_by_a_final_transfer_that_fits) {
    auto const sequence = promised(Amount(20));
    auto const wrong = [&](auto const& change) {
        Transfer by = transfer(Amount(20));
        change(by);
        return refusal(keep(kept(sequence, by)));
    };
    std::string const does_not_fit =
        "transaction: does not send the refund's token to its recipient, or not enough of it";
    EXPECT_EQ(wrong([](Transfer& by) { by.amount = Amount(19); }), does_not_fit);
    EXPECT_EQ(wrong([](Transfer& by) { by.key.token = kOtherToken; }), does_not_fit);
    EXPECT_EQ(wrong([](Transfer& by) { by.key.chain_id = kOtherChain; }), does_not_fit);
    EXPECT_EQ(wrong([](Transfer& by) { by.recipient = kToken; }), does_not_fit);
    EXPECT_EQ(wrong([](Transfer& by) { by.block_number = 101; }),
              "transaction: is not final yet: a reorg could take it away");
    PromiseKept another = kept(sequence, transfer(Amount(20)));
    another.recipient = another.transfer.recipient = kOtherToken;
    EXPECT_EQ(refusal(keep(another)), "refund: has another recipient, or none");
    EXPECT_EQ(wrong([](Transfer& by) { by.block_time = kNow - std::chrono::minutes(61); }),
              "transaction: is older than the refund: it paid something else");
    Transfer slow = transfer(Amount(20));  // by a clock that is behind
    slow.block_time = kNow - kPromiseClockSlack;
    EXPECT_TRUE(keep(kept(sequence, slow)));
    // Whoever sends more loses nothing of what is promised to others.
    take(keep(kept(sequence, transfer(Amount(25)))));
    EXPECT_EQ(std::get<RefundPayment>(last.record).amount, Amount(20));
    EXPECT_EQ(std::get<RefundPayment>(last.record).finalized_block, 100U);
    EXPECT_EQ(refusal(keep(kept(sequence, transfer(Amount(20))))), "refund: is paid already");
    EXPECT_EQ(refusal(cancel(sequence)), "refund: is paid already");
}

TEST_F(Refunds, are_canceled_once) {
    auto const sequence = promised(Amount(20));
    take(cancel(sequence));
    EXPECT_EQ(refusal(cancel(sequence)), "refund: is canceled already");
    EXPECT_EQ(refusal(keep(kept(sequence, transfer(Amount(20))))), "refund: is canceled already");
    EXPECT_EQ(refusal(cancel(77)), "refund: is not there");
}

TEST_F(Refunds, of_the_desk_go_to_whom_it_is_said_and_back_to_the_desk) {
    PaymentState& of = view.payments.front();
    of.credits.front().resolved = Amount(10);
    of.promises = {{.chain_id = kChain,
                    .token = kToken,
                    .amount = Amount(10),
                    .kind = RecordKind::resolution,
                    .sequence = 3,
                    .exception_sequence = 2}};
    // What lies on the desk is not settled.
    EXPECT_EQ(refundable_amount(of, kChain, kToken), Amount(49));
    MerchantView const before = view;
    take(keep(kept(3, transfer(Amount(10)))));
    EXPECT_EQ(std::get<RefundPayment>(last.record).promise_kind, RecordKind::resolution);
    view = before;
    take(cancel(3));
    EXPECT_EQ(postings_of(last.record), mirror(refund_promise_postings(kToken.bytes, Amount(10))));
    EXPECT_TRUE(state().credits.front().resolved.is_zero());
}

TEST_F(Refunds, take_the_least_of_several_transfers_that_fits) {
    Promise const promise{.chain_id = kChain, .token = kToken, .amount = Amount(20), .hash = {}};
    std::vector<Transfer> transfers;
    for (std::uint64_t const amount : {30U, 19U, 20U, 25U}) {
        transfers.push_back(transfer(Amount(amount)));
        transfers.back().key.ordinal = static_cast<std::uint32_t>(transfers.size() - 1);
    }
    auto const fitting = fitting_transfers(promise, kPayer, transfers);
    ASSERT_EQ(fitting.size(), 3U);
    EXPECT_EQ(fitting[0].key.ordinal, 2U);
    EXPECT_EQ(fitting[1].key.ordinal, 3U);
    EXPECT_TRUE(fitting_transfers(promise, kToken, transfers).empty());
}

}  // namespace
}  // namespace sycee
