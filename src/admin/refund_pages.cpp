#include "refund_pages.hpp"

#include <sycee/app/refund_json.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/app/transaction_input.hpp>
#include <sycee/base/utf8.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include "layout.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

constexpr std::string_view kBelow = "/refunds/";
constexpr std::size_t kMostShown = 100;

std::string field(RefundPages::Form const& form, std::string_view name) {
    std::string text = form_value(form, name);
    std::erase(text, '\r');
    constexpr std::string_view kBlank = " \t\n";
    auto const first = text.find_first_not_of(kBlank);
    if (first == std::string::npos || !is_utf8(text)) return "";
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The error's message is a sentence that lacks its subject.
Notice refusal(Error const& error) {
    return {.good = false,
            .text = "Nothing was done. The " + error.field + " " + error.message + "."};
}

}  // namespace

Task<void> RefundPages::load(PaymentDetail& detail) {
    Payment const& payment = detail.state.payment;
    auto page = co_await refunds_.list(
        {.merchant_id = payment.merchant_id, .payment_id = payment.id, .open_only = false},
        std::nullopt, kMostShown);
    detail.refunds = std::move(page.refunds);
    detail.refund_requests = co_await refunds_.requests();
    std::erase_if(detail.refund_requests, [&payment](RefundRequest const& request) {
        return request.payment_id != payment.id;
    });
}

Task<HttpResponse> RefundPages::answer(std::string path, Form form, Session session,
                                       std::string peer, Frame frame) {
    auto const below = path.find(kBelow);
    auto const id = parse_id<PaymentTag>(std::string_view(path).substr(0, below));
    auto state = id ? co_await payments_.find_public(*id) : std::nullopt;
    if (below == std::string::npos || !state) co_return redirect(root_);
    std::string const page = root_ + "/payments/" + to_string(*id);
    std::string action = path.substr(below + kBelow.size());
    Sender sender{.operator_id = to_string(session.who.id),
                  .name = session.who.name,
                  .peer = std::move(peer)};
    Notice notice;
    try {
        if (action == "link") {
            auto const link = co_await claim_link(*state, form, sender);
            if (link) {
                co_return message_response(200, frame, "The payer says where it goes",
                                           "By this link, once. Send it to nobody else: " + *link);
            }
            notice = link.error();
        } else {
            notice = co_await act(std::move(*state), std::move(action), std::move(form),
                                  std::move(sender));
        }
    } catch (Unavailable const& failure) {
        log_warning("admin", "a refund could not be dealt with", {{"reason", failure.what()}});
        notice.text =
            "The gateway could not say whether that was booked. Look at the refunds here before "
            "you "
            "try again.";
    }
    auto response = redirect(page + notice_query(notice, page, session.token));
    response.with("cache-control", "no-store");
    co_return response;
}

Task<Notice> RefundPages::act(PaymentState state, std::string action, Form form, Sender sender) {
    if (action == "create")
        co_return co_await create(std::move(state), std::move(form), std::move(sender));
    if (action == "approve" || action == "reject") {
        co_return co_await answer_request(std::move(state), action == "approve", std::move(form),
                                          std::move(sender));
    }
    co_return co_await change(std::move(state), std::move(action), std::move(form),
                              std::move(sender));
}

Task<std::expected<void, Notice>> RefundPages::confirm(Form const& form, Sender const& sender) {
    Secret password(form_value(form, "password"));
    if (password.reveal().empty()) {
        co_return std::unexpected(
            refusal({"password", "is missing: whoever decides where money goes says it again"}));
    }
    auto const confirmed = co_await login_.confirm(sender.name, std::move(password), sender.peer);
    if (confirmed.wait.count() > 0) {
        co_return std::unexpected(
            Notice{.good = false, .text = "Nothing was done. " + wait_text(confirmed.wait)});
    }
    if (!confirmed.who) co_return std::unexpected(refusal({"password", "is wrong"}));
    co_return std::expected<void, Notice>{};
}

Task<std::expected<std::string, Notice>> RefundPages::claim_link(PaymentState const& state,
                                                                 Form const& form,
                                                                 Sender const& sender) {
    auto const key = parse_refund_id(state.payment.merchant_id, field(form, "refund"));
    auto const refund = key ? co_await refunds_.find(*key) : std::nullopt;
    auto url = refund && refund->payment_id == state.payment.id ? refunds_.claim_url(*refund) : "";
    if (url.empty()) co_return std::unexpected(refusal({"refund", "needs no recipient"}));
    auto const confirmed = co_await confirm(form, sender);
    if (!confirmed) co_return std::unexpected(confirmed.error());
    log_info("admin", "showed the link of a refund",
             {{"operator", sender.operator_id}, {"refund", refund_id(*key)}});
    co_return url;
}

