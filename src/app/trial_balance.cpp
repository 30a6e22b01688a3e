#include <sycee/app/trial_balance.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace sycee {
namespace {

BalanceSheet::Balance sum(std::vector<BalanceRow> const& rows) {
    Amount above;
    Amount below;
    for (auto const& row : rows)
        (row.balance.negative ? below : above) += row.balance.magnitude;
    if (below > above) return {.magnitude = below - above, .negative = true};
    return {.magnitude = above - below, .negative = false};
}

}  // namespace

std::vector<TrialBalance> trial_balances(std::vector<BalanceRow> const& rows) {
    std::map<std::tuple<MerchantId, ChainId, Address>, TrialBalance> sheets;
    for (auto const& row : rows) {
        auto& sheet = sheets[{row.merchant_id, row.chain_id, row.token}];
        sheet.merchant_id = row.merchant_id;
        sheet.merchant_name = row.merchant_name;
        sheet.chain_id = row.chain_id;
        sheet.token = row.token;
        (is_debit_account(row.account) ? sheet.debits : sheet.credits).push_back(row);
    }
    std::vector<TrialBalance> result;
    for (auto& [key, sheet] : sheets) {
        std::ranges::sort(sheet.debits, {}, &BalanceRow::account);
        std::ranges::sort(sheet.credits, {}, &BalanceRow::account);
        sheet.debit_sum = sum(sheet.debits);
        sheet.credit_sum = sum(sheet.credits);
        result.push_back(std::move(sheet));
    }
    return result;
}

}  // namespace sycee
