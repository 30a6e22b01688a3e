#include "pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

using Balance = BalanceSheet::Balance;

// One merchant's books in one token of one chain.
struct Sheet {
    MerchantId merchant_id;
    std::string merchant;
    ChainId chain_id = 0;
    Address token;
    std::vector<BalanceRow const*> debits;
    std::vector<BalanceRow const*> credits;
};

std::vector<Sheet> sheets_of(std::vector<BalanceRow> const& rows) {
    std::vector<Sheet> sheets;
    for (auto const& row : rows) {
        auto sheet = std::ranges::find_if(sheets, [&row](Sheet const& candidate) {
            return candidate.merchant_id == row.merchant_id && candidate.chain_id == row.chain_id &&
                   candidate.token == row.token;
        });
        if (sheet == sheets.end()) {
            sheet = sheets.insert(sheets.end(), Sheet{.merchant_id = row.merchant_id,
                                                      .merchant = row.merchant_name,
                                                      .chain_id = row.chain_id,
                                                      .token = row.token});
        }
        (is_debit_account(row.account) ? sheet->debits : sheet->credits).push_back(&row);
    }
    for (auto& sheet : sheets) {
        std::ranges::sort(sheet.debits, {}, &BalanceRow::account);
        std::ranges::sort(sheet.credits, {}, &BalanceRow::account);
    }
    return sheets;
}

Balance sum(std::vector<BalanceRow const*> const& rows) {
    Amount above;
    Amount below;
    for (auto const* row : rows)
        (row->balance.negative ? below : above) += row->balance.magnitude;
    if (below > above) return {.magnitude = below - above, .negative = true};
    return {.magnitude = above - below, .negative = false};
}

Html balance_text(Balance const& balance, Sheet const& sheet, Network const& network) {
    return html("{}{}", {balance.negative ? "−" : "",
                         token_decimal(network, sheet.chain_id, sheet.token, balance.magnitude)});
}

Html side_cells(std::vector<BalanceRow const*> const& side, std::size_t line,
                std::string_view label, Sheet const& sheet, Network const& network) {
    if (line >= side.size()) return html(R"(<td class="blank"></td><td class="blank"></td>)");
    auto const& row = *side[line];
    Html cells = cell(label, to_string(row.account));
    cells += html(R"(<td class="number">{}</td>)", {balance_text(row.balance, sheet, network)});
    return cells;
}

Html sheet_section(Sheet const& sheet, Network const& network) {
    Html lines;
    for (std::size_t i = 0; i < std::max(sheet.debits.size(), sheet.credits.size()); ++i) {
        lines += html("<tr>{}{}</tr>", {side_cells(sheet.debits, i, "Debit", sheet, network),
                                        side_cells(sheet.credits, i, "Credit", sheet, network)});
    }
    Balance const debit = sum(sheet.debits);
    Balance const credit = sum(sheet.credits);
    Html const verdict =
        debit == credit
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
        {sheet.merchant, verdict, token_name(network, sheet.chain_id, sheet.token),
         chain_name(network, sheet.chain_id), token_name(network, sheet.chain_id, sheet.token),
         token_name(network, sheet.chain_id, sheet.token), lines, cell("Total", "Total debit"),
         balance_text(debit, sheet, network), cell("Total", "Total credit"),
         balance_text(credit, sheet, network)});
}

}  // namespace

Html trial_balance_body(std::vector<BalanceRow> const& rows, Network const& network) {
    Html sections;
    for (auto const& sheet : sheets_of(rows))
        sections += sheet_section(sheet, network);
    if (rows.empty()) {
        sections = html(R"(<section class="card empty"><p>Nothing is booked yet.</p></section>)");
    }
    return html("<h1>Trial balance</h1>{}", {sections});
}

}  // namespace sycee::admin
