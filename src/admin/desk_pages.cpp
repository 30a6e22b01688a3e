#include "desk_pages.hpp"

#include <sycee/app/exception_json.hpp>
#include <sycee/base/utf8.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

constexpr std::size_t kPageRows = 50;
constexpr std::size_t kMostCounted = 99;
constexpr std::string_view kResolve = "resolve";
constexpr unsigned kFine = 200;
constexpr unsigned kRefused = 422;

// "mer_.../exc_1_42"
std::optional<DeskKey> parse_path(std::string_view path) {
    auto const slash = path.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    auto const merchant_id = parse_id<MerchantTag>(path.substr(0, slash));
    if (!merchant_id) return std::nullopt;
    return parse_exception_id(*merchant_id, path.substr(slash + 1));
}

// A field of a form as it was meant: pasted with spaces around it, its lines ended as browsers do.
std::string field(Form const& form, std::string_view name) {
    std::string text = form_value(form, name);
    std::erase(text, '\r');
    constexpr std::string_view kBlank = " \t\n";
    auto const first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

EnteredDecision entered(Form const& form) {
    EnteredDecision decision{.kind = form_value(form, "kind"),
                             .amount = field(form, "amount"),
                             .target = field(form, "target"),
                             .reason = field(form, "reason")};
    for (std::string* text : {&decision.amount, &decision.target, &decision.reason}) {
        if (!is_utf8(*text)) text->clear();
    }
    return decision;
}

HttpResponse not_found(Frame const& frame) {
    return message_response(404, frame, "Not found", "There is no such exception.");
}

// The error's message is a sentence that lacks its subject.
Notice refusal(Error const& error) {
    std::string subject = "It";
    if (error.field == "exception") subject = "The exception";
    if (error.field == "amount") subject = "The amount";
    if (error.field == "target") subject = "The payment that it should pay";
    if (error.field == "reason") subject = "The reason";
    if (error.field == "request") subject = "The request";
    return {.good = false, .text = "Nothing was booked. " + subject + " " + error.message + "."};
}

}  // namespace

Task<std::string> DeskPages::open_count() {
    auto const page = co_await desk_.list({}, std::nullopt, kMostCounted);
    if (page.exceptions.empty()) co_return "";
    co_return std::to_string(page.exceptions.size()) + (page.has_more ? "+" : "");
}

Task<HttpResponse> DeskPages::show_list(std::string_view query, Frame frame) {
    auto const form = parse_form(query);
    ExceptionsPage page;
    page.open_only = form_value(form, "status") != "all";
    auto const after = parse_path(form_value(form, "after"));
    page.first_page = !after;
    auto found = co_await desk_.list({.open_only = page.open_only}, after, kPageRows);
    page.has_more = found.has_more;
    page.exceptions = std::move(found.exceptions);
    page.requests = co_await desk_.requests();
    page.refund_requests = co_await refunds_.requests();
    page.merchants = co_await merchant_names(reports_);
    page.now = clock_.now();
    co_return page_response(200, frame, "Exceptions", Section::exceptions,
                            exceptions_body(page, network_, root_));
}

Task<HttpResponse> DeskPages::show(std::string_view path, std::string_view query, Frame frame,
                                   Session session) {
    auto const key = parse_path(path);
    if (!key) co_return not_found(frame);
    auto notice = read_notice(query, exception_page(root_, *key), session.token);
    co_return co_await show_exception(kFine, *key, std::move(frame), std::move(session),
                                      std::move(notice), std::nullopt);
}

Task<HttpResponse> DeskPages::show_exception(unsigned status, DeskKey key, Frame frame,
                                             Session session, std::optional<Notice> notice,
                                             std::optional<EnteredDecision> entered) {
    auto exception = co_await desk_.find(key);
    if (!exception) co_return not_found(frame);
    ExceptionDetail detail;
    detail.page = exception_page(root_, key);
    detail.notice = std::move(notice);
    detail.entered = std::move(entered);
    if (auto state = co_await payments_.find(key.merchant_id, exception->payment_id)) {
        detail.status = payments_.status(*state);
        detail.payment = std::move(*state);
    }
    detail.exception = std::move(*exception);
    detail.requests = co_await requests_of(key);
    detail.operator_id = to_string(session.who.id);
    detail.form_token = frame.form_token;
    detail.merchant = merchant_name(co_await merchant_names(reports_), key.merchant_id);
    co_return page_response(status, frame, "Exception", Section::exceptions,
                            exception_body(detail, network_, root_));
}

