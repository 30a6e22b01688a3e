#include <sycee/app/amount_text.hpp>

#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

Html payment_row(PaymentRow const& row, PaymentsPage const& page, std::string const& root) {
    Payment const& payment = row.state.payment;
    return html(
        "<tr>{}{}{}{}{}{}</tr>\n",
        {cell("Created", moment(payment.created_at)), cell("Status", status_badge(row.status)),
         number_cell("Amount", amount_text(row.state)),
         cell("Reference", free_text(payment.reference.empty() ? "–" : payment.reference)),
         cell("Merchant", free_text(merchant_name(page.merchants, payment.merchant_id))),
         cell("Payment", payment_link(root, payment.id))});
}

}  // namespace

Html payments_body(PaymentsPage const& page, std::string const& root) {
    Html rows;
    for (auto const& row : page.rows)
        rows += payment_row(row, page, root);
    if (page.rows.empty()) {
        return html(
            R"(<h1>Payments</h1><section class="card empty"><p>{}</p></section>)",
            {page.first_page ? "No payment yet. The first one appears here as soon as a shop "
                               "creates it."
                             : "No older payments."});
    }
    Html pager;
    if (!page.first_page) pager += html(R"(<a href="{}">Newest</a>)", {root});
    if (page.has_more) {
        pager += html(R"(<a href="{}?after={}" rel="next">Older</a>)",
                      {root, to_string(page.rows.back().state.payment.id)});
    }
    return html(
        R"(<h1>Payments</h1><section class="card"><table class="list"><thead><tr>)"
        R"(<th>Created (UTC)</th>)"
        R"(<th>Status</th><th class="number">Amount</th><th>Reference</th><th>Merchant</th>)"
        R"(<th>Payment</th></tr></thead><tbody>
{}</tbody></table></section><nav class="pager" aria-label="Pages">{}</nav>)",
        {rows, pager});
}

}  // namespace sycee::admin
