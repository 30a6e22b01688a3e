#include <sycee/app/amount_text.hpp>
#include <sycee/app/exception_json.hpp>

#include "pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

std::string_view why(std::string_view reason) {
    if (reason == "underpaid") return "The payment expired before enough had come.";
    if (reason == "late") return "It came after the payment had expired.";
    if (reason == "already_paid") return "The payment was paid without it.";
    if (reason == "token_not_offered") return "The payment has no price in this token.";
    if (reason == "chain_not_offered") return "The payment is not to be paid on this network.";
    if (reason == "overpaid") return "More came than the price; this is what is over.";
    if (reason == "unexplained") {
        return "More left the address than the books knew of, so this much must have come in "
               "unseen. It is no longer at the address.";
    }
    return "";
}

// How this page writes the exception's amounts.
struct Amounts {
    Network const& network;
    TransferKey const& transfer;

    std::string text(Amount amount) const {
        return token_amount(network, transfer.chain_id, transfer.token, amount);
    }
    std::string decimal(Amount amount) const {
        return token_decimal(network, transfer.chain_id, transfer.token, amount);
    }
    unsigned decimals() const { return token_decimals(network, transfer.chain_id, transfer.token); }
};

Amount left_of(DeskException const& exception) {
    return exception.amount - exception.resolved;
}

PaymentOption const* option_of(ExceptionDetail const& detail) {
    if (!detail.payment) return nullptr;
    auto const& key = detail.exception.transfer.key;
    return detail.payment->payment.option_for(key.chain_id, key.token);
}

// What of the exception's token the payment still needs.
Amount needed_by_payment(ExceptionDetail const& detail) {
    auto const* option = option_of(detail);
    return option == nullptr ? Amount{} : still_due(*detail.payment, *option);
}

Html facts_section(ExceptionDetail const& detail, Network const& network, std::string const& root) {
    DeskException const& exception = detail.exception;
    Transfer const& transfer = exception.transfer;
    Amounts const amounts{network, transfer.key};
    Html facts = fact("Amount", amounts.text(exception.amount));
    facts += fact("Resolved", amounts.text(exception.resolved));
    facts += fact("Left to decide", amounts.text(left_of(exception)));
    facts += fact("Merchant", detail.merchant);
    facts += fact("Payment", payment_link(root, exception.payment_id));
    if (detail.payment) {
        facts += fact("Payment's status",
                      html("{} {}", {status_badge(detail.status), amount_text(*detail.payment)}));
    }
    if (option_of(detail) != nullptr) {
        std::string const least = detail.payment->payment.open_amount ? "at least " : "";
        facts += fact("Payment still needs", least + amounts.text(needed_by_payment(detail)));
    }
    facts += fact("Booked (UTC)", moment(exception.booked_at));
    facts += fact("Record", html("#{} {}", {exception.key.sequence, short_hash(exception.hash)}));
    return html(R"(<section class="card"><h2>What it is</h2><p>{}</p><dl class="facts">{}</dl>)"
                R"(</section>)",
                {why(exception.reason), facts});
}

Html transfer_section(DeskException const& exception, Network const& network) {
    Transfer const& transfer = exception.transfer;
    auto const& key = transfer.key;
    Html facts =
        fact("Transferred", token_amount(network, key.chain_id, key.token, transfer.amount));
    facts += fact("Network", chain_name(network, key.chain_id));
    facts += fact("Token's contract", address(key.token));
    facts += fact("From", address(transfer.sender));
    facts += fact("To", address(transfer.recipient));
    facts += fact("Transaction", code(to_hex0x(key.transaction_hash)));
    facts += fact("Block", html("{} {}", {transfer.block_number, moment(transfer.block_time)}));
    facts += fact("Log", html("{} of the block, {} of the token's in the transaction",
                              {transfer.log_index, key.ordinal}));
    return html(R"(<section class="card"><h2>Transfer</h2><dl class="facts">{}</dl></section>)",
                {facts});
}

Html hidden(std::string_view name, std::string_view value) {
    return html(R"(<input type="hidden" name="{}" value="{}">)", {name, value});
}

Html answer_form(ExceptionDetail const& detail, ResolutionRequest const& request,
                 std::string_view action, std::string_view button) {
    return html(R"(<form method="post" action="{}/{}">{}{}<button>{}</button></form>)",
                {detail.page, action, hidden("token", detail.form_token),
                 hidden("request", to_string(request.id)), button});
}

