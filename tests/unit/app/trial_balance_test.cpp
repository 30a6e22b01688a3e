// Pins: how the rows of the books become sheets that balance, and how amounts of tokens are
// written.
#include <sycee/app/token_text.hpp>
#include <sycee/app/trial_balance.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

Address const kToken{Bytes20{1}};

BalanceRow row(ChainId chain, Account account, std::uint64_t amount, bool negative = false) {
    BalanceRow result;
    result.merchant_name = "Shirts";
    result.chain_id = chain;
    result.token = kToken;
    result.account = account;
    result.balance = {.magnitude = Amount(amount), .negative = negative};
    return result;
}

TEST(TrialBalance, has_a_sheet_for_each_chain_with_its_sides_in_order) {
    auto const sheets =
        trial_balances({row(2, Account::coins, 5), row(1, Account::merchant_settled, 60),
                        row(1, Account::payer_pending, 30), row(1, Account::drawn, 10, true),
                        row(1, Account::coins, 100), row(2, Account::merchant_settled, 4)});
    ASSERT_EQ(sheets.size(), 2U);
    EXPECT_EQ(sheets[0].chain_id, 1U);
    EXPECT_EQ(sheets[0].merchant_name, "Shirts");
    ASSERT_EQ(sheets[0].debits.size(), 2U);
    EXPECT_EQ(sheets[0].debits[0].account, Account::coins);
    EXPECT_EQ(sheets[0].debits[1].account, Account::drawn);
    EXPECT_EQ(sheets[0].credits[0].account, Account::payer_pending);
    EXPECT_EQ(sheets[0].debit_sum.magnitude, Amount(90));
    EXPECT_TRUE(sheets[0].balanced());
    EXPECT_FALSE(sheets[1].balanced());
}

TEST(TrialBalance, a_side_may_be_below_zero) {
    auto const sheets = trial_balances({row(1, Account::drawn, 7, true)});
    EXPECT_EQ(sheets.at(0).debit_sum, (BalanceSheet::Balance{Amount(7), true}));
    EXPECT_TRUE(trial_balances({}).empty());
}

TEST(TokenText, counts_a_token_that_is_not_configured_in_base_units) {
    Network network;
    network.chains.emplace_back();
    network.chains[0].id = 1;
    network.chains[0].tokens = {{.symbol = "USDT", .contract = kToken, .decimals = 6}};
    EXPECT_EQ(token_amount(network, 1, kToken, Amount(50'000'000)), "50.000000 USDT");
    std::string const unknown = "base units of " + to_string(kToken);
    EXPECT_EQ(token_amount(network, 2, kToken, Amount(50)), "50 " + unknown);
    EXPECT_EQ(token_name(network, 1, Address{}), "base units of " + to_string(Address{}));
}

}  // namespace
}  // namespace sycee
