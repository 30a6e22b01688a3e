#include "difference_pages.hpp"

#include <sycee/app/token_text.hpp>
#include <sycee/base/utf8.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>

namespace sycee::admin {
namespace {

constexpr std::size_t kMostShown = 100;

// The error's message is a sentence that lacks its subject.
Notice refusal(Error const& error) {
    std::string subject = "The difference";
    if (error.field == "reason") subject = "The reason";
    if (error.field == "request") subject = "The request";
    if (error.field == "operator") subject = "It";
    return {.good = false, .text = "Nothing was booked. " + subject + " " + error.message + "."};
}

std::string reason_in(DifferencePages::Form const& form) {
    std::string reason = form_value(form, "reason");
    std::erase(reason, '\r');
    return reason;
}

}  // namespace

Task<HttpResponse> DifferencePages::show(std::string_view query, Frame frame, Session session) {
    DifferencesPage shown;
    shown.differences = co_await losses_.list(kMostShown);
    shown.requests = co_await losses_.requests();
    shown.merchants = co_await merchant_names(reports_);
    shown.page = page();
    shown.operator_id = to_string(session.who.id);
    shown.form_token = frame.form_token;
    shown.notice = read_notice(query, page(), session.token);
    shown.now = clock_.now();
    co_return page_response(200, frame, "Differences", Section::chains,
                            differences_body(shown, network_, root_));
}

Task<HttpResponse> DifferencePages::answer(std::string_view path, Form form, Session session) {
    auto const slash = path.find('/');
    auto const id = parse_id<DifferenceTag>(path.substr(0, slash));
    if (slash == std::string_view::npos || !id) co_return redirect(page());
    Notice notice;
    try {
        notice = co_await act(*id, std::string(path.substr(slash + 1)), std::move(form),
                              to_string(session.who.id));
    } catch (Unavailable const& failure) {
        log_warning("admin", "a difference could not be closed", {{"reason", failure.what()}});
        notice.text =
            "The gateway could not say whether that was booked. Look at what is open here before "
            "you try again.";
    }
    auto response = redirect(page() + notice_query(notice, page(), session.token));
    response.with("cache-control", "no-store");
    co_return response;
}

Task<Notice> DifferencePages::act(DifferenceId id, std::string action, Form form,
                                  std::string operator_id) {
    std::string reason = reason_in(form);
    if (!is_utf8(reason)) co_return refusal({"reason", "must be text in UTF-8"});
    if (action == "book-loss") {
        co_return co_await book(id, std::move(reason), std::move(operator_id));
    }
    if (action == "accept") {
        auto const accepted = co_await losses_.accept(id, std::move(reason));
        if (!accepted) co_return refusal(accepted.error());
        log_info("admin", "accepted a difference",
                 {{"operator", operator_id}, {"difference", to_string(id)}});
        co_return Notice{.good = true, .text = "Accepted: the address is free again."};
    }
    if (action == "approve" || action == "reject") {
        co_return co_await answer_request(id, action == "approve", std::move(form),
                                          std::move(operator_id));
    }
    co_return Notice{.good = false, .text = "There is no such form."};
}

Task<Notice> DifferencePages::book(DifferenceId id, std::string reason, std::string operator_id) {
    auto const booked = co_await losses_.book_or_request(id, std::move(reason), operator_id);
    if (!booked) co_return refusal(booked.error());
    bool const waits = booked->sequence == 0;
    log_info("admin", waits ? "asked for a loss to be booked" : "booked a loss",
             {{"operator", operator_id}, {"difference", to_string(id)}});
    if (waits) {
        co_return Notice{.good = true,
                         .text =
                             "Nothing is booked yet: so much money needs a second operator. "
                             "Your request waits below."};
    }
    co_return Notice{.good = true, .text = booked_text(*booked)};
}

Task<Notice> DifferencePages::answer_request(DifferenceId id, bool approves, Form form,
                                             std::string operator_id) {
    auto const request_id = parse_id<RequestTag>(form_value(form, "request"));
    auto const waiting = co_await losses_.requests();
    bool const is_there =
        std::any_of(waiting.begin(), waiting.end(), [&](LossRequest const& request) {
            return request_id && request.id == *request_id && request.difference_id == id;
        });
    if (!is_there) co_return refusal({"request", "is answered already, or never was"});
    log_info("admin", approves ? "approves a loss" : "rejects a loss",
             {{"operator", operator_id}, {"request", to_string(*request_id)}});
    if (!approves) {
        auto const rejected = co_await losses_.reject(*request_id, operator_id);
        if (!rejected) co_return refusal(rejected.error());
        co_return Notice{.good = true, .text = "Rejected: nothing was booked."};
    }
    auto const booked = co_await losses_.approve(*request_id, operator_id);
    if (!booked) co_return refusal(booked.error());
    co_return Notice{.good = true, .text = booked_text(*booked)};
}

std::string DifferencePages::booked_text(BookedLoss const& booked) const {
    OpenDifference const& difference = booked.difference;
    return "Booked: " +
           token_amount(network_, difference.chain_id, difference.difference.booked.token,
                        booked.amount) +
           " as lost. The address is free again.";
}

}  // namespace sycee::admin
