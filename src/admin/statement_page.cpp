#include <sycee/app/statement_text.hpp>

#include "day_chart.hpp"
#include "statement_pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

// Writes the amounts of one account.
class AccountSection {
  public:
    AccountSection(StatementAccount const& account, Network const& network)
        : account_(account), network_(network) {}

    Html html_section(Html const& charts) const {
        return html(
            R"(<section class="card"><h2>{} on {}</h2><table class="list movements"><thead><tr>)"
            R"(<th>Settled</th><th class="number">Payments</th><th class="number">Gross</th>)"
            R"(<th class="number">Fees</th><th class="number">Net</th></tr></thead><tbody>{}</tbody>)"
            R"(</table>{}{}</section>)",
            {token_name(network_, account_.chain_id, account_.token),
             chain_name(network_, account_.chain_id), rows(), charts, unapplied()});
    }

  private:
    std::string text(Amount amount) const {
        return token_decimal(network_, account_.chain_id, account_.token, amount);
    }
    Html balance_row(std::string_view name, Amount amount) const {
        return html(
            R"(<tr class="balance">{}{}{}{}{}</tr>)",
            {cell("Settled", name), blank(), blank(), blank(), number_cell("Net", text(amount))});
    }
    static Html blank() { return html(R"(<td class="blank"></td>)"); }
    Html sum_row(std::string_view name, StatementSum const& sum, bool is_less = false) const {
        if (sum.count == 0) return {};
        auto const amount = [&](Amount of) { return (is_less ? "−" : "") + text(of); };
        return html("<tr>{}{}{}{}{}</tr>",
                    {cell("Settled", name), number_cell("Payments", sum.count),
                     number_cell("Gross", amount(sum.gross)), number_cell("Fees", amount(sum.fees)),
                     number_cell("Net", amount(sum.net))});
    }
    Html rows() const {
        Html rows = balance_row("Opening balance", account_.opening);
        rows += sum_row("Settlements", account_.settlements);
        rows += sum_row("Accepted at the desk", account_.accepted);
        rows += sum_row("Credited at the desk", account_.credited);
        rows += sum_row("Written off at the desk", account_.written_off);
        rows += sum_row("Settlements reversed", account_.reversed, true);
        rows += sum_row("Refunded", account_.refunded, true);
        rows += sum_row("Refunds canceled", account_.refunds_canceled);
        rows += balance_row("Closing balance", account_.closing);
        return rows;
    }
    // What is nobody's revenue stands apart.
    Html unapplied() const {
        auto const& one = account_;
        Html facts = fact("Before", text(one.unapplied_opening));
        facts += fact("Received", text(one.unapplied_received));
        facts += fact("Applied or kept", text(one.unapplied_applied));
        facts += fact("Refunds promised", text(one.refunds_promised));
        if (!one.unapplied_reversed.is_zero())
            facts += fact("Taken back by the chain", text(one.unapplied_reversed));
        if (!one.promises_canceled.is_zero())
            facts += fact("Refunds canceled", text(one.promises_canceled));
        facts += fact("After", text(one.unapplied_closing));
        return html(
            R"(<h3 class="apart">On the exceptions desk: not revenue</h3><dl class="facts small">{}</dl>)",
            {facts});
    }

    StatementAccount const& account_;
    Network const& network_;
};

std::string path_of(std::string const& root, MerchantId merchant, StatementPeriod const& period) {
    return root + "/statements/" + to_string(merchant) + "/" + period.name;
}

Html period_link(std::string const& root, MerchantId merchant, StatementPeriod const& period) {
    return html(R"(<a href="{}">{}</a>)", {path_of(root, merchant, period), period.name});
}

Html neighbours(StatementPage const& page, std::string const& root) {
    auto const& query = page.statement.query;
    auto const before = period_before(query.period);
    auto const after = period_after(query.period);
    Html links;
    if (query.period.begin > Timestamp{}) {
        links += html(R"(<a href="{}" rel="prev">← {}</a>)",
                      {path_of(root, query.merchant_id, before), before.name});
    }
    if (query.period.is_day())
        links += period_link(root, query.merchant_id, month_of(query.period.begin));
    if (after.begin <= page.now) {
        links += html(R"(<a href="{}" rel="next">{} →</a>)",
                      {path_of(root, query.merchant_id, after), after.name});
    }
    return html(R"(<nav class="pager" aria-label="Periods">{}</nav>)", {links});
}

// The days of a month that have begun.
std::vector<StatementPeriod> begun_days(StatementPage const& page) {
    auto const& period = page.statement.query.period;
    std::vector<StatementPeriod> days;
    for (auto day = day_of(period.begin); day.begin < period.end && day.begin <= page.now;
         day = period_after(day)) {
        days.push_back(day);
    }
    return days;
}

// What was settled on each day of a month, and what stood at its end.
Html charts(StatementPage const& page, StatementAccount const& account, Network const& network) {
    if (page.statement.query.period.is_day()) return {};
    auto const days = begun_days(page);
    std::vector<Amount> settled(days.size());
    std::vector<Amount> balances(days.size(), account.opening);
    // The newest day comes first: of those after it, the balance is set already.
    std::size_t set_from = days.size();
    for (StatementDay const& moved : page.days) {
        if (moved.chain_id != account.chain_id || moved.token != account.token) continue;
        auto const at = static_cast<std::size_t>(
            std::ranges::find(days, moved.day.name, &StatementPeriod::name) - days.begin());
        if (at >= days.size()) continue;
        settled[at] = moved.net;
        std::fill(balances.begin() + static_cast<std::ptrdiff_t>(at),
                  balances.begin() + static_cast<std::ptrdiff_t>(set_from), moved.closing);
        set_from = at;
    }
    auto const write = [&](Amount amount) {
        return token_amount(network, account.chain_id, account.token, amount);
    };
    Html both = day_chart("Settled each day, net", days, settled, write);
    both += day_chart("Balance at the end of each day", days, balances, write);
    return html(R"(<div class="charts">{}</div>)", {both});
}

