// Pins: what each step of a chain does to one merchant's books. After every step the books are
// re-added, every transfer is claimed exactly once, and the hash chain links.
#include <sycee/base/assert.hpp>
#include <sycee/payment/advance.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
constexpr ChainId kSecondChain = 56;
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
        state.payment.options = {{kChain, kToken, Amount(50'000'000), Amount{}},
                                 {kChain, kOtherToken, Amount(50'000'000), Amount{}}};
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

    ChainStep step_to(BlockNumber head, BlockNumber finalized,
                      std::optional<BlockNumber> rolled_back_to = {}) const {
        Timestamp const time = timestamp_from_seconds(static_cast<std::int64_t>(1'000 + head));
        ChainStep result{.chain_id = kChain,
                         .rolled_back_to = rolled_back_to,
                         .head = head,
                         .tokens = {{kChain, kToken, 6},
                                    {kChain, kOtherToken, 6},
                                    {kChain, kUnoffered, 18},
                                    {kSecondChain, kToken, 18}},
                         .chains = other_chains,
                         .repairs = repairs};
        result.chains[kChain] =
            ChainProgress{time, std::max(finalized, std::min(agreed, head)), finalized, rule};
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
        ChainStep const chain_step = step_to(head, finalized, rolled_back_to);
        last = advance_merchant(view, matched, chain_step, kCreated);
        check_entries();
        view.cleared_not_final.clear();
        for (Address const& token : {kToken, kOtherToken}) {
            view.cleared_not_final.emplace_back(
                token, sheet.balance(token.bytes, Account::merchant_cleared).magnitude);
        }
        view.head = last.head;
        view.payments = last.payments;
        for (auto const& entry : last.entries) {
            if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
                view.last_batch_number = batch->batch_number;
            }
        }
        check_claims();
        entries.insert(entries.end(), last.entries.begin(), last.entries.end());
        check_history();
        std::vector<std::string> types;
        for (auto const& event : last.events)
            types.push_back(event.type);
        now = chain_step.progress().head_time;
        return types;
    }

    // The records alone say how the payment stands, and how it stood at each event.
    void check_history() {
        PaymentState const& state = view.payments[0];
        bool const all_here = std::ranges::all_of(state.credits, [](Credit const& credit) {
            return credit.transfer.key.chain_id == kChain;
        });
        if (!all_here) return;
        auto const records = records_of(state.payment.id);
        PaymentState const replayed =
            state_at(state.payment, records, {{kChain, last.head.sequence}});
        EXPECT_EQ(replayed.was_cleared, state.was_cleared);
        EXPECT_EQ(replayed.outflows.size(), state.outflows.size());
        EXPECT_EQ(lost_a_transfer(replayed), lost_a_transfer(state));
        ASSERT_EQ(replayed.credits.size(), state.credits.size());
        for (std::size_t i = 0; i < state.credits.size(); ++i) {
            Credit const& credit = state.credits[i];
            Credit const& again = replayed.credits[i];
            EXPECT_EQ(again.transfer, credit.transfer);
            EXPECT_EQ(again.first_seen_time, credit.first_seen_time);
            EXPECT_EQ(again.stage, credit.stage);
            EXPECT_EQ(again.stage_hash, credit.stage_hash);
            EXPECT_EQ(again.settlement_hash, credit.settlement_hash);
            EXPECT_EQ(again.gross, credit.gross);
            EXPECT_EQ(again.fee, credit.fee);
            EXPECT_EQ(again.excess, credit.excess);
            EXPECT_EQ(again.shortfall, credit.shortfall);
            EXPECT_EQ(again.unapplied_reason, credit.unapplied_reason);
        }
        for (PaymentEvent const& event : last.events) {
            if (event.payment_id != state.payment.id) continue;
            PaymentState const then = state_at(state.payment, records, event.positions);
            PaymentStatus const status = status_of(then, std::nullopt);
            EXPECT_TRUE(event.status == status || event.status == PaymentStatus::expired)
                << event.type << ": " << to_string(event.status) << ", " << to_string(status);
        }
    }

    std::vector<JournalEntry> records_of(PaymentId id) const {
        std::vector<JournalEntry> records;
        std::ranges::copy_if(entries, std::back_inserter(records), [id](JournalEntry const& entry) {
            return std::visit(
                [id](auto const& record) {
                    if constexpr (requires { record.payment_id; }) return record.payment_id == id;
                    return false;
                },
                entry.record);
        });
        return records;
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
            Amount came;
            for (PaymentState const& state : view.payments) {
                for (Credit const& credit : state.credits) {
                    auto const& key = credit.transfer.key;
                    if (key.chain_id == kChain && key.token == token)
                        came += credit.transfer.amount;
                }
                for (Outflow const& outflow : state.outflows) {
                    if (outflow.transfer.key.token == token) came += outflow.unexplained;
                }
            }
            Amount claims;
            for (Account const account :
                 {Account::payer_pending, Account::payer_unapplied, Account::merchant_cleared,
                  Account::merchant_settled, Account::operator_fee}) {
                claims += sheet.balance(token.bytes, account).magnitude;
            }
            EXPECT_EQ(to_string(claims), to_string(came));
        }
    }

    Payment const& payment() const { return view.payments[0].payment; }
    PaymentStatus status() const { return status_of(view.payments[0], now); }
    std::string balance(Account account, Address token = kToken) const {
        return to_string(sheet.balance(token.bytes, account).magnitude);
    }

    MerchantView view;
    MerchantStep last;
    std::vector<JournalEntry> entries;  // of all steps
    BalanceSheet sheet;
    Timestamp now = kCreated;
    FinalityRule rule{.version = 1, .bands = {{std::nullopt, 1}}};
    BlockNumber agreed = ~BlockNumber{0};
    ChainsProgress other_chains;
    bool repairs = false;
};

