// Pins: the postings of docs/ledger.md, that both sides stay equal, and that nothing but `drawn`
// falls below zero.
#include <sycee/base/assert.hpp>
#include <sycee/ledger/journal.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr Bytes20 kToken{1};

class Books : public ::testing::Test {
  protected:
    void post(Postings const& postings) {
        for (Posting const& posting : postings)
            sheet.post(posting);
        Uint128 debit = 0;
        Uint128 credit = 0;
        for (auto const& [key, balance] : sheet.balances()) {
            bool const on_debit_side = is_debit_account(key.second) != balance.negative;
            (on_debit_side ? debit : credit) += balance.magnitude.base_units();
        }
        EXPECT_EQ(debit, credit);
    }
    std::string balance(Account account) const {
        auto const balance = sheet.balance(kToken, account);
        return (balance.negative ? "-" : "") + to_string(balance.magnitude);
    }

    BalanceSheet sheet;
};

// The example of the ledger's table, in hundredths: due 50, fee 0.25, paid 60.
TEST_F(Books, follow_the_worked_example) {
    post(authorization_postings(kToken, Amount(6000)));
    EXPECT_EQ(balance(Account::payer_pending), "6000");
    post(clearing_postings(kToken, Amount(5000), Amount(25), Amount(1000)));
    EXPECT_EQ(balance(Account::payer_pending), "0");
    EXPECT_EQ(balance(Account::merchant_cleared), "4975");
    EXPECT_EQ(balance(Account::operator_fee), "25");
    EXPECT_EQ(balance(Account::payer_unapplied), "1000");
    post(settlement_postings(kToken, Amount(4975)));
    EXPECT_EQ(balance(Account::merchant_cleared), "0");
    EXPECT_EQ(balance(Account::merchant_settled), "4975");
    post(withdrawal_postings(kToken, Amount(6000), Amount(0)));
    EXPECT_EQ(balance(Account::coins), "0");
    EXPECT_EQ(balance(Account::drawn), "6000");
}

TEST_F(Books, follow_a_refund_a_loss_and_a_fee_that_is_paid) {
    post(authorization_postings(kToken, Amount(6000)));
    post(clearing_postings(kToken, Amount(5000), Amount(25), Amount(1000)));
    post(settlement_postings(kToken, Amount(4975)));
    post(refund_postings(kToken, Amount(2000)));
    post(refund_promise_postings(kToken, Amount(1000)));
    EXPECT_EQ(balance(Account::merchant_settled), "2975");
    EXPECT_EQ(balance(Account::payer_unapplied), "0");
    EXPECT_EQ(balance(Account::refund_frozen), "3000");
    post(refund_payment_postings(kToken, Amount(1000)));
    EXPECT_EQ(balance(Account::drawn), "-1000");  // paid from another wallet
    post(mirror(refund_postings(kToken, Amount(2000))));
    EXPECT_EQ(balance(Account::refund_frozen), "0");
    EXPECT_EQ(balance(Account::merchant_settled), "4975");
    post(token_loss_postings(kToken, Amount(6000)));
    EXPECT_EQ(balance(Account::coins), "0");
    EXPECT_EQ(balance(Account::token_loss), "6000");
    post(fee_payment_postings(kToken, Amount(25)));
    EXPECT_EQ(balance(Account::operator_fee), "0");
    EXPECT_EQ(balance(Account::drawn), "-1025");
    EXPECT_THROW(post(fee_payment_postings(kToken, Amount(1))), InvariantViolation);
    EXPECT_THROW(post(token_loss_postings(kToken, Amount(1))), InvariantViolation);
}

TEST_F(Books, a_reversal_leaves_nothing) {
    auto const authorization = authorization_postings(kToken, Amount(6000));
    auto const clearing = clearing_postings(kToken, Amount(5000), Amount(25), Amount(1000));
    post(authorization);
    post(clearing);
    post(mirror(clearing));
    post(mirror(authorization));
    for (auto const& [key, entry] : sheet.balances())
        EXPECT_TRUE(entry.magnitude.is_zero());
}

TEST_F(Books, a_withdrawal_beyond_the_books_is_received_first) {
    post(authorization_postings(kToken, Amount(10)));
    post(withdrawal_postings(kToken, Amount(25), Amount(15)));
    EXPECT_EQ(balance(Account::coins), "0");
    EXPECT_EQ(balance(Account::payer_unapplied), "15");
    EXPECT_EQ(balance(Account::drawn), "25");
}

TEST_F(Books, only_drawn_may_be_below_zero) {
    sheet.post({Account::coins, Account::drawn, kToken, Amount(1)});  // its mirror was never booked
    EXPECT_EQ(balance(Account::drawn), "-1");
    EXPECT_THROW(
        sheet.post({Account::merchant_cleared, Account::merchant_settled, kToken, Amount(1)}),
        InvariantViolation);
    EXPECT_THROW(sheet.post({Account::coins, Account::coins, kToken, Amount(1)}),
                 InvariantViolation);
    EXPECT_THROW(sheet.post({Account::coins, Account::payer_pending, kToken, Amount(0)}),
                 InvariantViolation);
}

TEST(Postings, lines_of_zero_are_left_out) {
    EXPECT_EQ(clearing_postings(kToken, Amount(50), Amount(0), Amount(0)).size(), 1U);
    EXPECT_EQ(withdrawal_postings(kToken, Amount(50), Amount(0)).size(), 1U);
}

TEST(Postings, account_names_round_trip) {
    for (std::size_t i = 0; i < kAccountCount; ++i) {
        auto const account = static_cast<Account>(i);
        EXPECT_EQ(parse_account(to_string(account)), account);
    }
    EXPECT_FALSE(parse_account("cash"));
}

TEST(CanonicalBytes, differ_wherever_a_field_differs) {
    auto const bytes = [](std::string_view a, std::string_view b) {
        auto const view = CanonicalBytes("kind").text(a).text(b);
        return std::vector<std::uint8_t>(view.view().begin(), view.view().end());
    };
    EXPECT_NE(bytes("ab", "c"), bytes("a", "bc"));
}

}  // namespace
}  // namespace sycee