Html days_section(StatementPage const& page, Network const& network, std::string const& root) {
    if (page.days.empty()) return {};
    MerchantId const merchant = page.statement.query.merchant_id;
    Html rows;
    for (StatementDay const& day : page.days) {
        rows += html(
            "<tr>{}{}{}{}{}{}{}</tr>\n",
            {cell("Day", period_link(root, merchant, day.day)),
             cell("Network", chain_name(network, day.chain_id)),
             number_cell("Batches", day.batch_count), number_cell("Payments", day.settlement_count),
             number_cell("Settled", token_amount(network, day.chain_id, day.token, day.net)),
             number_cell("Balance", token_decimal(network, day.chain_id, day.token, day.closing)),
             cell("File",
                  html(R"(<a href="{}.csv">CSV</a>)", {path_of(root, merchant, day.day)}))});
    }
    return html(R"(<section class="card"><h2>Days</h2><table class="list"><thead><tr><th>Day</th>)"
                R"(<th>Network</th><th class="number">Batches</th><th class="number">Payments</th>)"
                R"(<th class="number">Settled, net</th><th class="number">Balance after</th>)"
                R"(<th>File</th></tr></thead><tbody>
{}</tbody></table></section>)",
                {rows});
}

Html batch_pager(StatementPage const& page, std::string const& root) {
    auto const& query = page.statement.query;
    std::string const path = path_of(root, query.merchant_id, query.period);
    Html links;
    if (!page.first_batches) links += html(R"(<a href="{}">First</a>)", {path});
    if (page.batches.has_more) {
        links += html(R"(<a href="{}?after={}" rel="next">Later</a>)",
                      {path, batch_cursor(page.batches.batches.back())});
    }
    if (links.text.empty()) return {};
    return html(R"(<nav class="pager" aria-label="Batches">{}</nav>)", {links});
}

Html batches_section(StatementPage const& page, Network const& network, std::string const& root) {
    if (page.batches.batches.empty()) return {};
    Html rows;
    for (StatementBatch const& one : page.batches.batches) {
        SettlementBatch const& batch = one.batch;
        auto const amount = [&](Amount of) {
            return token_decimal(network, one.chain_id, batch.token, of);
        };
        rows +=
            html("<tr>{}{}{}{}{}{}{}{}{}</tr>\n",
                 {cell("Batch", batch.batch_number), cell("Booked", moment(one.booked_at)),
                  cell("Network", chain_name(network, one.chain_id)),
                  cell("Blocks",
                       std::to_string(one.first_block) + " – " + std::to_string(one.last_block)),
                  number_cell("Finalized", batch.finalized_block),
                  number_cell("Payments", batch.settlement_count),
                  number_cell("Gross", amount(one.gross)), number_cell("Fees", amount(one.fees)),
                  number_cell("Net", token_amount(network, one.chain_id, batch.token, batch.net))});
    }
    return html(
        R"(<section class="card"><h2>Settlement batches</h2><table class="list"><thead><tr>)"
        R"(<th>Batch</th><th>Booked</th><th>Network</th><th>Blocks</th><th class="number">)"
        R"(Finalized</th><th class="number">Payments</th><th class="number">Gross</th>)"
        R"(<th class="number">Fees</th><th class="number">Net</th></tr></thead><tbody>
{}</tbody></table></section>{})",
        {rows, batch_pager(page, root)});
}

}  // namespace

Html statements_body(MerchantNames const& merchants, Timestamp now, std::string const& root) {
    if (merchants.empty()) {
        return html(R"(<h1>Statements</h1><section class="card empty"><p>There is no merchant )"
                    R"(yet.</p></section>)");
    }
    auto const month = month_of(now);
    Html rows;
    for (auto const& [id, name] : merchants) {
        rows += html(
            "<tr>{}{}{}{}</tr>\n",
            {cell("Merchant", free_text(name)), cell("Today", period_link(root, id, day_of(now))),
             cell("This month", period_link(root, id, month)),
             cell("Last month", period_link(root, id, period_before(month)))});
    }
    return html(
        R"(<div class="title"><h1>Statements</h1><a href="{}/statements/totals">Daily totals</a>)"
        R"(</div><section class="card"><table class="list"><thead><tr>)"
        R"(<th>Merchant</th><th>Today</th><th>This month</th><th>Last month</th></tr>)"
        R"(</thead><tbody>
{}</tbody></table></section>)",
        {root, rows});
}

Html statement_body(StatementPage const& page, Network const& network, std::string const& root) {
    auto const& query = page.statement.query;
    Html const state = page.statement.complete()
                           ? html(R"(<span class="badge good">✓ over</span>)")
                           : html(R"(<span class="badge">not over yet</span>)");
    Html body = html(
        R"(<div class="title"><h1>Statement {}</h1>{}<a href="{}.csv">CSV of all lines</a></div>)"
        R"(<p class="under">{}, {} in UTC</p>{})",
        {query.period.name, state, path_of(root, query.merchant_id, query.period),
         free_text(page.merchant), query.period.is_day() ? "one day" : "one month",
         neighbours(page, root)});
    for (auto const& account : page.statement.accounts)
        body += AccountSection(account, network).html_section(charts(page, account, network));
    if (page.statement.accounts.empty()) {
        body += html(R"(<section class="card empty"><p>Nothing stood and nothing moved.</p>)"
                     R"(</section>)");
    }
    body += days_section(page, network, root);
    body += batches_section(page, network, root);
    return body;
}

}  // namespace sycee::admin
