#include <sycee/app/totals_text.hpp>

#include "day_chart.hpp"
#include "statement_pages.hpp"
#include "words.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace sycee::admin {
namespace {

using Account = std::pair<ChainId, Address>;

std::string target_of(TotalsPage const& page, std::string const& root, std::string_view file) {
    auto const& query = page.totals.query;
    return root + "/statements/totals" + std::string(file) + "?from=" + query.first.name +
           "&to=" + query.last.name +
           (query.merchant_id ? "&merchant=" + to_string(*query.merchant_id) : "");
}

Html merchant_options(TotalsPage const& page) {
    Html options = html(R"(<option value="">All merchants</option>)");
    for (auto const& [id, name] : page.merchants) {
        options += html(R"(<option value="{}"{}>{}</option>)",
                        {to_string(id),
                         page.totals.query.merchant_id == id ? html(" selected") : Html{}, name});
    }
    return options;
}

Html days_form(TotalsPage const& page, std::string const& root) {
    auto const& query = page.totals.query;
    return html(R"(<form class="lookup" method="get" action="{}/statements/totals">)"
                R"(<label>From<input type="date" name="from" value="{}" required></label>)"
                R"(<label>To<input type="date" name="to" value="{}" required></label>)"
                R"(<label>Merchant<select name="merchant">{}</select></label>)"
                R"(<button>Show</button></form>)",
                {root, query.first.name, query.last.name, merchant_options(page)});
}

// The days that have begun, by one for each bar.
std::vector<StatementPeriod> days_of(TotalsPage const& page) {
    std::vector<StatementPeriod> days;
    auto const& query = page.totals.query;
    for (auto day = query.first; day.begin < query.last.end && day.begin <= page.totals.read_at;
         day = period_after(day))
        days.push_back(day);
    return days;
}

class TokenSection {
  public:
    TokenSection(Account account, std::vector<DayTotal const*> rows, Network const& network)
        : account_(std::move(account)), rows_(std::move(rows)), network_(network) {}

    Html html_section(std::vector<StatementPeriod> const& days) const {
        Html charts;
        for (TotalStage const stage :
             {TotalStage::authorized, TotalStage::cleared, TotalStage::settled})
            charts += chart(stage, days);
        Html lines;
        // The newest day first.
        for (auto row = rows_.rbegin(); row != rows_.rend(); ++row)
            lines += line(**row);
        return html(
            R"(<section class="card"><h2>{} on {}</h2><div class="charts">{}</div>)"
            R"(<table class="list"><thead><tr><th>Day</th><th>Stage</th><th class="number">Count</th>)"
            R"(<th class="number">Amount</th><th class="number">Fees</th></tr></thead><tbody>
{}</tbody></table></section>)",
            {token_name(network_, account_.first, account_.second),
             chain_name(network_, account_.first), charts, lines});
    }

  private:
    Html chart(TotalStage stage, std::vector<StatementPeriod> const& days) const {
        std::vector<Amount> amounts(days.size());
        for (DayTotal const* row : rows_) {
            auto const at = static_cast<std::size_t>(
                std::ranges::find(days, row->day.name, &StatementPeriod::name) - days.begin());
            if (row->stage == stage && at < days.size()) amounts[at] = row->amount;
        }
        return day_chart(sentence(in_words(to_string(stage))) + " each day", days, amounts,
                         [this](Amount amount) {
                             return token_amount(network_, account_.first, account_.second, amount);
                         });
    }
    Html line(DayTotal const& row) const {
        auto const text = [&](Amount amount) {
            return token_decimal(network_, account_.first, account_.second, amount);
        };
        return html(
            "<tr>{}{}{}{}{}</tr>\n",
            {cell("Day", row.day.name), cell("Stage", sentence(in_words(to_string(row.stage)))),
             number_cell("Count", row.count), number_cell("Amount", text(row.amount)),
             number_cell("Fees", row.fees.is_zero() ? "" : text(row.fees))});
    }

    Account account_;
    std::vector<DayTotal const*> rows_;  // by day and stage
    Network const& network_;
};

}  // namespace

Html totals_body(TotalsPage const& page, Network const& network, std::string const& root) {
    Html body = html(
        R"(<div class="title"><h1>Daily totals</h1><a href="{}">CSV</a></div>)"
        R"(<p class="under">What was booked on each day of UTC, by network, token and stage.</p>{})",
        {target_of(page, root, ".csv"), days_form(page, root)});
    if (!page.problem.empty()) {
        body += html(R"(<p class="problem" role="alert">{}</p>)", {page.problem});
        return body;
    }
    std::map<Account, std::vector<DayTotal const*>> accounts;
    for (DayTotal const& row : page.totals.rows)
        accounts[{row.chain_id, row.token}].push_back(&row);
    auto const days = days_of(page);
    for (auto& [account, rows] : accounts)
        body += TokenSection(account, std::move(rows), network).html_section(days);
    if (accounts.empty())
        body += html(R"(<section class="card empty"><p>Nothing was booked.</p></section>)");
    return body;
}

}  // namespace sycee::admin