Task<HttpResponse> DeskPages::answer(std::string_view path, Form form, Frame frame,
                                     Session session) {
    auto const slash = path.rfind('/');
    auto const key = parse_path(path.substr(0, slash));
    if (slash == std::string_view::npos || !key) co_return redirect(root_ + "/exceptions");
    std::string const page = exception_page(root_, *key);
    std::string const action(path.substr(slash + 1));
    Notice notice;
    std::optional<EnteredDecision> refused;
    try {
        notice = co_await act(*key, action, form, to_string(session.who.id));
        if (action == kResolve && !notice.good) refused = entered(form);
    } catch (Unavailable const& failure) {
        log_warning("admin", "a decision could not be made", {{"reason", failure.what()}});
        notice.text =
            "The gateway could not say whether that was booked. Look at what is left here before "
            "you try again.";
    }
    if (refused) {
        co_return co_await show_exception(kRefused, *key, std::move(frame), std::move(session),
                                          std::move(notice), std::move(refused));
    }
    auto response = redirect(page + notice_query(notice, page, session.token));
    response.with("cache-control", "no-store");
    co_return response;
}

Task<Notice> DeskPages::act(DeskKey key, std::string action, Form form, std::string operator_id) {
    if (action == kResolve) {
        co_return co_await resolve(key, std::move(form), std::move(operator_id));
    }
    if (action == "approve" || action == "reject") {
        co_return co_await answer_request(key, action == "approve", std::move(form),
                                          std::move(operator_id));
    }
    co_return Notice{.good = false, .text = "There is no such form."};
}

Task<Notice> DeskPages::resolve(DeskKey key, Form form, std::string operator_id) {
    auto const exception = co_await desk_.find(key);
    if (!exception) co_return refusal({"exception", "is not on the desk"});
    auto const kind = parse_resolution_kind(form_value(form, "kind"));
    if (!kind) co_return refusal({"", "is not one of the four decisions"});
    auto const& transfer = exception->transfer.key;
    auto const amount = parse_decimal(field(form, "amount"),
                                      token_decimals(network_, transfer.chain_id, transfer.token));
    if (!amount) co_return refusal({"amount", amount.error().message});
    Amount const left = exception->amount - exception->resolved;
    if (*amount > left && !left.is_zero()) {
        co_return refusal(
            {"amount", "is more than the " +
                           token_amount(network_, transfer.chain_id, transfer.token, left) +
                           " that are left"});
    }
    ResolveInput input{.exception = key,
                       .kind = *kind,
                       .target = std::nullopt,
                       .amount = *amount,
                       .reason = field(form, "reason")};
    if (!is_utf8(input.reason)) co_return refusal({"reason", "must be text in UTF-8"});
    if (*kind == ResolutionKind::credit) {
        input.target = parse_id<PaymentTag>(field(form, "target"));
        if (!input.target) co_return refusal({"target", "must be named by its id: pay_…"});
    }
    std::string const what = in_words(to_string(*kind));
    auto const decided = co_await desk_.resolve(std::move(input), operator_id);
    if (!decided) co_return refusal(decided.error());
    bool const waits = decided->request.has_value();
    log_info("admin", waits ? "asked for a decision at the desk" : "decided at the desk",
             {{"operator", operator_id}, {"exception", exception_id(key)}, {"kind", what}});
    if (waits) {
        co_return Notice{.good = true,
                         .text =
                             "Nothing is booked yet: so much money needs a second operator. "
                             "Your request waits below."};
    }
    co_return Notice{.good = true, .text = "Booked: " + what + "."};
}

Task<Notice> DeskPages::answer_request(DeskKey key, bool approves, Form form,
                                       std::string operator_id) {
    auto const id = parse_id<RequestTag>(form_value(form, "request"));
    auto const waiting = co_await requests_of(key);
    auto const request = std::ranges::find_if(
        waiting, [&id](ResolutionRequest const& one) { return id && one.id == *id; });
    if (request == waiting.end()) {
        co_return refusal({"request", "is answered already, or never was"});
    }
    Result<void> answered;
    if (approves) {
        answered = co_await desk_.approve(*id, operator_id);
    } else {
        answered = co_await desk_.reject(*id, operator_id);
    }
    if (!answered) co_return refusal(answered.error());
    log_info(
        "admin", approves ? "approved a decision" : "rejected a decision",
        {{"operator", operator_id}, {"request", to_string(*id)}, {"exception", exception_id(key)}});
    if (!approves) co_return Notice{.good = true, .text = "Rejected: nothing was booked."};
    co_return Notice{.good = true,
                     .text = "Approved and booked: " + in_words(to_string(request->kind)) + "."};
}

Task<std::vector<ResolutionRequest>> DeskPages::requests_of(DeskKey key) {
    auto requests = co_await desk_.requests();
    std::erase_if(requests,
                  [&key](ResolutionRequest const& request) { return request.exception != key; });
    co_return requests;
}

}  // namespace sycee::admin
