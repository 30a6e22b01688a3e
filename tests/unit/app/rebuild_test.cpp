// Pins: what a rebuild of the books compares, and in which order it books a payment's transfers.
#include <sycee/app/rebuild_comparison.hpp>
#include <sycee/app/rebuild_order.hpp>
#include <sycee/payment/history.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace sycee {
namespace {

constexpr ChainId kChain = 1;
constexpr ChainId kOtherChain = 56;
constexpr Timestamp kExpires = timestamp_from_seconds(2'000);
Address const kToken{Bytes20{1}};

class RebuildOrder : public ::testing::Test {
  protected:
    RebuildOrder() {
        payment.id.uuid.bytes[0] = 2;
        payment.price = Amount(5'000);
        payment.options = {{kChain, kToken, Amount(50), Amount{}},
                           {kOtherChain, kToken, Amount(50), Amount{}}};
        payment.expires_at = kExpires;
    }

    static Transfer transfer(std::uint8_t txn, std::uint64_t amount, std::int64_t seconds,
                             ChainId chain_id = kChain) {
        Transfer result;
        result.key = {chain_id, {}, kToken, 0};
        result.key.transaction_hash[0] = txn;
        result.amount = Amount(amount);
        result.block_number = static_cast<BlockNumber>(seconds);
        result.block_time = timestamp_from_seconds(seconds);
        return result;
    }

    std::uint64_t book(Record record, std::int64_t at, ChainId chain_id = kChain) {
        JournalEntry entry{.chain_id = chain_id,
                           .sequence = ++sequences[chain_id],
                           .booked_at = timestamp_from_seconds(at),
                           .record = std::move(record)};
        entries.push_back(std::move(entry));
        return sequences[chain_id];
    }
    std::uint64_t authorize(Transfer const& what, std::int64_t at) {
        return book(Authorization{payment.id, what, 1}, at, what.key.chain_id);
    }
    std::uint64_t clear(std::uint64_t authorization, std::uint64_t gross, std::int64_t at,
                        ChainId chain_id = kChain, std::uint64_t fee_version = 1) {
        return book(Clearing{.payment_id = payment.id,
                             .authorization_sequence = authorization,
                             .token = kToken,
                             .fee_version = fee_version,
                             .gross = Amount(gross),
                             .net = Amount(gross)},
                    at, chain_id);
    }
    std::uint64_t put_on_desk(std::uint64_t authorization, std::uint64_t amount,
                              UnappliedReason reason, std::int64_t at) {
        return book(Unapplied{.payment_id = payment.id,
                              .authorization_sequence = authorization,
                              .token = kToken,
                              .reason = reason,
                              .amount = Amount(amount)},
                    at);
    }
    void reverse(std::uint64_t authorization, std::int64_t at, ChainId chain_id = kChain) {
        book(Reversal{.payment_id = payment.id,
                      .reversed_kind = RecordKind::authorization,
                      .reversed_sequence = authorization,
                      .postings = {}},
             at, chain_id);
    }
    PaymentHistory history() const {
        return {.booked = state_at(payment, entries, {{kChain, 1'000}, {kOtherChain, 1'000}}),
                .entries = entries,
                .on_chain = {}};
    }
    static std::string text_of(std::vector<OrderedStep> const& steps) {
        std::string text;
        for (OrderedStep const& step : steps) {
            text += step.kind == OrderedStep::Kind::arrive  ? " arrive"
                    : step.kind == OrderedStep::Kind::clear ? " clear"
                                                            : " desk";
            if (step.transfer) text += std::to_string(step.transfer->transaction_hash[0]);
            text += "@" + std::to_string(step.chain_id) + (step.expired ? " expired" : "");
        }
        return text;
    }

    Payment payment;
    std::vector<JournalEntry> entries;
    std::map<ChainId, std::uint64_t> sequences;
};

TEST_F(RebuildOrder, one_chain_says_everything) {
    clear(authorize(transfer(1, 50, 100), 100), 50, 100);
    put_on_desk(authorize(transfer(2, 50, 110), 110), 50, UnappliedReason::already_paid, 110);
    EXPECT_FALSE(needs_order(history(), false));
    EXPECT_TRUE(needs_order(history(), true)) << "what a person gives is not on the chain";
}

TEST_F(RebuildOrder, chains_race_only_for_what_may_pay) {
    clear(authorize(transfer(1, 50, 100), 100), 50, 100);
    authorize(transfer(2, 50, 2'001, kOtherChain), 2'001);
    EXPECT_FALSE(needs_order(history(), false)) << "a late transfer takes part in no race";
    authorize(transfer(3, 50, 90, kOtherChain), 130);
    EXPECT_TRUE(needs_order(history(), false));
}

TEST_F(RebuildOrder, a_transfer_that_only_the_chain_has_races_as_well) {
    clear(authorize(transfer(1, 50, 100), 100), 50, 100);
    auto known = history();
    known.on_chain.push_back({payment.id, transfer(2, 50, 90, kOtherChain), true});
    EXPECT_TRUE(needs_order(known, false));
}

TEST_F(RebuildOrder, what_was_mined_again_after_the_expiry_was_in_time) {
    reverse(authorize(transfer(1, 20, 1'990), 1'990), 2'000);
    authorize(transfer(1, 20, 2'010), 2'010);
    EXPECT_FALSE(needs_order(history(), false)) << "alone it can be taken in one order only";
    authorize(transfer(2, 30, 1'995), 1'995);
    EXPECT_TRUE(needs_order(history(), false));
}

TEST_F(RebuildOrder, a_reorg_may_let_one_in_after_the_expiry_was_booked) {
    put_on_desk(authorize(transfer(1, 20, 100), 100), 20, UnappliedReason::underpaid, 2'001);
    authorize(transfer(2, 30, 1'999), 2'002);
    EXPECT_TRUE(needs_order(history(), false));
}

TEST_F(RebuildOrder, fees_that_changed_between_two_parts_need_their_order) {
    clear(authorize(transfer(1, 20, 100), 100), 20, 120);
    clear(authorize(transfer(2, 30, 110), 110), 30, 120, kChain, 2);
    EXPECT_TRUE(needs_order(history(), false));
}

TEST_F(RebuildOrder, what_was_lost_without_a_transfer_is_on_no_chain) {
    clear(authorize(transfer(1, 50, 100), 100), 50, 120);
    book(TokenLoss{.payment_id = payment.id, .token = kToken, .amount = Amount(30)}, 130);
    EXPECT_TRUE(needs_order(history(), false));
    PaymentState const booked = history().booked;
    PaymentState rebuilt = booked;
    EXPECT_TRUE(compare_payment(booked, rebuilt).empty());
    rebuilt.losses[0].amount = Amount(29);
    auto const lines = compare_payment(booked, rebuilt);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("lost at its address on chain 1, token " + to_string(kToken) +
                            ": the books say 30; rebuilt, 29"),
              std::string::npos)
        << lines[0];
}

TEST_F(RebuildOrder, the_steps_are_those_of_the_books_over_all_chains) {
    auto const first = authorize(transfer(1, 20, 100), 100);
    auto const other = authorize(transfer(2, 30, 99, kOtherChain), 101);
    clear(first, 20, 105);
    clear(other, 30, 107, kOtherChain);
    put_on_desk(authorize(transfer(3, 9, 98), 106), 9, UnappliedReason::already_paid, 108);
    put_on_desk(authorize(transfer(4, 9, 97), 109), 9, UnappliedReason::underpaid, 110);
    EXPECT_EQ(text_of(steps_of(history())),
              " arrive1@1 arrive2@56 clear@1 clear@56 desk3@1 desk4@1 expired");
}

TEST_F(RebuildOrder, a_clock_that_was_put_back_does_not_change_a_journal) {
    auto const first = authorize(transfer(1, 50, 100), 100);
    clear(first, 50, 40);
    put_on_desk(authorize(transfer(2, 50, 101), 41), 50, UnappliedReason::already_paid, 42);
    EXPECT_EQ(text_of(steps_of(history())), " arrive1@1 clear@1 desk2@1");
}

TEST_F(RebuildOrder, a_part_may_have_rested_on_what_another_chain_took_back) {
    clear(authorize(transfer(1, 50, 100), 100), 50, 110);
    reverse(authorize(transfer(3, 30, 111), 111), 115);
    EXPECT_FALSE(rests_on_a_reorg(history())) << "it came when the part was cleared already";
    reverse(authorize(transfer(2, 30, 100, kOtherChain), 100), 120, kOtherChain);
    EXPECT_TRUE(rests_on_a_reorg(history()));
}

// A clearing falls only with its authorization: the first part stays cleared without the second.
TEST_F(RebuildOrder, a_part_may_have_rested_on_a_later_block_of_its_own_chain) {
    auto const first = authorize(transfer(1, 20, 100), 100);
    auto const second = authorize(transfer(2, 30, 101), 101);
    clear(first, 20, 101);
    reverse(second, 102);
    EXPECT_TRUE(rests_on_a_reorg(history()));
    authorize(transfer(2, 30, 105), 105);
    EXPECT_FALSE(rests_on_a_reorg(history())) << "it came back";
}

TEST_F(RebuildOrder, sequences_and_hashes_of_the_same_place_are_not_compared) {
    auto const authorization = authorize(transfer(1, 60, 100), 100);
    book(Clearing{.payment_id = payment.id,
                  .authorization_sequence = authorization,
                  .token = kToken,
                  .gross = Amount(50),
                  .fee = Amount(2),
                  .net = Amount(48),
                  .excess = Amount(10)},
         110);
    PaymentState const booked = history().booked;
    PaymentState rebuilt = booked;
    rebuilt.credits[0].authorization_sequence = 77;
    rebuilt.credits[0].stage_hash[0] = 9;
    rebuilt.credits[0].transfer.block_number = 5;
    EXPECT_TRUE(compare_payment(booked, rebuilt).empty());

    rebuilt.credits[0].fee = Amount(3);
    auto const lines = compare_payment(booked, rebuilt);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find(to_string(payment.id) + ", chain 1, transaction 0x01"),
              std::string::npos);
    EXPECT_NE(lines[0].find("in: the books say 60, cleared, gross 50, fee 2, net 48, on the desk "
                            "10 (overpaid); rebuilt, 60, cleared, gross 50, fee 3, net 47"),
              std::string::npos)
        << lines[0];
}

TEST_F(RebuildOrder, what_only_one_side_has_is_named) {
    authorize(transfer(1, 60, 100), 100);
    PaymentState const booked = history().booked;
    PaymentState rebuilt = booked;
    rebuilt.credits[0].transfer.key.transaction_hash[0] = 5;
    rebuilt.outflows.push_back({.transfer = transfer(1, 10, 120), .unexplained = Amount(4)});
    auto const lines = compare_payment(booked, rebuilt);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_NE(lines[0].find("in: the books say 60, authorized; rebuilt, nothing"),
              std::string::npos);
    EXPECT_NE(lines[1].find("out: the books say nothing; rebuilt, 10, unexplained 4"),
              std::string::npos);
    EXPECT_NE(lines[2].find("in: the books say nothing; rebuilt, 60, authorized"),
              std::string::npos);
}

TEST_F(RebuildOrder, of_what_is_pending_the_final_transfers_are_compared) {
    authorize(transfer(1, 60, 100), 100);
    authorize(transfer(2, 60, 300), 300);
    PaymentState const booked = history().booked;
    std::vector<MatchedTransfer> on_chain{{payment.id, transfer(1, 60, 100), true}};
    EXPECT_TRUE(compare_transfers(booked, on_chain, {{kChain, 200}}).empty());
    on_chain[0].transfer.amount = Amount(61);
    EXPECT_EQ(compare_transfers(booked, on_chain, {{kChain, 200}}).size(), 1U);
    EXPECT_EQ(compare_transfers(booked, {}, {{kChain, 200}}).size(), 1U);
}

TEST(RebuildBalances, a_missing_row_is_a_balance_of_zero) {
    MerchantId const merchant{};
    auto const row = [&](Account account, std::uint64_t amount, bool negative = false) {
        return std::pair(AccountKey{merchant, kChain, kToken.bytes, account},
                         BalanceSheet::Balance{Amount(amount), negative});
    };
    EXPECT_TRUE(compare_balances({row(Account::coins, 0)}, {}).empty());
    auto const lines = compare_balances({row(Account::coins, 5), row(Account::drawn, 3, true)},
                                        {row(Account::coins, 5), row(Account::drawn, 3)});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("account drawn: the books say -3; rebuilt, 3"), std::string::npos);
}

TEST(RebuildBalances, taking_out_is_the_opposite_of_posting) {
    BalanceSheet sheet;
    Postings const postings{
        {Account::coins, Account::payer_pending, kToken.bytes, Amount(60)},
        {Account::drawn, Account::coins, kToken.bytes, Amount(25)},
        {Account::payer_pending, Account::payer_unapplied, kToken.bytes, Amount(10)}};
    AccountBalances balances;
    for (Posting const& posting : postings)
        sheet.post(posting);
    for (auto const& [key, balance] : sheet.balances())
        balances.emplace(AccountKey{MerchantId{}, kChain, key.first, key.second}, balance);
    for (Posting const& posting : postings)
        take_out(balances, MerchantId{}, kChain, posting);
    EXPECT_TRUE(compare_balances(balances, {}).empty());
}

}  // namespace
}  // namespace sycee
