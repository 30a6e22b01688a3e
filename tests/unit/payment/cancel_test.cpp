// Pins: a cancellation is an expiry brought forward. It can be as long as nothing came, and ends
// the payment before every block that one of its chains has not processed yet.
#include <sycee/base/assert.hpp>
#include <sycee/payment/cancel.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
constexpr ChainId kOtherChain = 8'453;
Address const kToken{Bytes20{1}};
Address const kUnoffered{Bytes20{2}};

Timestamp at(std::int64_t seconds) {
    return timestamp_from_seconds(seconds);
}

class Cancel : public ::testing::Test {
  protected:
    Cancel() {
        PaymentState state;
        state.payment.id.uuid.bytes[0] = 1;
        state.payment.currency = "USD";
        state.payment.price = Amount(5'000);
        state.payment.options = {{kChain, kToken, Amount(50), Amount{}},
                                 {kOtherChain, kToken, Amount(50), Amount{}}};
        state.payment.expires_at = at(2'000);
        view.merchant_id.uuid.bytes[0] = 3;
        view.head.sequence = 7;
        view.other_journals = {{kOtherChain, 4}};
        view.payments = {state};
        progress(kChain, 1'000, 50);
        progress(kOtherChain, 1'005, 80);
    }

    void progress(ChainId chain_id, std::int64_t time, BlockNumber head) {
        FinalityRule const rule{
            .version = 1, .bands = {{std::nullopt, 1}}, .most_not_final = std::nullopt};
        chains[chain_id] = ChainProgress{at(time), head, 10, rule};
    }
    PaymentState& state() { return view.payments.front(); }
    Result<MerchantStep> cancel(std::optional<Timestamp> ends_at = std::nullopt) {
        return cancel_payment(view, kChain,
                              {.payment_id = view.payments.front().payment.id,
                               .ends_at = ends_at,
                               .decided_by = "key_1",
                               .approved_by = ""},
                              chains, at(1'234));
    }
    std::string refusal(std::optional<Timestamp> ends_at = std::nullopt) {
        auto const result = cancel(ends_at);
        return result ? "accepted" : to_string(result.error());
    }
    void take(Result<MerchantStep> const& step) {
        ASSERT_TRUE(step) << to_string(step.error());
        view.head = step->head;
        view.payments = step->payments;
    }
    // A transfer in the next block of that chain, which has that time; what it becomes.
    MerchantStep pay(ChainId chain_id, std::int64_t time, Address const& token = kToken) {
        ChainProgress const before = chains[chain_id].value();
        progress(chain_id, time, before.agreed + 1);
        ChainStep const step{.chain_id = chain_id,
                             .rolled_back_to = std::nullopt,
                             .head = before.agreed + 1,
                             .tokens = {},
                             .chains = chains,
                             .repairs = false};
        Transfer transfer;
        transfer.key = {chain_id, {}, token, 0};
        transfer.key.transaction_hash[0] = ++transactions;
        transfer.amount = Amount(50);
        transfer.block_number = step.head;
        transfer.block_time = at(time);
        MerchantView of = view;
        if (chain_id != kChain) {
            of.head = {4, {}};
            of.other_journals = {{kChain, view.head.sequence}};
        }
        auto result = advance_merchant(of, {{state().payment.id, transfer, true}}, step, at(1'300));
        view.payments = result.payments;
        return result;
    }
    PaymentStatus status() const {
        return status_of(view.payments.front(),
                         chain_time_of(view.payments.front().payment, chains));
    }

    MerchantView view;
    ChainsProgress chains;
    std::uint8_t transactions = 0;
};

TEST_F(Cancel, ends_the_payment_before_what_its_slowest_chain_has_not_processed) {
    auto const step = cancel();
    ASSERT_TRUE(step) << to_string(step.error());
    ASSERT_EQ(step->entries.size(), 1U);
    auto const& record = std::get<Cancellation>(step->entries[0].record);
    // The next block of that chain may have the time of the last one.
    EXPECT_EQ(record.ends_at, at(999));
    EXPECT_EQ(record.decided_by, "key_1");
    EXPECT_TRUE(postings_of(record).empty());
    EXPECT_EQ(step->head.sequence, 8U);
    ASSERT_EQ(step->events.size(), 1U);
    EXPECT_EQ(step->events[0].type, "payment.canceled");
    EXPECT_EQ(step->events[0].status, PaymentStatus::canceled);
    EXPECT_EQ(step->events[0].record_sequence, 8U);
    EXPECT_EQ(step->events[0].positions, (JournalPositions{{kChain, 8}}));
    take(step);
    EXPECT_EQ(status(), PaymentStatus::canceled);
    EXPECT_EQ(ends_at(state()), at(999));
    EXPECT_EQ(state().canceled->booked_at, at(1'234));
}

TEST_F(Cancel, makes_late_what_comes_in_any_later_block_of_any_chain) {
    for (ChainId const chain_id : {kChain, kOtherChain}) {
        MerchantView const before = view;
        auto const chains_before = chains;
        take(cancel());
        // Of the same second as the last block that was processed.
        auto const booked = pay(chain_id, chain_id == kChain ? 1'000 : 1'005);
        ASSERT_EQ(booked.entries.size(), 2U);
        EXPECT_EQ(std::get<Unapplied>(booked.entries[1].record).reason, UnappliedReason::late);
        ASSERT_EQ(booked.events.size(), 1U);
        EXPECT_EQ(booked.events[0].type, "payment.exception");
        EXPECT_EQ(booked.events[0].status, PaymentStatus::canceled);
        // Both journals are told of: where it was canceled, and where the money came.
        EXPECT_EQ(booked.events[0].positions.contains(kChain), true);
        auto const facts = facts_of(state(), status());
        EXPECT_TRUE(facts.late);
        EXPECT_FALSE(facts.underpaid || facts.overpaid);
        view = before;
        chains = chains_before;
    }
}

TEST_F(Cancel, is_refused_where_anything_came) {
    MerchantView const before = view;
    auto const chains_before = chains;
    for (Address const& token : {kToken, kUnoffered}) {
        pay(kChain, 1'000, token);
        EXPECT_EQ(refusal(), "transfers: have come for it");
        view = before;
        chains = chains_before;
    }
    state().desk_credits = {{.chain_id = kChain, .token = kToken, .amount = Amount(1)}};
    EXPECT_EQ(refusal(), "transfers: were given to it by the desk");
    view = before;
    // A reorg took it away: the transaction may come back.
    state().reversed_transfers = {{TransferKey{kChain, {}, kToken, 0}, at(900)}};
    EXPECT_EQ(refusal(), "transfers: have come for it, and may come back: a reorg took them away");
}

TEST_F(Cancel, is_refused_a_second_time_after_the_end_and_of_no_payment) {
    MerchantView const before = view;
    take(cancel());
    EXPECT_EQ(refusal(), "status: is canceled already");
    view = before;
    progress(kChain, 2'001, 60);
    progress(kOtherChain, 2'000, 90);
    EXPECT_EQ(refusal(), "accepted");
    progress(kOtherChain, 2'001, 90);
    EXPECT_EQ(refusal(), "status: is expired");
    view.payments.clear();
    view.payments.push_back(before.payments.front());
    view.payments.front().payment.id.uuid.bytes[0] = 9;
    EXPECT_EQ(to_string(cancel_payment(view, kChain,
                                       {.payment_id = before.payments.front().payment.id,
                                        .ends_at = std::nullopt,
                                        .decided_by = "key_1",
                                        .approved_by = ""},
                                       chains, at(1))
                            .error()),
              "payment: is not a payment of this merchant");
}

TEST_F(Cancel, waits_for_chains_that_are_not_known) {
    chains[kOtherChain] = std::nullopt;
    EXPECT_EQ(refusal(), "chains: one of the payment's chains is not being followed");
}

// A rebuild is told when it ended, and has processed everything long since.
TEST_F(Cancel, may_be_told_an_end_that_all_chains_have_passed) {
    EXPECT_EQ(refusal(at(1'000)), "chains: have not processed everything up to its end");
    auto const step = cancel(at(700));
    ASSERT_TRUE(step);
    EXPECT_EQ(std::get<Cancellation>(step->entries[0].record).ends_at, at(700));
}

// As after an expiry: what a reorg puts in the place of a block that had been processed is in time.
TEST_F(Cancel, does_not_touch_what_a_reorg_brings_in_time) {
    take(cancel());
    auto const booked = pay(kChain, 999);
    ASSERT_EQ(booked.entries.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<Clearing>(booked.entries[1].record));
    EXPECT_EQ(status(), PaymentStatus::cleared);
}

TEST_F(Cancel, is_seen_by_whoever_books_on_another_chain) {
    auto const before = foreign_fingerprint(state(), kOtherChain);
    auto const here = foreign_fingerprint(state(), kChain);
    auto const of_all = foreign_fingerprint(state(), 0);
    take(cancel());
    EXPECT_NE(foreign_fingerprint(state(), kOtherChain), before);
    EXPECT_NE(foreign_fingerprint(state(), 0), of_all);
    EXPECT_EQ(foreign_fingerprint(state(), kChain), here);
}

TEST(Facts, say_what_was_not_as_asked_for) {
    PaymentState state;
    state.payment.price = Amount(50);
    state.payment.options = {{kChain, kToken, Amount(50), Amount{}}};
    state.payment.expires_at = at(100);
    Credit credit;
    credit.transfer.key = {kChain, {}, kToken, 0};
    credit.transfer.amount = Amount(20);
    credit.first_seen_time = at(100);
    state.credits = {credit};
    auto const facts = [&state](PaymentStatus status) {
        auto const found = facts_of(state, status);
        return std::string(found.underpaid ? "under " : "") + (found.overpaid ? "over " : "") +
               (found.late ? "late " : "");
    };
    EXPECT_EQ(facts(PaymentStatus::partially_paid), "");
    EXPECT_EQ(facts(PaymentStatus::expired), "under ");
    Credit& one = state.credits.front();
    one.stage = CreditStage::unapplied;
    one.unapplied_reason = UnappliedReason::underpaid;
    one.resolved = Amount(20);
    EXPECT_EQ(facts(PaymentStatus::settled), "under ");
    one.unapplied_reason = UnappliedReason::token_not_offered;
    EXPECT_EQ(facts(PaymentStatus::expired), "");
    one.unapplied_reason = UnappliedReason::late;
    one.first_seen_time = at(101);
    EXPECT_EQ(facts(PaymentStatus::expired), "late ");
    one.first_seen_time = at(99);
    one.unapplied_reason = UnappliedReason::already_paid;
    EXPECT_EQ(facts(PaymentStatus::settled), "over ");
    one.unapplied_reason.reset();
    one.stage = CreditStage::settled;
    one.excess = Amount(1);
    EXPECT_EQ(facts(PaymentStatus::settled), "over ");
}

}  // namespace
}  // namespace sycee