Html request_item(ExceptionDetail const& detail, ResolutionRequest const& request,
                  Amounts const& amounts, std::string const& root) {
    bool const own = request.requested_by == detail.operator_id;
    Html facts = fact("Decision", in_words(to_string(request.kind)));
    facts += fact("Amount", amounts.text(request.amount));
    if (!request.target_payment_id.uuid.is_nil()) {
        facts += fact("Pays", payment_link(root, request.target_payment_id));
    }
    facts += fact("Reason", request.reason);
    facts += fact("Asked by", code(request.requested_by));
    facts += fact("Asked (UTC)", moment(request.created_at));
    Html const answer =
        own ? html(R"(<p class="none">You asked for this. Another operator has to answer.</p>)")
            : html(R"(<div class="answers">{}{}</div>)",
                   {answer_form(detail, request, "approve", "Approve and book"),
                    answer_form(detail, request, "reject", "Reject")});
    return html(R"(<li><dl class="facts small">{}</dl>{}</li>)", {facts, answer});
}

Html requests_section(ExceptionDetail const& detail, Network const& network,
                      std::string const& root) {
    if (detail.requests.empty()) return {};
    Amounts const amounts{network, detail.exception.transfer.key};
    Html items;
    for (auto const& request : detail.requests)
        items += request_item(detail, request, amounts, root);
    return html(R"(<section class="card"><h2>Waiting for a second operator</h2>)"
                R"(<ul class="requests">{}</ul></section>)",
                {items});
}

Html decision_item(DeskDecision const& decision, Amounts const& amounts, std::string const& root) {
    Html facts = fact("Decision", in_words(to_string(decision.kind)));
    facts += fact("Amount", amounts.text(decision.amount));
    if (pays(decision.kind)) facts += fact("Pays", payment_link(root, decision.target_payment_id));
    if (!decision.reason.empty()) facts += fact("Reason", decision.reason);
    facts += fact("Decided by", code(decision.decided_by));
    if (!decision.approved_by.empty()) facts += fact("Approved by", code(decision.approved_by));
    facts += fact("Booked (UTC)", moment(decision.decided_at));
    facts += fact("Record", html("#{}", {decision.sequence}));
    return html(R"(<li><dl class="facts small">{}</dl></li>)", {facts});
}

Html decided_section(DeskException const& exception, Network const& network,
                     std::string const& root) {
    if (exception.decisions.empty()) return {};
    Amounts const amounts{network, exception.transfer.key};
    Html items;
    for (auto const& decision : exception.decisions)
        items += decision_item(decision, amounts, root);
    return html(R"(<section class="card"><h2>Decided</h2><ul class="requests">{}</ul></section>)",
                {items});
}

struct Choice {
    ResolutionKind kind;
    std::string_view title;
    std::string_view effect;
    std::string_view button;
};

constexpr Choice kAccept{
    ResolutionKind::accept, "Accept it for this payment",
    "The money pays its own payment, which then counts as paid even where something is missing. "
    "The shop is told that it may release the goods. The money is the merchant's, less the fee.",
    "Accept"};
constexpr Choice kCredit{
    ResolutionKind::credit, "Credit another payment",
    "The money pays another payment of this merchant, no more than that one still needs unless its "
    "amount is open. Once it is covered, the shop is told that it may release its goods. The rest "
    "stays here.",
    "Credit"};
constexpr Choice kWriteOff{
    ResolutionKind::write_off, "Let the merchant keep it",
    "The money is the merchant's, without a fee. It pays nothing, no goods are released, and "
    "nobody is owed it any more.",
    "Write off"};
constexpr Choice kRefund{
    ResolutionKind::refund, "Promise it back",
    "The money is set aside for the payer. Sycee has no key and sends nothing: send it from the "
    "merchant's wallet. The sender may be an exchange, so ask the payer for an address first.",
    "Set aside for refund"};

