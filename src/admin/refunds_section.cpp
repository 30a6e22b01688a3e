#include <sycee/app/exception_json.hpp>
#include <sycee/app/refund_json.hpp>
#include <sycee/payment/refund.hpp>

#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

// What the forms of the section have in common.
struct Forms {
    PaymentDetail const& detail;
    std::string action;  // where they go

    Html hidden(std::string_view name, std::string_view value) const {
        return html(R"(<input type="hidden" name="{}" value="{}">)", {name, value});
    }
    Html form(std::string_view what, Html const& fields, std::string_view button) const {
        return html(
            R"(<form class="decision" method="post" action="{}{}">{}{}<button>{}</button></form>)",
            {action, what, hidden("token", detail.form_token), fields, button});
    }
    Html of_refund(RefundDetail const& refund, std::string_view what, Html const& fields,
                   std::string_view button) const {
        Html all = hidden("refund", refund_id(refund.key));
        all += fields;
        return form(what, all, button);
    }
};

Html reason_field() {
    return html(R"(<label>Reason<textarea name="reason" rows="2" maxlength="500" required>)"
                R"(</textarea></label>)");
}

// A session that somebody else got hold of must not decide where money goes.
Html password_field(bool required) {
    return html(
        R"(<label>Your password{}<input name="password" type="password" )"
        R"(autocomplete="current-password"{}></label>)",
        {required ? "" : ", where you name an address", required ? html(" required") : Html{}});
}

Html recipient_fields(std::string_view label, bool required) {
    return html(R"(<label>{}<input name="recipient" placeholder="0x…" )"
                R"(pattern="0x[0-9a-fA-F]{40}" autocomplete="off" spellcheck="false"{}></label>{})",
                {label, required ? html(" required") : Html{}, password_field(required)});
}

Html open_forms(RefundDetail const& refund, Forms const& forms) {
    Html all;
    if (refund.recipient == Address{}) {
        all += forms.of_refund(refund, "link", password_field(true),
                               "Show the link by which the payer says where it goes");
        all += forms.of_refund(refund, "recipient", recipient_fields("Recipient's address", true),
                               "Name the recipient");
    } else {
        all += forms.of_refund(
            refund, "report",
            html(R"(<label>Transaction that paid it<input name="transaction" placeholder="0x…" )"
                 R"(autocomplete="off" spellcheck="false" required></label>)"),
            "Report as paid");
    }
    all += forms.of_refund(refund, "cancel", reason_field(), "Cancel the refund");
    return html(R"(<div class="decisions">{}</div>)", {all});
}

Html refund_item(RefundDetail const& refund, Forms const& forms, Network const& network,
                 std::string const& root) {
    RefundKey const& key = refund.key;
    Html facts = fact("Amount", token_amount(network, key.chain_id, refund.token, refund.amount));
    facts += fact("State", to_string(refund.status()));
    if (refund.exception_sequence != 0) {
        facts +=
            fact("Exception",
                 exception_link(root, {key.merchant_id, key.chain_id, refund.exception_sequence}));
    }
    if (refund.recipient != Address{}) facts += fact("To", address(refund.recipient));
    if (!refund.given_by.empty()) facts += fact("Named later by", code(refund.given_by));
    if (!refund.reason.empty()) facts += fact("Reason", refund.reason);
    facts += fact("Decided by", code(refund.decided_by));
    if (!refund.approved_by.empty()) facts += fact("Approved by", code(refund.approved_by));
    facts += fact("Booked (UTC)", moment(refund.created_at));
    if (refund.report && !refund.payment) {
        facts += fact("Reported", code(to_hex0x(refund.report->transaction)));
        if (!refund.report->problem.empty())
            facts += fact("It does not pay it", refund.report->problem);
    }
    if (refund.payment) {
        facts += fact("Paid by", code(to_hex0x(refund.payment->transfer.key.transaction_hash)));
        facts += fact("In block", refund.payment->transfer.block_number);
    }
    if (refund.cancellation) facts += fact("Canceled because", refund.cancellation->reason);
    bool const open = !refund.payment && !refund.cancellation;
    return html(R"(<li><dl class="facts small">{}</dl>{}</li>)",
                {facts, open ? open_forms(refund, forms) : Html{}});
}

Html request_item(RefundRequest const& request, Forms const& forms, Network const& network) {
    Html facts =
        fact("Amount", token_amount(network, request.chain_id, request.token, request.amount));
    if (request.recipient != Address{}) facts += fact("To", address(request.recipient));
    facts += fact("Reason", request.reason);
    facts += fact("Asked by", code(request.requested_by));
    facts += fact("Asked (UTC)", moment(request.created_at));
    Html answer =
        html(R"(<p class="none">You asked for this. Another operator has to answer.</p>)");
    if (request.requested_by != forms.detail.operator_id) {
        Html const id = forms.hidden("request", to_string(request.id));
        answer = html(
            R"(<div class="answers">{}{}</div>)",
            {forms.form("approve", html("{}{}", {id, password_field(true)}), "Approve and book"),
             forms.form("reject", id, "Reject")});
    }
    return html(R"(<li><dl class="facts small">{}</dl>{}</li>)", {facts, answer});
}

Html create_form(Refundable const& of, Forms const& forms, Network const& network) {
    Html fields = forms.hidden("of", std::to_string(of.chain_id) + "/" + to_string(of.token));
    fields += html(
        R"(<h3>Promise a refund</h3><p>Up to {} are settled and not refunded. Sycee sends nothing: )"
        R"(send it from the merchant's wallet. Ask the payer for an address: the sender of a )"
        R"(transfer may be an exchange.</p><label>Amount in {}<input name="amount" value="{}" )"
        R"(inputmode="decimal" autocomplete="off" required></label>)",
        {token_amount(network, of.chain_id, of.token, of.amount),
         token_name(network, of.chain_id, of.token),
         token_decimal(network, of.chain_id, of.token, of.amount)});
    fields += recipient_fields("Recipient's address; empty: the payer says it by a link", false);
    fields += reason_field();
    return forms.form("create", fields, "Set aside for refund");
}

}  // namespace

Html refunds_section(PaymentDetail const& detail, Network const& network, std::string const& root) {
    auto const refundable = refundable_of(detail.state);
    if (detail.refunds.empty() && detail.refund_requests.empty() && refundable.empty()) return {};
    Forms const forms{detail,
                      root + "/payments/" + to_string(detail.state.payment.id) + "/refunds/"};
    Html items;
    for (RefundRequest const& request : detail.refund_requests)
        items += request_item(request, forms, network);
    for (RefundDetail const& refund : detail.refunds)
        items += refund_item(refund, forms, network, root);
    Html creates;
    for (Refundable const& one : refundable)
        creates += create_form(one, forms, network);
    return html(R"(<section class="card"><h2>Refunds</h2><ul class="requests">{}</ul>)"
                R"(<div class="decisions">{}</div></section>)",
                {items, creates});
}

}  // namespace sycee::admin
