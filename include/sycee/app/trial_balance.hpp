#pragma once

#include <sycee/app/ports.hpp>

#include <string>
#include <vector>

namespace sycee {

// One merchant's books in one token of one chain: where the coins are, and whose they are.
struct TrialBalance {
    MerchantId merchant_id;
    std::string merchant_name;
    ChainId chain_id = 0;
    Address token;
    std::vector<BalanceRow> debits;  // in the order of the accounts
    std::vector<BalanceRow> credits;
    BalanceSheet::Balance debit_sum;
    BalanceSheet::Balance credit_sum;

    bool balanced() const { return debit_sum == credit_sum; }
};

// By merchant, chain and token.
std::vector<TrialBalance> trial_balances(std::vector<BalanceRow> const& rows);

}  // namespace sycee
