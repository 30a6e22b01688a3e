#include "routes.hpp"

#include <sycee/app/transaction_input.hpp>
#include <sycee/base/utf8.hpp>

#include "embedded.hpp"
#include "origin.hpp"
#include "pages.hpp"

namespace sycee {
namespace {

constexpr std::string_view kRoot = "/admin";
constexpr std::string_view kAssets = "/assets/";
constexpr std::string_view kPayments = "/payments/";
constexpr std::string_view kExceptions = "/exceptions/";
constexpr std::string_view kDifferences = "/differences/";
constexpr std::string_view kStatements = "/statements";
constexpr std::size_t kPageRows = 50;
constexpr unsigned kFine = 200;
constexpr unsigned kBadRequest = 400;
constexpr unsigned kForbidden = 403;
constexpr unsigned kNotFound = 404;
constexpr unsigned kTooMany = 429;

}  // namespace

AdminPages::Routes::Routes(PaymentService& payments, DeskService& desk, RefundService& refunds,
                           LossService& losses, TransferFinder& finder, ChainRegistry const& chains,
                           ReportPort& reports, StatementPort& statements, AccessPort& access,
                           WorkerPool& workers, Network const& network, Clock& clock,
                           Metrics& metrics, RateBook const& rates)
    : payments_(payments),
      finder_(finder),
      chains_(chains),
      reports_(reports),
      access_(access),
      network_(network),
      clock_(clock),
      rates_(rates),
      origin_(admin::origin_of(network.public_url)),
      root_(public_path(network.public_url) + std::string(kRoot)),
      files_(root_ + std::string(kAssets), admin::embedded_files()),
      cookie_(origin_.starts_with("https://")),
      login_(access, workers, clock, metrics),
      desk_(payments, desk, refunds, reports, network, clock, root_),
      refunds_(payments, refunds, login_, network, root_),
      differences_(losses, reports, network, clock, root_),
      statements_(statements, reports, network, clock, root_) {}

admin::Frame AdminPages::Routes::frame_for(std::optional<Session> const& session) const {
    if (!session) return {.files = files_, .root = root_};
    return {.files = files_,
            .root = root_,
            .operator_name = session->who.name,
            .form_token = session->token.form_token()};
}

Task<std::optional<AdminPages::Routes::Session>> AdminPages::Routes::find_session(
    HttpRequest const& request) {
    auto const token = cookie_.read(request);
    if (!token) co_return std::nullopt;
    auto who = co_await access_.find_session(token->hash(), clock_.now());
    if (!who) co_return std::nullopt;
    co_return Session{*token, std::move(*who)};
}

Task<HttpResponse> AdminPages::Routes::handle(HttpRequest const& request) {
    std::string_view path = request.path;
    bool const ours = path == kRoot || path.starts_with(std::string(kRoot) + "/");
    if (!ours) co_return text_response(kNotFound, "text/plain; charset=utf-8", "Not found\n");
    path.remove_prefix(kRoot.size());
    if (path == "/") path = {};
    if (request.method == "POST") co_return co_await handle_post(request, path);
    if (request.method != "GET") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET and POST\n");
        refused.with("allow", "GET, POST");
        co_return refused;
    }
    if (path.starts_with(kAssets)) {
        co_return files_.serve(request, path.substr(kAssets.size()));
    }
    auto const session = co_await find_session(request);
    if (path == "/login") {
        if (session) co_return redirect(root_);
        co_return admin::login_response(200, frame_for(session), "", "");
    }
    if (!session) co_return redirect(root_ + "/login");
    co_return co_await show(path, request.query, *session);
}

Task<HttpResponse> AdminPages::Routes::handle_post(HttpRequest const& request,
                                                   std::string_view path) {
    // SameSite=Strict keeps the cookie from other sites' forms; this keeps out the forms
    // themselves.
    if (!admin::comes_from(request, origin_)) {
        co_return admin::message_response(kForbidden, frame_for(std::nullopt), "Refused",
                                          "This request did not come from a page at " + origin_ +
                                              ". Open the dashboard at that address.");
    }
    if (path == "/login") co_return co_await log_in(request);
    if (path == "/logout") co_return co_await log_out(request);
    if (path.starts_with(kExceptions) || path.starts_with(kPayments) ||
        path.starts_with(kDifferences)) {
        co_return co_await answer_form(request, path);
    }
    co_return admin::message_response(kNotFound, frame_for(std::nullopt), "Not found",
                                      "There is no such page.");
}

Task<HttpResponse> AdminPages::Routes::log_in(HttpRequest const& request) {
    auto const form = parse_form(request.body);
    std::string const name = form_value(form, "name");
    auto const answer =
        co_await login_.attempt(name, Secret(form_value(form, "password")), request.peer);
    if (answer.token) {
        // The session that the browser brought ends here: a login always begins a new one.
        if (auto const old = cookie_.read(request)) co_await access_.delete_session(old->hash());
        auto response = redirect(root_);
        response.with("set-cookie", cookie_.write(*answer.token)).with("cache-control", "no-store");
        co_return response;
    }
    if (answer.wait.count() > 0) {
        auto response = admin::login_response(kTooMany, frame_for(std::nullopt), name,
                                              admin::wait_text(answer.wait));
        response.with("retry-after", std::to_string(answer.wait.count()));
        co_return response;
    }
    co_return admin::login_response(kForbidden, frame_for(std::nullopt), name,
                                    "The name or the password is wrong.");
}