using Types = std::vector<std::string>;

TEST_F(Advance, pays_in_three_stages) {
    rule.bands = {{std::nullopt, 3}};
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(status(), PaymentStatus::authorized);
    EXPECT_EQ(step(11, 6, {}), Types{});
    EXPECT_EQ(step(12, 7, {}), Types{"payment.cleared"});
    EXPECT_EQ(balance(Account::merchant_cleared), "50000000");
    EXPECT_EQ(step(15, 10, {}), Types{"payment.settled"});
    EXPECT_EQ(balance(Account::merchant_settled), "50000000");
    EXPECT_EQ(status(), PaymentStatus::settled);
    EXPECT_FALSE(has_open_work(view.payments[0], step_to(15, 10)));
}

TEST_F(Advance, a_rule_of_one_block_authorizes_and_clears_in_one_step) {
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

TEST_F(Advance, the_fee_is_rounded_down_and_stays_in_the_books) {
    view.fees.basis_points = 33;
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
    rule.bands = {{std::nullopt, 3}};
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

TEST_F(Advance, a_repair_reverses_a_settlement_newest_record_first) {
    view.fees.basis_points = 100;
    step(10, 10, {transfer(1, 60'000'000, 10)});
    ASSERT_EQ(status(), PaymentStatus::settled);
    repairs = true;
    EXPECT_EQ(step(9, 9, {}, {}, 9), Types{"payment.reversed"});
    EXPECT_TRUE(last.events[0].goods_may_be_released);
    ASSERT_EQ(last.entries.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(std::get<Reversal>(last.entries[i].record).reversed_kind,
                  (std::array{RecordKind::settlement, RecordKind::clearing,
                              RecordKind::authorization}[i]));
    }
    for (Account const account : {Account::coins, Account::merchant_settled, Account::operator_fee,
                                  Account::payer_unapplied}) {
        EXPECT_EQ(balance(account), "0") << to_string(account);
    }
}

TEST_F(Advance, the_band_is_chosen_by_the_price) {
    rule.bands = {{Amount(50'000'000), 1}, {Amount(10'000'000'000), 3}, {std::nullopt, 0}};
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(step(11, 5, {}), Types{});
    EXPECT_EQ(step(12, 5, {}), Types{"payment.cleared"});
}

TEST_F(Advance, the_band_is_chosen_by_what_arrived_where_that_is_more) {
    rule.bands = {{Amount(100'000'000), 1}, {std::nullopt, 0}};
    EXPECT_EQ(step(10, 5, {transfer(1, 49'000'000, 10), transfer(2, 51'000'000, 10)}),
              Types{"payment.authorized"});
    EXPECT_EQ(step(20, 9, {}), Types{});
    EXPECT_EQ(step(21, 10, {}), (Types{"payment.cleared", "payment.settled"}));
}

TEST_F(Advance, nothing_clears_beyond_what_the_quorum_agrees_on) {
    agreed = 9;
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10), transfer(2, 1, 10, kUnoffered)}),
              Types{"payment.authorized"});
    EXPECT_EQ(step(30, 5, {}), Types{});
    agreed = 10;
    EXPECT_EQ(step(31, 5, {}), (Types{"payment.cleared", "payment.exception"}));
}

TEST_F(Advance, beyond_the_cap_clearing_waits_for_finality) {
    rule.most_not_final = Amount(49'999'999);
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(step(20, 9, {}), Types{});
    EXPECT_EQ(step(21, 10, {}), (Types{"payment.cleared", "payment.settled"}));
}

TEST_F(Advance, the_cap_counts_what_is_cleared_already) {
    PaymentState second = view.payments[0];
    second.payment.id.uuid.bytes[0] = 3;
    rule.most_not_final = Amount(99'999'999);
    step(10, 5, {transfer(1, 50'000'000, 10)});
    ASSERT_EQ(status(), PaymentStatus::cleared);
    view.payments.insert(view.payments.begin(), second);
    EXPECT_EQ(step(11, 5, {transfer(2, 50'000'000, 11)}), Types{"payment.authorized"});
    // The first one settles, and makes room in the next step.
    EXPECT_EQ(step(12, 10, {}), Types{"payment.settled"});
    EXPECT_EQ(step(13, 10, {}), Types{"payment.cleared"});
}

TEST_F(Advance, a_shortfall_within_the_tolerance_is_accepted_and_recorded) {
    view.payments[0].payment.options[0].tolerance = Amount(500'000);
    EXPECT_EQ(step(10, 5, {transfer(1, 49'500'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(view.payments[0].credits[0].shortfall, Amount(500'000));
    EXPECT_EQ(balance(Account::merchant_cleared), "49500000");
    EXPECT_EQ(step(11, 5, {transfer(2, 500'000, 11)}), Types{"payment.exception"});
}

TEST_F(Advance, one_unit_beyond_the_tolerance_does_not_cover) {
    view.payments[0].payment.options[0].tolerance = Amount(500'000);
    EXPECT_EQ(step(10, 5, {transfer(1, 49'499'999, 10)}), Types{"payment.partially_paid"});
}

TEST_F(Advance, the_tolerance_is_granted_once_for_all_parts) {
    view.payments[0].payment.options[0].tolerance = Amount(500'000);
    view.payments[0].payment.options[1].tolerance = Amount(500'000);
    step(10, 5, {transfer(1, 24'600'000, 10)});
    EXPECT_EQ(step(11, 5, {transfer(2, 24'600'000, 11, kOtherToken)}),
              Types{"payment.partially_paid"});
    EXPECT_EQ(step(12, 5, {transfer(3, 300'000, 12, kOtherToken)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

// A step of many blocks decides as many steps of one block would.
TEST_F(Advance, the_first_that_cover_pay_however_many_blocks_a_step_has) {
    step(12, 5,
         {transfer(1, 20'000'000, 10), transfer(2, 30'000'000, 11, kOtherToken),
          transfer(3, 50'000'000, 12)});
    EXPECT_EQ(balance(Account::merchant_cleared), "20000000");
    EXPECT_EQ(balance(Account::merchant_cleared, kOtherToken), "30000000");
    EXPECT_EQ(view.payments[0].credits[2].unapplied_reason, UnappliedReason::already_paid);
}

TEST_F(Advance, a_tolerance_that_was_enough_stays_enough_in_a_longer_step) {
    view.payments[0].payment.options[0].tolerance = Amount(500'000);
    step(11, 5, {transfer(1, 49'500'000, 10), transfer(2, 500'000, 11)});
    EXPECT_EQ(view.payments[0].credits[0].shortfall, Amount(500'000));
    EXPECT_EQ(view.payments[0].credits[1].unapplied_reason, UnappliedReason::already_paid);
}

// A payment offered on two chains: its parts clear in the journals of their own chains.
class AdvanceTwoChains : public Advance {
  protected:
    AdvanceTwoChains() {
        view.payments[0].payment.options.push_back(
            {kSecondChain,
             kToken,
             multiply_divide_up(Amount(50), power_of_ten(18), Amount(1)),
             {}});
        set_second(100, 90);
    }
    void set_second(BlockNumber agreed_block, BlockNumber finalized) {
        other_chains[kSecondChain] =
            ChainProgress{timestamp_from_seconds(1'500), agreed_block, finalized, rule};
    }
    void credit_on_second(BlockNumber block, CreditStage stage) {
        Credit credit;
        credit.transfer = transfer(9, 0, block);
        credit.transfer.key.chain_id = kSecondChain;
        credit.transfer.amount = multiply_divide_up(Amount(30), power_of_ten(18), Amount(1));
        credit.first_seen_time = kCreated;
        credit.stage = stage;
        credit.gross = stage == CreditStage::authorized ? Amount{} : credit.transfer.amount;
        view.payments[0].credits.push_back(credit);
    }
};

TEST_F(AdvanceTwoChains, a_part_counts_once_it_meets_the_rule_of_its_own_chain) {
    credit_on_second(101, CreditStage::authorized);
    EXPECT_EQ(step(10, 5, {transfer(1, 20'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(balance(Account::merchant_cleared), "0");
    set_second(101, 90);
    EXPECT_EQ(attention_for(view.payments[0], step_to(11, 5)), Attention::due);
    step(11, 5, {});
    EXPECT_EQ(balance(Account::merchant_cleared), "20000000");
    // Paid is told by the chain whose part is the last to clear.
    EXPECT_EQ(status(), PaymentStatus::authorized);
}

TEST_F(AdvanceTwoChains, the_last_part_to_clear_tells_the_shop) {
    credit_on_second(95, CreditStage::cleared);
    EXPECT_EQ(step(10, 5, {transfer(1, 20'000'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

// Forgiven while a part on another chain was counted on, which had met its rule and was not cleared
// yet: what comes meanwhile pays the rest, and that part is too much.
TEST_F(AdvanceTwoChains, what_was_forgiven_may_be_paid_before_the_other_chain_clears) {
    view.payments[0].payment.options[0].tolerance = Amount(10'000);
    step(10, 5, {transfer(1, 19'990'000, 10)});
    credit_on_second(95, CreditStage::authorized);
    step(11, 5, {});
    ASSERT_EQ(view.payments[0].credits[0].stage, CreditStage::cleared);
    EXPECT_EQ(to_string(view.payments[0].credits[0].shortfall), "10000");
    EXPECT_EQ(step(12, 5, {transfer(2, 40'000'000, 12)}), Types{"payment.cleared"});
    EXPECT_EQ(balance(Account::merchant_cleared), "50000000");
    EXPECT_EQ(balance(Account::payer_unapplied), "9990000");
    EXPECT_EQ(view.payments[0].credits[1].stage, CreditStage::authorized);
}

TEST_F(AdvanceTwoChains, the_earlier_block_pays_first_whichever_was_booked_first) {
    step(10, 5, {transfer(1, 40'000'000, 10)});
    credit_on_second(95, CreditStage::authorized);  // booked later, mined earlier
    view.payments[0].credits[1].transfer.block_time = kCreated;
    step(11, 5, {});
    EXPECT_EQ(balance(Account::merchant_cleared), "20000000");
    EXPECT_EQ(balance(Account::payer_unapplied), "20000000");
}

TEST_F(AdvanceTwoChains, expires_by_the_slowest_chain) {
    step(10, 5, {transfer(1, 20'000'000, 10)});
    EXPECT_EQ(step(1'001, 900, {}), Types{});
    other_chains[kSecondChain]->head_time = timestamp_from_seconds(2'001);
    EXPECT_EQ(step(1'002, 900, {}), Types{"payment.exception"});
}

TEST_F(AdvanceTwoChains, does_not_expire_while_a_chain_is_not_read) {
    step(10, 5, {transfer(1, 20'000'000, 10)});
    other_chains[kSecondChain] = std::nullopt;
    EXPECT_EQ(step(1'001, 900, {}), Types{});
}

TEST_F(Advance, what_can_not_pay_goes_to_the_desk_while_the_payment_waits_for_the_rest) {
    rule.bands = {{std::nullopt, 3}};
    step(10, 5, {transfer(1, 20'000'000, 10), transfer(2, 10'000'000, 10, kUnoffered)});
    EXPECT_EQ(attention_for(view.payments[0], step_to(11, 5)), Attention::none);
    EXPECT_EQ(attention_for(view.payments[0], step_to(12, 5)), Attention::due);
    EXPECT_EQ(step(12, 5, {}), Types{"payment.exception"});
    EXPECT_EQ(attention_for(view.payments[0], step_to(13, 5)), Attention::waits);
}

TEST_F(Advance, a_chain_that_is_not_offered_pays_nothing) {
    view.payments[0].payment.options = {
        {kSecondChain, kToken, multiply_divide_up(Amount(50), power_of_ten(18), Amount(1)), {}}};
    EXPECT_EQ(step(10, 5, {transfer(1, 50'000'000, 10)}), Types{"payment.exception"});
    EXPECT_EQ(view.payments[0].credits[0].unapplied_reason, UnappliedReason::chain_not_offered);
}

TEST_F(Advance, dust_is_told_once_a_step) {
    std::vector<Transfer> dust;
    for (std::uint8_t i = 1; i <= 20; ++i)
        dust.push_back(transfer(i, 1, 10));
    EXPECT_EQ(step(10, 5, dust), Types{"payment.partially_paid"});
    EXPECT_EQ(step(1'001, 900, {}), Types{"payment.exception"});
    EXPECT_EQ(balance(Account::payer_unapplied), "20");
}

TEST_F(Advance, a_payment_that_moved_and_clears_later_is_not_told_as_cleared_again) {
    rule.bands = {{std::nullopt, 3}};
    step(10, 5, {transfer(1, 50'000'000, 10)});
    ASSERT_EQ(step(12, 5, {}), Types{"payment.cleared"});
    EXPECT_EQ(step(12, 5, {transfer(1, 50'000'000, 12)}, {}, 9), Types{"payment.moved"});
    EXPECT_EQ(status(), PaymentStatus::authorized);
    EXPECT_EQ(step(14, 5, {}), Types{"payment.moved"});
    EXPECT_EQ(status(), PaymentStatus::cleared);
}

TEST_F(Advance, goods_may_be_released_wherever_it_was_ever_cleared) {
    rule.bands = {{std::nullopt, 3}};
    step(12, 5, {transfer(1, 50'000'000, 10)});
    ASSERT_EQ(status(), PaymentStatus::cleared);
    step(12, 5, {transfer(1, 50'000'000, 12)}, {}, 9);
    ASSERT_EQ(status(), PaymentStatus::authorized);
    EXPECT_EQ(step(13, 5, {}, {}, 11), Types{"payment.reversed"});
    EXPECT_TRUE(last.events[0].goods_may_be_released);
}

TEST_F(Advance, what_is_left_of_a_reversed_payment_goes_to_the_desk_at_expiry) {
    step(12, 5, {transfer(1, 20'000'000, 10), transfer(2, 10'000'000, 12)});
    step(12, 5, {}, {}, 11);
    ASSERT_EQ(status(), PaymentStatus::reversed);
    EXPECT_EQ(step(1'001, 900, {}), Types{"payment.exception"});
    EXPECT_EQ(balance(Account::payer_unapplied), "20000000");
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

// Of at least 50 dollars.
class AdvanceOpenAmount : public Advance {
  protected:
    AdvanceOpenAmount() { view.payments[0].payment.open_amount = true; }
    std::optional<Amount> amount() const { return payment_amount(view.payments[0]); }
};

TEST_F(AdvanceOpenAmount, what_comes_is_cleared_whole_and_charged_whole) {
    view.fees.basis_points = 100;
    EXPECT_EQ(step(10, 5, {transfer(1, 1'234'567'890, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(balance(Account::operator_fee), "12345678");
    EXPECT_EQ(balance(Account::payer_unapplied), "0");
    EXPECT_EQ(amount(), Amount(123'456));
    EXPECT_EQ(step(15, 10, {}), Types{"payment.settled"});
    EXPECT_EQ(balance(Account::merchant_settled), "1222222212");
    EXPECT_FALSE(facts_of(view.payments[0], status()).overpaid);
}

TEST_F(AdvanceOpenAmount, the_first_to_reach_the_least_pay_it_and_what_comes_then_is_on_the_desk) {
    EXPECT_EQ(step(10, 5, {transfer(1, 30'000'000, 10)}), Types{"payment.partially_paid"});
    EXPECT_EQ(step(11, 5, {transfer(2, 70'000'000, 11), transfer(3, 5'000'000, 11)}),
              (Types{"payment.authorized", "payment.cleared", "payment.exception"}));
    EXPECT_EQ(balance(Account::merchant_cleared), "100000000");
    EXPECT_EQ(view.payments[0].credits[2].unapplied_reason, UnappliedReason::already_paid);
    EXPECT_EQ(amount(), Amount(10'000));
    EXPECT_TRUE(facts_of(view.payments[0], status()).overpaid);
}

TEST_F(AdvanceOpenAmount, the_same_is_paid_however_many_blocks_a_step_has) {
    rule.bands = {{std::nullopt, 2}};
    step(11, 5, {transfer(1, 60'000'000, 10), transfer(2, 80'000'000, 11)});
    step(13, 5, {});
    EXPECT_EQ(amount(), Amount(6'000));
    EXPECT_EQ(balance(Account::payer_unapplied), "80000000");
}

TEST_F(AdvanceOpenAmount, less_than_the_least_goes_to_the_desk_at_expiry) {
    step(10, 5, {transfer(1, 49'999'999, 10)});
    EXPECT_EQ(step(1'001, 900, {}), Types{"payment.exception"});
    EXPECT_EQ(view.payments[0].credits[0].unapplied_reason, UnappliedReason::underpaid);
    EXPECT_EQ(status(), PaymentStatus::expired);
}

TEST_F(AdvanceOpenAmount, the_band_is_chosen_by_what_came) {
    rule.bands = {{Amount(100'000'000), 1}, {std::nullopt, 3}};
    EXPECT_EQ(step(10, 5, {transfer(1, 900'000'000, 10)}), Types{"payment.authorized"});
    EXPECT_EQ(step(11, 5, {}), Types{});
    EXPECT_EQ(step(12, 5, {}), Types{"payment.cleared"});
}

TEST_F(AdvanceOpenAmount, a_reorg_takes_the_amount_back_and_another_transfer_gives_it_anew) {
    step(10, 5, {transfer(1, 60'000'000, 10)});
    EXPECT_EQ(step(10, 5, {}, {}, 9), Types{"payment.reversed"});
    EXPECT_EQ(amount(), std::nullopt);
    step(12, 5, {transfer(2, 75'000'000, 12)});
    EXPECT_EQ(amount(), Amount(7'500));
}

TEST_F(AdvanceOpenAmount, the_same_transfers_cleared_anew_have_only_moved) {
    step(10, 5, {transfer(1, 60'000'000, 10)});
    EXPECT_EQ(step(12, 5, {transfer(1, 60'000'000, 11)}, {}, 9), Types{"payment.moved"});
    EXPECT_EQ(amount(), Amount(6'000));
}

TEST_F(AdvanceOpenAmount,
       a_transaction_that_brings_another_amount_when_it_is_mined_again_is_told_anew) {
    step(10, 5, {transfer(1, 60'000'000, 10)});
    EXPECT_EQ(step(12, 5, {transfer(1, 61'000'000, 11)}, {}, 9),
              (Types{"payment.reversed", "payment.cleared"}));
    EXPECT_EQ(amount(), Amount(6'100));
}

TEST_F(AdvanceOpenAmount, an_amount_that_a_reorg_changed_is_taken_back_and_told_anew) {
    step(10, 5, {transfer(1, 900'000'000, 10)});
    step(11, 5, {transfer(2, 50'000'000, 11)});
    EXPECT_EQ(amount(), Amount(90'000));
    // The other one comes first now.
    EXPECT_EQ(step(12, 5, {transfer(2, 50'000'000, 10), transfer(1, 900'000'000, 11)}, {}, 9),
              (Types{"payment.reversed", "payment.cleared", "payment.exception"}));
    EXPECT_TRUE(last.events[0].goods_may_be_released);
    EXPECT_EQ(amount(), Amount(5'000));
}

TEST_F(AdvanceOpenAmount, what_a_reorg_took_the_clearing_of_is_taken_back_though_it_is_all_there) {
    rule.bands = {{std::nullopt, 2}};
    step(10, 5, {transfer(1, 60'000'000, 10)});
    EXPECT_EQ(step(11, 5, {}), Types{"payment.cleared"});
    EXPECT_EQ(step(12, 5, {transfer(1, 60'000'000, 12)}, {}, 9), Types{"payment.reversed"});
    EXPECT_TRUE(last.events[0].goods_may_be_released);
    EXPECT_EQ(status(), PaymentStatus::authorized);
    EXPECT_EQ(step(13, 5, {}), Types{"payment.cleared"});
}

TEST_F(AdvanceOpenAmount, what_comes_back_after_a_step_of_absence_is_told_as_cleared) {
    step(10, 5, {transfer(1, 60'000'000, 10)});
    step(10, 5, {}, {}, 9);
    EXPECT_EQ(step(12, 5, {transfer(1, 60'000'000, 12)}),
              (Types{"payment.authorized", "payment.cleared"}));
}

// On two chains, of which the first one is stepped.
class OpenAmountOnTwoChains : public AdvanceOpenAmount {
  protected:
    OpenAmountOnTwoChains() {
        view.payments[0].payment.options.push_back(
            {kSecondChain, kToken, Amount(50'000'000'000'000'000U), Amount{}});
        other_chains[kSecondChain] =
            ChainProgress{timestamp_from_seconds(1'100), 100, 100, {1, {{std::nullopt, 1}}, {}}};
    }
    // Thirty dollars, before everything on the first chain.
    Credit& elsewhere(CreditStage stage) {
        Credit credit;
        credit.transfer = transfer(9, 30'000'000'000'000'000U, 5);
        credit.transfer.key.chain_id = kSecondChain;
        credit.first_seen_time = credit.transfer.block_time;
        credit.stage = stage;
        if (stage != CreditStage::authorized) credit.gross = credit.transfer.amount;
        return view.payments[0].credits.emplace_back(credit);
    }
};

TEST_F(OpenAmountOnTwoChains, what_is_enough_by_itself_waits_for_no_other_chain) {
    elsewhere(CreditStage::authorized);
    EXPECT_EQ(step(10, 5, {transfer(1, 60'000'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(amount(), Amount(6'000));
}

TEST_F(OpenAmountOnTwoChains, parts_that_are_enough_together_are_cleared_whole_by_their_chains) {
    elsewhere(CreditStage::cleared);
    EXPECT_EQ(step(10, 5, {transfer(1, 60'000'000, 10)}),
              (Types{"payment.authorized", "payment.cleared"}));
    EXPECT_EQ(amount(), Amount(9'000));
}

TEST_F(OpenAmountOnTwoChains, what_is_left_after_a_reorg_is_told_anew) {
    elsewhere(CreditStage::settled);
    view.payments[0].credits[0].transfer.amount = view.payments[0].credits[0].gross =
        Amount(70'000'000'000'000'000U);
    Credit& here = view.payments[0].credits.emplace_back(view.payments[0].credits[0]);
    here.transfer = transfer(1, 20'000'000, 10);
    here.stage = CreditStage::cleared;
    here.gross = here.transfer.amount;
    here.authorization_sequence = 1;
    here.stage_sequence = 2;
    EXPECT_EQ(amount(), Amount(9'000));
    ChainStep const back = step_to(11, 5, 9);
    last = advance_merchant(view, {}, back, kCreated);
    Types types;
    for (PaymentEvent const& event : last.events)
        types.push_back(event.type);
    // What is left was final already, and nothing else will say so.
    EXPECT_EQ(types, (Types{"payment.reversed", "payment.cleared", "payment.settled"}));
    EXPECT_TRUE(last.events[0].goods_may_be_released);
    EXPECT_EQ(payment_amount(last.payments[0]), Amount(7'000));
}

TEST(LeastOpenAmount, is_a_whole_unit_and_a_hundred_of_the_smallest) {
    EXPECT_EQ(least_open_amount(2), Amount(100));
    EXPECT_EQ(least_open_amount(0), Amount(100));
    EXPECT_EQ(least_open_amount(3), Amount(1'000));
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
