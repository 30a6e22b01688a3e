// Pins: what each step of a chain does to one merchant's books. After every step the books are
// re-added, every transfer is claimed exactly once, and the hash chain links.
#include <sycee/base/assert.hpp>
#include <sycee/payment/advance.hpp>

#include <gtest/gtest.h>

#include <map>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
constexpr Timestamp kCreated = timestamp_from_seconds(1'000);
constexpr Timestamp kExpires = timestamp_from_seconds(2'000);
Address const kToken{Bytes20{1}};
Address const kOtherToken{Bytes20{2}};
Address const kUnoffered{Bytes20{9}};
Address const kPayer{Bytes20{3}};

class Advance : public ::testing::Test {
  protected:
    Advance() {
        view.merchant_id.uuid.bytes[0] = 1;
        PaymentState state;
        state.payment.merchant_id = view.merchant_id;
        state.payment.id.uuid.bytes[0] = 2;
        state.payment.deposit_address = Address{Bytes20{7}};
        state.payment.currency = "USD";
        state.payment.price = Amount(5000);
        state.payment.options = {{kChain, kToken, Amount(50'000'000)},
                                 {kChain, kOtherToken, Amount(50'000'000)}};
        state.payment.created_at = kCreated;
        state.payment.expires_at = kExpires;
        view.payments.push_back(state);
    }

    Transfer transfer(std::uint8_t txn, std::uint64_t amount, BlockNumber number,
                      Address token = kToken) const {
        Transfer result;
        result.key = {kChain, {}, token, 0};
        result.key.transaction_hash[0] = txn;
        result.sender = kPayer;
        result.recipient = view.payments[0].payment.deposit_address;
        result.amount = Amount(amount);
        result.block_number = number;
        result.block_hash[0] = static_cast<std::uint8_t>(number);
        result.block_time = timestamp_from_seconds(static_cast<std::int64_t>(1'000 + number));
        return result;
    }

    // Runs a step with these transfers in and out; checks the invariants; gives the event types.
    std::vector<std::string> step(BlockNumber head, BlockNumber finalized,
                                  std::vector<Transfer> const& in,
                                  std::vector<Transfer> const& out = {},
                                  std::optional<BlockNumber> rolled_back_to = {}) {
        std::vector<MatchedTransfer> matched;
        for (auto const& one : in)
            matched.push_back({payment().id, one, true});
        for (auto const& one : out)
            matched.push_back({payment().id, one, false});
        ChainStep const chain_step{
            .chain_id = kChain,
            .rolled_back_to = rolled_back_to,
            .head = head,
            .head_time = timestamp_from_seconds(static_cast<std::int64_t>(1'000 + head)),
            .finalized = finalized,
            .confirmations = confirmations};
        last = advance_merchant(view, matched, chain_step, kCreated);
        check_entries();
        view.head = last.head;
        view.payments = last.payments;
        for (auto const& entry : last.entries) {
            if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
                view.last_batch_number = batch->batch_number;
            }
        }
        check_claims();
        std::vector<std::string> types;
        for (auto const& event : last.events)
            types.push_back(event.type);
        now = chain_step.head_time;
        return types;
    }

    void check_entries() {
        JournalHead head = last.first_head;
        EXPECT_EQ(head, view.head);
        for (JournalEntry const& entry : last.entries) {
            EXPECT_EQ(entry.sequence, head.sequence + 1);
            EXPECT_EQ(entry.previous_hash, head.hash);
            EXPECT_EQ(entry.hash, hash_of(entry));
            for (Posting const& posting : postings_of(entry.record))
                sheet.post(posting);
            head = {entry.sequence, entry.hash};
        }
        EXPECT_EQ(head, last.head);
    }

    // One transfer, one credit: what stands in the claims is what came.
    void check_claims() {
        for (Address const& token : {kToken, kOtherToken, kUnoffered}) {
            Amount in;
            for (Credit const& credit : view.payments[0].credits) {
                if (credit.transfer.key.token == token) in += credit.transfer.amount;
            }
            Amount unexplained;
            for (Outflow const& outflow : view.payments[0].outflows) {
                if (outflow.transfer.key.token == token) unexplained += outflow.unexplained;
            }
            Amount claims;
            for (Account const account :
                 {Account::payer_pending, Account::payer_unapplied, Account::merchant_cleared,
                  Account::merchant_settled, Account::operator_fee}) {
                claims += sheet.balance(token.bytes, account).magnitude;
            }
            EXPECT_EQ(claims, in + unexplained);
        }
    }

    Payment const& payment() const { return view.payments[0].payment; }
    PaymentStatus status() const { return status_of(view.payments[0], now); }
    std::string balance(Account account, Address token = kToken) const {
        return to_string(sheet.balance(token.bytes, account).magnitude);
    }

    MerchantView view;
    MerchantStep last;
    BalanceSheet sheet;
    Timestamp now = kCreated;
    std::uint32_t confirmations = 1;
};

using Types = std::vector<std::string>;

TEST_F(Advance, pays_in_three_stages) {
    confirmations = 3;
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(status(), PaymentStatus::authorized);
    EXPECT_EQ(step(11, 6, {}), Types{});
    EXPECT_EQ(step(12, 7, {}), Types{"payment.cleared"});
    EXPECT_EQ(balance(Account::merchant_cleared), "50000000");
    EXPECT_EQ(step(15, 10, {}), Types{"payment.settled"});
    EXPECT_EQ(balance(Account::merchant_settled), "50000000");
    EXPECT_EQ(status(), PaymentStatus::settled);
    EXPECT_FALSE(has_open_work(view.payments[0], {.chain_id = kChain, .finalized = 10}));
}

TEST_F(Advance, a_rule_of_one_block_authorizes_and_clears_in_one_step) {
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

TEST_F(Advance, the_fee_is_rounded_down_and_stays_in_the_books) {
    view.fee_basis_points = 33;
    step(10, 10, {transfer(1, 50'000'000, 10)});
    EXPECT_EQ(balance(Account::operator_fee), "165000");
    EXPECT_EQ(balance(Account::merchant_settled), "49835000");
}

TEST_F(Advance, parts_of_two_tokens_cover_together) {
    EXPECT_EQ(step(10, 5, {transfer(1, 20'000'000, 10)}), Types{"payment.partially_paid"});
    EXPECT_EQ(step(11, 5, {transfer(2, 30'000'000, 11, kOtherToken)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(balance(Account::merchant_cleared), "20000000");
    EXPECT_EQ(balance(Account::merchant_cleared, kOtherToken), "30000000");
}

TEST_F(Advance, what_is_over_goes_to_the_desk) {
    step(10, 5, {transfer(1, 60'000'000, 10)});
    EXPECT_EQ(balance(Account::payer_unapplied), "10000000");
    EXPECT_EQ(balance(Account::merchant_cleared), "50000000");
}

TEST_F(Advance, a_second_payment_goes_to_the_desk_whole) {
    step(10, 5, {transfer(1, 50'000'000, 10)});
    EXPECT_EQ(step(11, 5, {transfer(2, 50'000'000, 11)}), Types{"payment.exception"});
    EXPECT_EQ(view.payments[0].credits[1].unapplied_reason, UnappliedReason::already_paid);
    EXPECT_EQ(balance(Account::payer_unapplied), "50000000");
}

TEST_F(Advance, one_unit_short_does_not_cover) {
    EXPECT_EQ(step(10, 5, {transfer(1, 49'999'999, 10)}), Types{"payment.partially_paid"});
    EXPECT_EQ(step(11, 5, {transfer(2, 1, 11)}), (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(balance(Account::payer_unapplied), "0");
}

TEST_F(Advance, too_little_at_expiry_goes_to_the_desk) {
    step(10, 5, {transfer(1, 20'000'000, 10)});
    EXPECT_EQ(step(1'001, 900, {}), Types{"payment.exception"});
    EXPECT_EQ(status(), PaymentStatus::expired);
    EXPECT_EQ(balance(Account::payer_unapplied), "20000000");
}

TEST_F(Advance, a_transfer_is_late_by_its_block_time_alone) {
    EXPECT_EQ(step(1'000, 900, {transfer(1, 50'000'000, 1'000)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(step(1'001, 900, {transfer(2, 50'000'000, 1'001)}), Types{"payment.exception"});
    EXPECT_EQ(view.payments[0].credits[1].unapplied_reason, UnappliedReason::late);
}

TEST_F(Advance, a_token_that_is_not_an_option_pays_nothing) {
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10, kUnoffered)}), Types{"payment.exception"});
    EXPECT_EQ(status(), PaymentStatus::open);
    EXPECT_EQ(balance(Account::payer_unapplied, kUnoffered), "50000000");
}

TEST_F(Advance, a_reorg_takes_the_money_back_and_says_so) {
    step(10, 5, {transfer(1, 50'000'000, 10)});
    EXPECT_EQ(step(10, 5, {}, {}, 9), Types{"payment.reversed"});
    EXPECT_TRUE(last.events[0].goods_may_be_released);
    EXPECT_EQ(status(), PaymentStatus::reversed);
    EXPECT_EQ(balance(Account::coins), "0");
    // The newest record first: the clearing falls before its authorization.
    ASSERT_EQ(last.entries.size(), 2U);
    EXPECT_EQ(std::get<Reversal>(last.entries[0].record).reversed_kind, RecordKind::clearing);
    EXPECT_EQ(std::get<Reversal>(last.entries[1].record).reversed_kind, RecordKind::authorization);
}

TEST_F(Advance, a_transaction_mined_again_is_one_payment_moved) {
    step(10, 5, {transfer(1, 50'000'000, 10)});
    Transfer again = transfer(1, 50'000'000, 11);
    again.log_index = 4;
    EXPECT_EQ(step(12, 5, {again}, {}, 9), (Types{"payment.moved"}));
    EXPECT_EQ(status(), PaymentStatus::cleared);
    EXPECT_EQ(view.payments[0].credits.size(), 1U);
}

TEST_F(Advance, a_transfer_that_comes_back_late_is_as_early_as_it_was) {
    confirmations = 3;
    step(999, 5, {transfer(1, 50'000'000, 999)});
    step(999, 5, {}, {}, 998);
    EXPECT_EQ(step(1'005, 5, {transfer(1, 50'000'000, 1'003)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

TEST_F(Advance, one_of_two_parts_reversed_leaves_the_other_cleared) {
    step(10, 5, {transfer(1, 20'000'000, 10)});
    step(12, 5, {transfer(2, 30'000'000, 12)});
    EXPECT_EQ(step(12, 5, {}, {}, 11), Types{"payment.reversed"});
    EXPECT_EQ(balance(Account::merchant_cleared), "20000000");
    EXPECT_EQ(step(13, 5, {transfer(3, 30'000'000, 13)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(balance(Account::merchant_cleared), "50000000");
}

TEST_F(Advance, the_same_transfer_is_never_credited_twice) {
    step(10, 5, {transfer(1, 50'000'000, 10)});
    EXPECT_THROW(step(11, 5, {transfer(1, 50'000'000, 11)}), InvariantViolation);
}

TEST_F(Advance, a_settled_transfer_is_never_reversed) {
    step(10, 10, {transfer(1, 50'000'000, 10)});
    EXPECT_THROW(step(10, 10, {}, {}, 9), InvariantViolation);
}

TEST_F(Advance, a_withdrawal_is_booked_and_told) {
    step(10, 10, {transfer(1, 50'000'000, 10)});
    EXPECT_EQ(step(11, 11, {}, {transfer(2, 50'000'000, 11)}), Types{"funds.moved"});
    EXPECT_EQ(balance(Account::coins), "0");
    EXPECT_EQ(balance(Account::drawn), "50000000");
}

TEST_F(Advance, a_withdrawal_beyond_the_books_does_not_stop_the_chain) {
    step(10, 5, {transfer(1, 50'000'000, 10)});
    step(11, 5, {}, {transfer(2, 70'000'000, 11)});
    EXPECT_EQ(balance(Account::payer_unapplied), "20000000");
    EXPECT_EQ(step(11, 5, {}, {}, 10), Types{});
    EXPECT_EQ(balance(Account::coins), "50000000");
    EXPECT_EQ(balance(Account::payer_unapplied), "0");
}

TEST_F(Advance, settlements_of_a_step_share_one_batch_per_token) {
    step(11, 5, {transfer(1, 20'000'000, 10), transfer(2, 30'000'000, 11, kOtherToken)});
    EXPECT_EQ(step(20, 11, {}), Types{"payment.settled"});
    ASSERT_EQ(last.entries.size(), 4U);
    EXPECT_EQ(std::get<SettlementBatch>(last.entries[1].record).batch_number, 1U);
    EXPECT_EQ(std::get<SettlementBatch>(last.entries[3].record).batch_number, 2U);
}

TEST(PeggedAmount, scales_by_decimals_and_rounds_up) {
    EXPECT_EQ(pegged_amount(Amount(5000), 2, 6), Amount(50'000'000));
    EXPECT_EQ(to_string(pegged_amount(Amount(5000), 2, 18)), "50000000000000000000");
    EXPECT_EQ(pegged_amount(Amount(5001), 2, 0), Amount(51));
}

TEST(JournalEntry, the_hash_covers_every_field) {
    JournalEntry entry{.sequence = 3, .record = Settlement{.net = Amount(5)}};
    auto const original = hash_of(entry);
    auto changed = entry;
    changed.previous_hash[31] = 1;
    EXPECT_NE(hash_of(changed), original);
    changed = entry;
    changed.booked_at += std::chrono::milliseconds(1);
    EXPECT_NE(hash_of(changed), original);
    changed = entry;
    std::get<Settlement>(changed.record).net = Amount(6);
    EXPECT_NE(hash_of(changed), original);
    changed = entry;
    changed.merchant_id.uuid.bytes[15] = 1;
    EXPECT_NE(hash_of(changed), original);
}

}  // namespace
}  // namespace sycee