Task<HttpResponse> AdminPages::Routes::log_out(HttpRequest const& request) {
    auto const session = co_await find_session(request);
    if (!session) co_return redirect(root_ + "/login");
    if (!session->token.matches_form_token(form_value(parse_form(request.body), "token"))) {
        co_return admin::message_response(kForbidden, frame_for(session), "Refused",
                                          "The form is out of date. Go back and try again.");
    }
    co_await access_.delete_session(session->token.hash());
    auto response = redirect(root_ + "/login");
    response.with("set-cookie", cookie_.remove()).with("cache-control", "no-store");
    co_return response;
}

Task<HttpResponse> AdminPages::Routes::answer_form(HttpRequest const& request,
                                                   std::string_view path) {
    auto const session = co_await find_session(request);
    if (!session) co_return redirect(root_ + "/login");
    auto form = parse_form(request.body);
    if (!session->token.matches_form_token(form_value(form, "token"))) {
        co_return admin::message_response(kForbidden, frame_for(session), "Refused",
                                          "The form is out of date. Go back and try again.");
    }
    if (path.starts_with(kDifferences)) {
        co_return co_await differences_.answer(path.substr(kDifferences.size()), std::move(form),
                                               *session);
    }
    if (path.starts_with(kPayments)) {
        co_return co_await refunds_.answer(std::string(path.substr(kPayments.size())),
                                           std::move(form), *session, request.peer,
                                           frame_for(session));
    }
    admin::Frame frame = frame_for(session);
    frame.open_exceptions = co_await desk_.open_count();
    co_return co_await desk_.answer(path.substr(kExceptions.size()), std::move(form),
                                    std::move(frame), *session);
}

Task<HttpResponse> AdminPages::Routes::show(std::string_view path, std::string_view query,
                                            Session session) {
    admin::Frame frame = frame_for(session);
    frame.open_exceptions = co_await desk_.open_count();
    if (path.empty()) co_return co_await show_payments(query, frame);
    if (path == "/exceptions") co_return co_await desk_.show_list(query, frame);
    if (path.starts_with(kExceptions)) {
        co_return co_await desk_.show(path.substr(kExceptions.size()), query, frame, session);
    }
    if (path == "/find") co_return co_await find_transaction(query, frame);
    if (path.starts_with(kPayments)) {
        auto const id = parse_id<PaymentTag>(path.substr(kPayments.size()));
        if (id) co_return co_await show_payment(*id, query, frame, session);
    }
    if (path == kStatements || path.starts_with(std::string(kStatements) + "/")) {
        co_return co_await statements_.show(std::string(path.substr(kStatements.size())),
                                            std::string(query), frame);
    }
    if (path == "/trial-balance") {
        auto const rows = co_await reports_.balances();
        co_return admin::page_response(200, frame, "Trial balance", admin::Section::trial_balance,
                                       admin::trial_balance_body(rows, network_));
    }
    if (path == "/differences") co_return co_await differences_.show(query, frame, session);
    if (path == "/chains") {
        auto const chains = co_await reports_.chains();
        co_return admin::page_response(
            200, frame, "Chains", admin::Section::chains,
            html("{}{}", {admin::chains_body(chains, chains_.all(), network_, clock_.now(), root_),
                          admin::rates_section(rates_, clock_.now())}));
    }
    co_return admin::message_response(kNotFound, frame, "Not found", "There is no such page.");
}

Task<HttpResponse> AdminPages::Routes::show_payments(std::string_view query, admin::Frame frame) {
    auto const after = parse_id<PaymentTag>(form_value(parse_form(query), "after"));
    auto found = co_await payments_.list(std::nullopt, after, kPageRows);
    admin::PaymentsPage page;
    page.has_more = found.has_more;
    page.first_page = !after;
    for (auto& state : found.payments) {
        auto const status = payments_.status(state);
        page.rows.push_back({.state = std::move(state), .status = status});
    }
    page.merchants = co_await admin::merchant_names(reports_);
    co_return admin::page_response(200, frame, "Payments", admin::Section::payments,
                                   admin::payments_body(page, root_));
}

Task<HttpResponse> AdminPages::Routes::find_transaction(std::string_view query,
                                                        admin::Frame frame) {
    admin::FindPage page;
    page.entered = form_value(parse_form(query), "transaction");
    if (!is_utf8(page.entered)) page.entered.clear();
    if (!page.entered.empty()) {
        auto const hash = read_transaction_hash(page.entered);
        if (hash) {
            page.hash = to_hex0x(*hash);
            page.chains = co_await finder_.find(*hash);
            page.merchants = co_await admin::merchant_names(reports_);
        } else {
            page.problem = "The transaction " + hash.error().message + ".";
        }
    }
    co_return admin::page_response(page.problem.empty() ? kFine : kBadRequest, frame,
                                   "Find a transaction", admin::Section::find,
                                   admin::find_body(page, network_, root_));
}

Task<HttpResponse> AdminPages::Routes::show_payment(PaymentId id, std::string_view query,
                                                    admin::Frame frame, Session session) {
    auto state = co_await payments_.find_public(id);
    if (!state) {
        co_return admin::message_response(kNotFound, frame, "Not found",
                                          "There is no payment with this id.");
    }
    admin::PaymentDetail detail;
    detail.notice = admin::read_notice(query, root_ + "/payments/" + to_string(id), session.token);
    detail.operator_id = to_string(session.who.id);
    detail.form_token = frame.form_token;
    detail.status = payments_.status(*state);
    detail.state = std::move(*state);
    Payment const& payment = detail.state.payment;
    detail.timeline = co_await reports_.timeline({payment.merchant_id, payment.id});
    detail.merchant =
        admin::merchant_name(co_await admin::merchant_names(reports_), payment.merchant_id);
    co_await refunds_.load(detail);
    co_return admin::page_response(200, frame, "Payment", admin::Section::payments,
                                   admin::payment_body(detail, network_, root_));
}

}  // namespace sycee
