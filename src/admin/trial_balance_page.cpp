#include <sycee/app/trial_balance.hpp>

#include "pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

using Balance = BalanceSheet::Balance;

Html balance_text(Balance const& balance, TrialBalance const& sheet, Network const& network) {
    return html("{}{}", {balance.negative ? "−" : "",
                         token_decimal(network, sheet.chain_id, sheet.token, balance.magnitude)});
}

Html side_cells(std::vector<BalanceRow> const& side, std::size_t line, std::string_view label,
                TrialBalance const& sheet, Network const& network) {
    if (line >= side.size()) return html(R"(<td class="blank"></td><td class="blank"></td>)");
    auto const& row = side[line];
    Html cells = cell(label, to_string(row.account));
    cells += html(R"(<td class="number">{}</td>)", {balance_text(row.balance, sheet, network)});
    return cells;
}

Html sheet_section(TrialBalance const& sheet, Network const& network) {
    Html lines;
    for (std::size_t i = 0; i < std::max(sheet.debits.size(), sheet.credits.size()); ++i) {
        lines += html("<tr>{}{}</tr>", {side_cells(sheet.debits, i, "Debit", sheet, network),
                                        side_cells(sheet.credits, i, "Credit", sheet, network)});
    }
    Html const verdict =
        sheet.balanced()
            ? html(R"(<span class="badge good">✓ in balance</span>)")
            : html(R"(<span class="badge bad">! does not balance: run “sycee verify”</span>)");
    return html(
        R"(<section class="card"><div class="title"><h2>{}</h2>{}</div>)"
        R"(<p class="under">{} on {}</p><table class="sheet"><thead><tr><th>Debit: where )"
        R"(the coins are</th>)"
        R"(<th class="number">{}</th><th>Credit: whose they are</th><th )"
        R"(class="number">{}</th></tr></thead>)"
        R"(<tbody>{}</tbody><tfoot><tr>{}<td class="number">{}</td>{}<td )"
        R"(class="number">{}</td></tr>)"
        R"(</tfoot></table></section>
)",
        {sheet.merchant_name, verdict, token_name(network, sheet.chain_id, sheet.token),
         chain_name(network, sheet.chain_id), token_name(network, sheet.chain_id, sheet.token),
         token_name(network, sheet.chain_id, sheet.token), lines, cell("Total", "Total debit"),
         balance_text(sheet.debit_sum, sheet, network), cell("Total", "Total credit"),
         balance_text(sheet.credit_sum, sheet, network)});
}

}  // namespace

Html trial_balance_body(std::vector<BalanceRow> const& rows, Network const& network) {
    Html sections;
    for (auto const& sheet : trial_balances(rows))
        sections += sheet_section(sheet, network);
    if (rows.empty()) {
        sections = html(R"(<section class="card empty"><p>Nothing is booked yet.</p></section>)");
    }
    return html("<h1>Trial balance</h1>{}", {sections});
}

}  // namespace sycee::admin