Html decision_form(ExceptionDetail const& detail, Choice const& choice, Amount suggested,
                   Amounts const& amounts) {
    unsigned const decimals = amounts.decimals();
    std::string const pattern =
        decimals == 0 ? "[0-9]+" : R"([0-9]+(\.[0-9]{1,)" + std::to_string(decimals) + "})?";
    bool const again = detail.entered && detail.entered->kind == to_string(choice.kind);
    EnteredDecision const entered =
        again ? *detail.entered : EnteredDecision{.amount = amounts.decimal(suggested)};
    Html target;
    if (choice.kind == ResolutionKind::credit) {
        target = html(R"(<label>Payment to credit<input name="target" value="{}" )"
                      R"(placeholder="pay_…" )"
                      R"(pattern="pay_[0-9a-z]{26}" title="The id of a payment: pay_ and 26 )"
                      R"(letters or digits" autocomplete="off" autocapitalize="none" )"
                      R"(spellcheck="false" required></label>)",
                      {entered.target});
    }
    auto const& key = amounts.transfer;
    return html(
        R"(<form class="decision" method="post" action="{}/resolve"><h3>{}</h3><p>{}</p>{}{}{}
<label>Amount in {}<input name="amount" value="{}" inputmode="decimal" pattern="{}"
title="An amount such as 12.50" autocomplete="off" required></label>
<label>Reason<textarea name="reason" rows="2" maxlength="500" required>{}</textarea></label>
<button>{}</button></form>)",
        {detail.page, choice.title, choice.effect, hidden("token", detail.form_token),
         hidden("kind", to_string(choice.kind)), target,
         token_name(amounts.network, key.chain_id, key.token), entered.amount, pattern,
         entered.reason, choice.button});
}

// Why the payment itself can't be paid with it; empty where it can.
std::string_view not_acceptable(ExceptionDetail const& detail) {
    if (option_of(detail) == nullptr) return "This payment has no price in this token.";
    bool const paid =
        detail.status == PaymentStatus::cleared || detail.status == PaymentStatus::settled;
    if (paid) return "This payment is paid already.";
    if (needed_by_payment(detail).is_zero()) {
        return "This payment is covered by transfers that are on their way.";
    }
    return "";
}

Html accept_form(ExceptionDetail const& detail, Amounts const& amounts) {
    auto const obstacle = not_acceptable(detail);
    if (obstacle.empty()) {
        Amount const left = left_of(detail.exception);
        Amount const suggested =
            detail.payment->payment.open_amount ? left : std::min(left, needed_by_payment(detail));
        return decision_form(detail, kAccept, suggested, amounts);
    }
    return html(R"(<div class="decision"><h3>{}</h3><p>Not possible. {}</p></div>)",
                {kAccept.title, obstacle});
}

Html decisions_section(ExceptionDetail const& detail, Network const& network) {
    DeskException const& exception = detail.exception;
    Amount const left = left_of(exception);
    if (left.is_zero()) {
        return html(R"(<section class="card"><h2>Decide</h2><p>All of it is resolved. The )"
                    R"(payment's page has the records.</p></section>)");
    }
    if (!exception.is_final) {
        return html(R"(<section class="card"><h2>Decide</h2><p>It waits for finality: until block )"
                    R"({} is final, the network could still take the transfer away. Then it can )"
                    R"(be decided here.</p></section>)",
                    {exception.transfer.block_number});
    }
    Amounts const amounts{network, exception.transfer.key};
    return html(
        R"(<section class="card"><h2>Decide</h2><p>What is decided stands in the books for )"
        R"(good, under your id and with the hash of the reason.</p>)"
        R"(<div class="decisions">{}{}{}{}</div></section>)",
        {accept_form(detail, amounts), decision_form(detail, kCredit, left, amounts),
         decision_form(detail, kWriteOff, left, amounts),
         decision_form(detail, kRefund, left, amounts)});
}

}  // namespace

Html exception_body(ExceptionDetail const& detail, Network const& network,
                    std::string const& root) {
    DeskException const& exception = detail.exception;
    Amounts const amounts{network, exception.transfer.key};
    return html(R"(<div class="title"><h1>{}</h1><span class="badge">{}</span>{}</div>)"
                R"(<p class="under">{}</p>)"
                "\n{}{}{}{}{}{}",
                {amounts.text(exception.amount), in_words(exception.reason),
                 exception_badge(exception), code(exception_id(exception.key)),
                 notice_box(detail.notice), facts_section(detail, network, root),
                 requests_section(detail, network, root), decided_section(exception, network, root),
                 decisions_section(detail, network), transfer_section(exception, network)});
}

}  // namespace sycee::admin
