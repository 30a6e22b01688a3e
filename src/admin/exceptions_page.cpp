#include <sycee/app/exception_json.hpp>

#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

Html exception_row(DeskException const& exception, ExceptionsPage const& page,
                   Network const& network, std::string const& root) {
    auto const& transfer = exception.transfer.key;
    Amount const left = exception.amount - exception.resolved;
    Html amount = html(
        "<span>{}", {token_amount(network, transfer.chain_id, transfer.token, exception.amount)});
    if (!exception.resolved.is_zero()) {
        amount +=
            html("<br>{} left", {token_decimal(network, transfer.chain_id, transfer.token, left)});
    }
    amount += html("</span>");
    return html(
        "<tr>{}{}{}{}{}{}{}{}</tr>\n",
        {cell("Exception", exception_link(root, exception.key)),
         cell("Reason", in_words(exception.reason)),
         cell("Age", age_text(page.now - exception.booked_at)), number_cell("Amount", amount),
         cell("State", exception_badge(exception)),
         cell("Network", chain_name(network, transfer.chain_id)),
         cell("Merchant", free_text(merchant_name(page.merchants, exception.key.merchant_id))),
         cell("Payment", payment_link(root, exception.payment_id))});
}

Html requests_section(ExceptionsPage const& page, std::string const& root) {
    if (page.requests.empty() && page.refund_requests.empty()) return {};
    Html rows;
    for (auto const& request : page.requests) {
        rows +=
            html("<tr>{}{}{}{}</tr>", {cell("Exception", exception_link(root, request.exception)),
                                       cell("Decision", in_words(to_string(request.kind))),
                                       cell("Asked by", code(request.requested_by)),
                                       cell("Age", age_text(page.now - request.created_at))});
    }
    for (RefundRequest const& request : page.refund_requests) {
        rows += html("<tr>{}{}{}{}</tr>", {cell("Payment", payment_link(root, request.payment_id)),
                                           cell("Decision", "refund of settled money"),
                                           cell("Asked by", code(request.requested_by)),
                                           cell("Age", age_text(page.now - request.created_at))});
    }
    return html(R"(<section class="card"><h2>Waiting for a second operator</h2>)"
                R"(<table class="list"><thead><tr><th>Of</th><th>Decision</th>)"
                R"(<th>Asked by</th><th>Age</th></tr></thead><tbody>{}</tbody></table></section>)",
                {rows});
}

Html filter_links(ExceptionsPage const& page, std::string const& root) {
    Html const current = html(R"( aria-current="true")");
    return html(R"(<nav class="filter" aria-label="Which exceptions"><a href="{}/exceptions"{}>)"
                R"(Open</a><a href="{}/exceptions?status=all"{}>All</a></nav>)",
                {root, page.open_only ? current : Html{}, root, page.open_only ? Html{} : current});
}

std::string_view empty_text(ExceptionsPage const& page) {
    if (!page.first_page) return "Nothing older.";
    return page.open_only ? "Nothing is waiting for a decision."
                          : "Nothing has ever been on the exceptions desk.";
}

Html pager(ExceptionsPage const& page, std::string const& root) {
    std::string const status = page.open_only ? "" : "status=all&";
    Html links;
    if (!page.first_page) {
        links += html(R"(<a href="{}/exceptions{}">Newest</a>)",
                      {root, page.open_only ? "" : "?status=all"});
    }
    if (page.has_more) {
        DeskKey const& last = page.exceptions.back().key;
        links += html(R"(<a href="{}/exceptions?{}after={}/{}" rel="next">Older</a>)",
                      {root, status, to_string(last.merchant_id), exception_id(last)});
    }
    return html(R"(<nav class="pager" aria-label="Pages">{}</nav>)", {links});
}

}  // namespace

Html exceptions_body(ExceptionsPage const& page, Network const& network, std::string const& root) {
    Html body = html(R"(<div class="title"><h1>Exceptions</h1>{}<a href="{}/find">Find a )"
                     R"(transaction</a></div>{})",
                     {filter_links(page, root), root, requests_section(page, root)});
    if (page.exceptions.empty()) {
        body += html(R"(<section class="card empty"><p>{}</p></section>)", {empty_text(page)});
        return body;
    }
    Html rows;
    for (auto const& exception : page.exceptions)
        rows += exception_row(exception, page, network, root);
    body += html(
        R"(<section class="card"><table class="list"><thead><tr><th>Exception</th><th>Reason</th>)"
        R"(<th>Age</th><th class="number">Amount</th><th>State</th><th>Network</th>)"
        R"(<th>Merchant</th><th>Payment</th></tr></thead><tbody>
{}</tbody></table></section>{})",
        {rows, pager(page, root)});
    return body;
}

}  // namespace sycee::admin
