#include <sycee/app/transaction_input.hpp>
#include <sycee/checkout/checkout_pages.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include "embedded.hpp"
#include "find_page.hpp"
#include "page.hpp"
#include "state_json.hpp"

#include <algorithm>
#include <charconv>

namespace sycee {
namespace {

constexpr std::string_view kRoot = "/checkout/";
constexpr std::string_view kAssets = "assets/";
constexpr std::chrono::milliseconds kHeartbeat{15'000};
constexpr std::chrono::milliseconds kShortestQuiet{1'000};
// While the last blocks before the end are being read, the state changes without a word in the
// feed.
constexpr std::chrono::milliseconds kCheckingPace{2'000};

struct Choice {
    std::size_t option = 0;
    bool uri_code = false;
};

Choice choice_of(std::string_view query) {
    auto const form = parse_form(query);
    std::string const number = form_value(form, "option");
    Choice choice;
    auto const end = number.data() + number.size();
    if (std::from_chars(number.data(), end, choice.option).ptr != end) choice.option = 0;
    choice.uri_code = form_value(form, "qr") == "uri";
    return choice;
}

HttpResponse page_response(unsigned status, std::string body) {
    auto response = text_response(status, "text/html; charset=utf-8", std::move(body));
    response
        .with("content-security-policy",
              "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
              "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
        .with("x-content-type-options", "nosniff")
        .with("referrer-policy", "no-referrer")
        .with("cache-control", "no-store");
    return response;
}

// How long the state can stay as it is without a word in the feed.
std::chrono::milliseconds quiet_time(checkout::CheckoutView const& view) {
    bool const is_detected = view.phase == checkout::Phase::detected;
    if (view.phase == checkout::Phase::checking || (is_detected && view.time_is_up()))
        return kCheckingPace;
    std::chrono::milliseconds quiet = kHeartbeat;
    if (view.is_due()) quiet = std::min<std::chrono::milliseconds>(quiet, view.time_left);
    if (is_detected) quiet = std::min<std::chrono::milliseconds>(quiet, view.detected_for);
    return std::max(quiet, kShortestQuiet);
}

}  // namespace

CheckoutPages::CheckoutPages(PaymentService& payments, TransferFinder& finder, PaymentFeed& feed,
                             DetectedTransfers const& detected, Network const& network,
                             Clock& clock, StreamLimits stream_limits, FindLimits find_limits)
    : payments_(payments),
      finder_(finder),
      feed_(feed),
      detected_(detected),
      network_(network),
      clock_(clock),
      path_(public_path(network.public_url) + std::string(kRoot)),
      files_(path_ + std::string(kAssets), checkout::embedded_files()),
      streams_(stream_limits),
      throttle_(find_limits) {}

Task<HttpResponse> CheckoutPages::handle(HttpRequest const& request) {
    if (request.method != "GET") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET\n");
        refused.with("allow", "GET");
        co_return refused;
    }
    std::string_view rest = request.path;
    if (!rest.starts_with(kRoot)) co_return not_found();
    rest.remove_prefix(kRoot.size());
    if (rest.starts_with(kAssets)) co_return files_.serve(request, rest.substr(kAssets.size()));
    auto const slash = rest.find('/');
    auto const id = parse_id<PaymentTag>(rest.substr(0, slash));
    if (!id) co_return not_found();
    std::string_view const part = slash == std::string_view::npos ? "" : rest.substr(slash);
    if (part.empty()) co_return co_await show_page(*id, request.query);
    if (part == "/events") co_return co_await open_events(*id, request.query);
    if (part == "/find") co_return co_await find_transfer(*id, request.query);
    if (part == "/state") co_return co_await show_state(*id, request);
    co_return not_found();
}

HttpResponse CheckoutPages::not_found() const {
    return page_response(404, checkout::not_found_page(files_));
}

checkout::CheckoutView CheckoutPages::view_of(PaymentState const& state, std::size_t option) const {
    Timestamp const now = clock_.now();
    return checkout::make_view(state, payments_.status(state), network_, now, option,
                               detected_.of(state.payment.id, now));
}

Task<HttpResponse> CheckoutPages::show_page(PaymentId id, std::string query) {
    auto const state = co_await payments_.find_public(id);
    if (!state) co_return not_found();
    Choice const choice = choice_of(query);
    auto const view = view_of(*state, choice.option);
    checkout::PageContext const context{files_, path_ + to_string(id), choice.uri_code};
    co_return page_response(200, checkout::checkout_page(view, context));
}

Task<HttpResponse> CheckoutPages::find_transfer(PaymentId id, std::string query) {
    auto const state = co_await payments_.find_public(id);
    if (!state) co_return not_found();
    Payment const& payment = state->payment;
    checkout::FindPage page{
        .path = path_ + to_string(id), .payment_id = to_string(id), .reference = payment.reference};
    std::string const entered = form_value(parse_form(query), "transaction");
    if (entered.empty()) co_return page_response(200, checkout::find_page(page, files_));
    auto const hash = read_transaction_hash(entered);
    if (!hash) {
        page.problem =
            "That is not the hash of one transaction: 0x and 64 digits from 0 to 9 and a to f, or "
            "a block explorer's link with it.";
        co_return page_response(400, checkout::find_page(page, files_));
    }
    if (auto const wait = throttle_.take(id, clock_.now()); wait.count() > 0) {
        std::string const seconds = std::to_string(wait.count());
        page.problem =
            "That was asked often just now. Please try again in " + seconds + " seconds.";
        auto refused = page_response(429, checkout::find_page(page, files_));
        refused.with("retry-after", seconds);
        co_return refused;
    }
    page.transaction = to_hex0x(*hash);
    auto const found = co_await finder_.find_at(
        {payment.deposit_address, {payment.merchant_id, payment.id}}, *hash);
    page.findings = checkout::findings_of(found, *state, payments_.status(*state), network_);
    co_return page_response(200, checkout::find_page(page, files_));
}

Task<HttpResponse> CheckoutPages::show_state(PaymentId id, HttpRequest const& request) {
    auto const state = co_await payments_.find_public(id);
    if (!state) co_return text_response(404, "application/json", "{}\n");
    std::string body = checkout::state_json(view_of(*state, choice_of(request.query).option));
    std::string const etag = '"' + to_hex(sha256(as_bytes(body))).substr(0, 32) + '"';
    HttpResponse response;
    if (matches_etag(request, etag)) {
        response.status = 304;
    } else {
        response = text_response(200, "application/json", std::move(body));
    }
    response.with("etag", etag)
        .with("cache-control", "private, no-cache")
        .with("x-content-type-options", "nosniff");
    co_return response;
}

Task<HttpResponse> CheckoutPages::open_events(PaymentId id, std::string query) {
    auto slot = streams_.take(id.uuid);
    if (!slot) {
        // A browser does not try this address again: the page asks for the state from now on.
        auto refused =
            text_response(503, "text/plain; charset=utf-8", "Too many streams: read the state\n");
        refused.with("retry-after", "30").with("cache-control", "no-store");
        co_return refused;
    }
    auto const state = co_await payments_.find_public(id);
    if (!state) co_return text_response(404, "text/plain; charset=utf-8", "No such payment\n");
    auto response = text_response(200, "text/event-stream", "");
    response.with("cache-control", "no-store")
        .with("x-accel-buffering", "no")
        .with("x-content-type-options", "nosniff");
    response.stream = [this, id, query = std::move(query), held = std::move(slot)](
                          HttpStream& stream) { return send_events(id, query, stream); };
    co_return response;
}

Task<void> CheckoutPages::send_events(PaymentId id, std::string query, HttpStream& stream) {
    Choice const choice = choice_of(query);
    PaymentFeed::Subscription subscription(feed_, id);  // before the first look, to miss nothing
    co_await stream.send("retry: 3000\n\n");
    std::string sent;
    for (;;) {
        auto wait = kHeartbeat;
        bool final = false;
        std::string chunk = ": still here\n\n";
        try {
            auto const state = co_await payments_.find_public(id);
            if (!state) co_return;
            auto const view = view_of(*state, choice.option);
            std::string const json = checkout::state_json(view);
            if (json != sent) chunk = "data: " + json + "\n\n";
            sent = json;
            wait = quiet_time(view);
            final = view.final;
        } catch (Unavailable const& error) {
            // For a moment: the page keeps what it shows, and the line stays open.
            log_debug("checkout", "no state for an open page", {{"error", error.what()}});
        }
        co_await stream.send(chunk);
        if (final) co_return;
        co_await subscription.next(wait);
    }
}

}  // namespace sycee