Task<std::expected<Address, Notice>> RefundPages::read_recipient(Form const& form,
                                                                 Sender const& sender) {
    auto const address = parse_address(field(form, "recipient"));
    if (!address) co_return std::unexpected(refusal({"recipient", address.error().message}));
    auto const confirmed = co_await confirm(form, sender);
    if (!confirmed) co_return std::unexpected(confirmed.error());
    co_return *address;
}

Task<Notice> RefundPages::create(PaymentState state, Form form, Sender sender) {
    std::string const of = field(form, "of");  // "1/0x…"
    auto const all = refundable_of(state);
    auto const from = std::ranges::find_if(all, [&of](Refundable const& one) {
        return std::to_string(one.chain_id) + "/" + to_string(one.token) == of;
    });
    if (from == all.end()) co_return refusal({"payment", "has nothing settled there to refund"});
    auto const amount =
        parse_decimal(field(form, "amount"), token_decimals(network_, from->chain_id, from->token));
    if (!amount) co_return refusal({"amount", amount.error().message});
    if (*amount > from->amount) {
        co_return refusal(
            {"amount", "is more than the " +
                           token_amount(network_, from->chain_id, from->token, from->amount) +
                           " that are settled and not refunded"});
    }
    std::optional<Address> recipient;  // none: the payer says it later
    if (!field(form, "recipient").empty()) {
        auto const address = co_await read_recipient(form, sender);
        if (!address) co_return address.error();
        recipient = *address;
    }
    PaymentKey const key{state.payment.merchant_id, state.payment.id};
    auto const created = co_await refunds_.create(CreateRefund{.payment = key,
                                                               .chain_id = from->chain_id,
                                                               .token = from->token,
                                                               .amount = *amount,
                                                               .recipient = recipient,
                                                               .reason = field(form, "reason")},
                                                  sender.operator_id);
    if (!created) co_return refusal(created.error());
    log_info("admin", created->request ? "asked for a refund" : "promised a refund",
             {{"operator", sender.operator_id}, {"payment", to_string(key.second)}});
    if (created->request) {
        co_return Notice{.good = true,
                         .text =
                             "Nothing is booked yet: so much money needs a second operator. "
                             "Your request waits below."};
    }
    co_return Notice{
        .good = true,
        .text = recipient ? "Booked. Send the money from the merchant's wallet, and report "
                            "the transaction here."
                          : "Booked. Show the link below, and hand it to the payer, who says "
                            "where the money goes."};
}

Task<Notice> RefundPages::change(PaymentState state, std::string action, Form form, Sender sender) {
    auto const key = parse_refund_id(state.payment.merchant_id, field(form, "refund"));
    auto const refund = key ? co_await refunds_.find(*key) : std::nullopt;
    if (!refund || refund->payment_id != state.payment.id)
        co_return refusal({"refund", "is not there"});
    std::string done;
    Result<void> result;
    if (action == "report") {
        auto const hash = read_transaction_hash(field(form, "transaction"));
        if (!hash) co_return refusal(hash.error());
        result = co_await refunds_.report(*key, *hash, sender.operator_id);
        done = "Reported. It is paid once the transaction is final.";
    } else if (action == "recipient") {
        auto const recipient = co_await read_recipient(form, sender);
        if (!recipient) co_return recipient.error();
        result = co_await refunds_.give_recipient(*key, *recipient, sender.operator_id);
        done = "The recipient is set.";
    } else if (action == "cancel") {
        result = co_await refunds_.cancel(*key, field(form, "reason"), sender.operator_id);
        done = "Canceled: the money is where it was before.";
    } else {
        co_return Notice{.good = false, .text = "There is no such form."};
    }
    if (!result) co_return refusal(result.error());
    log_info("admin", "dealt with a refund",
             {{"operator", sender.operator_id}, {"refund", refund_id(*key)}, {"action", action}});
    co_return Notice{.good = true, .text = done};
}

Task<Notice> RefundPages::answer_request(PaymentState state, bool approves, Form form,
                                         Sender sender) {
    auto const id = parse_id<RequestTag>(field(form, "request"));
    auto const waiting = co_await refunds_.requests();
    bool const waits = std::ranges::any_of(waiting, [&](RefundRequest const& request) {
        return id && request.id == *id && request.payment_id == state.payment.id;
    });
    if (!waits) co_return refusal({"request", "is answered already, or never was"});
    if (approves) {
        auto const confirmed = co_await confirm(form, sender);
        if (!confirmed) co_return confirmed.error();
    }
    std::string const& operator_id = sender.operator_id;
    Result<void> answered;
    if (approves) {
        auto const approved = co_await refunds_.approve(*id, operator_id);
        if (!approved) answered = std::unexpected(approved.error());
    } else {
        answered = co_await refunds_.reject(*id, operator_id);
    }
    if (!answered) co_return refusal(answered.error());
    log_info("admin", approves ? "approved a refund" : "rejected a refund",
             {{"operator", operator_id}, {"request", to_string(*id)}});
    co_return Notice{.good = true,
                     .text = approves ? "Approved and booked." : "Rejected: nothing was booked."};
}

}  // namespace sycee::admin
