#include "statement_pages.hpp"

#include <sycee/app/statement_text.hpp>
#include <sycee/app/totals_text.hpp>

#include "words.hpp"

#include <utility>

namespace sycee::admin {
namespace {

constexpr std::size_t kBatchRows = 50;
constexpr std::string_view kCsv = ".csv";

HttpResponse csv_response(std::string const& file, std::string text) {
    auto response = text_response(200, "text/csv; charset=utf-8; header=present", std::move(text));
    response.with("content-disposition", "attachment; filename=\"" + file + "\"")
        .with("x-content-type-options", "nosniff")
        .with("cache-control", "no-store");
    return response;
}

HttpResponse nothing_here(Frame const& frame) {
    return message_response(404, frame, "Not found", "There is no such page.");
}

}  // namespace

Task<HttpResponse> StatementPages::show(std::string path, std::string query, Frame frame) {
    if (path.empty()) co_return co_await show_list(std::move(frame));
    if (path == "/totals" || path == "/totals.csv")
        co_return co_await show_totals(std::move(query), path.ends_with(kCsv), std::move(frame));
    std::string_view rest = path;
    rest.remove_prefix(1);
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos) co_return nothing_here(frame);
    auto const merchant = parse_id<MerchantTag>(rest.substr(0, slash));
    rest.remove_prefix(slash + 1);
    bool const as_csv = rest.ends_with(kCsv);
    if (as_csv) rest.remove_suffix(kCsv.size());
    auto period = parse_statement_period(rest, clock_.now());
    if (!merchant || !period) co_return nothing_here(frame);
    auto const names = co_await merchant_names(reports_);
    if (!names.contains(*merchant)) co_return nothing_here(frame);
    StatementQuery asked{
        .merchant_id = *merchant, .period = std::move(*period), .chain_id = {}, .tokens = {}};
    if (as_csv) co_return csv(std::move(asked));
    auto const after = parse_batch_cursor(form_value(parse_form(query), "after"));
    co_return co_await show_statement(std::move(asked), merchant_name(names, *merchant), after,
                                      std::move(frame));
}

Task<HttpResponse> StatementPages::show_list(Frame frame) {
    auto const names = co_await merchant_names(reports_);
    co_return page_response(200, frame, "Statements", Section::statements,
                            statements_body(names, clock_.now(), root_));
}

Task<HttpResponse> StatementPages::show_statement(StatementQuery query, std::string merchant,
                                                  std::optional<StatementCursor> after,
                                                  Frame frame) {
    StatementPage page;
    page.merchant = std::move(merchant);
    page.now = clock_.now();
    page.first_batches = !after;
    page.statement = co_await statements_.statement(query, page.now);
    if (query.period.is_day()) {
        page.batches = co_await statements_.batches(query, after, kBatchRows);
    } else {
        page.days = co_await statements_.days(query);
    }
    co_return page_response(200, frame, "Statement " + query.period.name, Section::statements,
                            statement_body(page, network_, root_));
}

Task<HttpResponse> StatementPages::show_totals(std::string query, bool as_csv, Frame frame) {
    auto const form = parse_form(query);
    TotalsPage page;
    page.merchants = co_await merchant_names(reports_);
    auto asked = parse_totals_days(form_value(form, "from"), form_value(form, "to"), clock_.now());
    std::string const of = form_value(form, "merchant");
    auto const merchant = parse_id<MerchantTag>(of);
    bool const known = of.empty() || (merchant && page.merchants.contains(*merchant));
    if (!asked || !known) {
        page.problem =
            asked ? "There is no such merchant." : sentence(to_string(asked.error())) + ".";
        page.totals.query = parse_totals_days("", "", clock_.now()).value();
        co_return page_response(400, frame, "Daily totals", Section::statements,
                                totals_body(page, network_, root_));
    }
    if (!of.empty()) asked->merchant_id = merchant;
    page.totals = co_await statements_.totals(std::move(*asked), clock_.now());
    if (as_csv)
        co_return csv_response(totals_file_name(page.totals.query),
                               totals_csv(page.totals, network_));
    co_return page_response(200, frame, "Daily totals", Section::statements,
                            totals_body(page, network_, root_));
}

HttpResponse StatementPages::csv(StatementQuery query) {
    auto response = csv_response(statement_file_name(query.period), "");
    response.stream = [&statements = statements_, &network = network_,
                       query = std::move(query)](HttpStream& stream) {
        auto const send = [&stream](std::string text) { return stream.send(std::move(text)); };
        return send_statement_csv(statements, query, network, send);
    };
    return response;
}

}  // namespace sycee::admin
