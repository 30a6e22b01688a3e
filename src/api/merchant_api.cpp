#include <sycee/api/merchant_api.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include "endpoints.hpp"
#include "entity_tag.hpp"
#include "idempotency.hpp"
#include "request_limiter.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace sycee {
namespace {

struct Route {
    std::string_view endpoint;  // empty: no endpoint for this method
    std::string_view allow;     // empty: nothing under this path
    std::string_view id;
};

// What follows `parent` and a slash: one segment, or nothing.
std::optional<std::string_view> segment_below(std::string_view path, std::string_view parent) {
    if (!path.starts_with(parent) || path.size() == parent.size() || path[parent.size()] != '/') {
        return std::nullopt;
    }
    auto const segment = path.substr(parent.size() + 1);
    if (segment.find('/') != std::string_view::npos) return std::nullopt;
    return segment;
}

Route route_of(HttpRequest const& request) {
    constexpr std::string_view kPayments = "/v1/payments";
    constexpr std::string_view kExceptions = "/v1/exceptions";
    constexpr std::string_view kResolve = "/resolve";
    constexpr std::string_view kReceipt = "/receipt";
    constexpr std::string_view kStatements = "/v1/statements";
    constexpr std::string_view kFeeInvoices = "/v1/fee-invoices";
    constexpr std::string_view kTotals = "/v1/totals";
    constexpr std::string_view kLines = "/lines";
    constexpr std::string_view kBatches = "/batches";
    constexpr std::string_view kRefunds = "/v1/refunds";
    std::string_view const path = request.path;
    bool const reads = request.method == "GET" || request.method == "HEAD";
    if (path == kPayments) {
        std::string_view const writes = request.method == "POST" ? "create_payment" : "";
        return {reads ? "list_payments" : writes, "GET, HEAD, POST", ""};
    }
    if (auto const id = segment_below(path, kPayments)) {
        return {reads ? "get_payment" : "", "GET, HEAD", *id};
    }
    if (path.ends_with(kReceipt)) {
        auto const payment = path.substr(0, path.size() - kReceipt.size());
        if (auto const id = segment_below(payment, kPayments)) {
            return {reads ? "get_receipt" : "", "GET, HEAD", *id};
        }
    }
    if (path == kExceptions) return {reads ? "list_exceptions" : "", "GET, HEAD", ""};
    if (auto const id = segment_below(path, kExceptions)) {
        return {reads ? "get_exception" : "", "GET, HEAD", *id};
    }
    if (path.ends_with(kResolve)) {
        auto const exception = path.substr(0, path.size() - kResolve.size());
        if (auto const id = segment_below(exception, kExceptions)) {
            return {request.method == "POST" ? "resolve_exception" : "", "POST", *id};
        }
    }
    if (path == kFeeInvoices) return {reads ? "list_fee_invoices" : "", "GET, HEAD", ""};
    if (path == kRefunds) {
        std::string_view const writes = request.method == "POST" ? "create_refund" : "";
        return {reads ? "list_refunds" : writes, "GET, HEAD, POST", ""};
    }
    if (auto const id = segment_below(path, kRefunds)) {
        return {reads ? "get_refund" : "", "GET, HEAD", *id};
    }
    for (auto const [part, endpoint] :
         {std::pair<std::string_view, std::string_view>("/recipient", "name_refund_recipient"),
          std::pair<std::string_view, std::string_view>("/report", "report_refund"),
          std::pair<std::string_view, std::string_view>("/cancel", "cancel_refund")}) {
        if (!path.ends_with(part)) continue;
        auto const refund = path.substr(0, path.size() - part.size());
        if (auto const id = segment_below(refund, kRefunds)) {
            return {request.method == "POST" ? endpoint : "", "POST", *id};
        }
    }
    if (auto const period = segment_below(path, kStatements)) {
        return {reads ? "get_statement" : "", "GET, HEAD", *period};
    }
    if (path == kTotals) return {reads ? "get_totals" : "", "GET, HEAD", ""};
    for (auto const [part, endpoint] : {std::pair(kLines, "list_statement_lines"),
                                        std::pair(kBatches, "list_statement_batches")}) {
        if (!path.ends_with(part)) continue;
        auto const statement = path.substr(0, path.size() - part.size());
        if (auto const period = segment_below(statement, kStatements)) {
            return {reads ? endpoint : "", "GET, HEAD", *period};
        }
    }
    return {};
}

Problem too_many(RequestLimiter::Standing const& standing, std::uint32_t most) {
    return {
        .kind = kRateLimited,
        .detail = "This API key has made its " + std::to_string(most) + " requests of this minute.",
        .headers = {{"retry-after", std::to_string(standing.reset_in.count())}}};
}

// draft-ietf-httpapi-ratelimit-headers-11.
void tell_standing(HttpResponse& response, RequestLimiter::Standing const& standing,
                   std::uint32_t most) {
    auto const window = std::to_string(RequestLimiter::kWindow.count());
    response.with("ratelimit-policy", "\"key\";q=" + std::to_string(most) + ";w=" + window)
        .with("ratelimit", "\"key\";r=" + std::to_string(standing.remaining) +
                               ";t=" + std::to_string(standing.reset_in.count()));
}

Problem unauthorized() {
    return {.kind = kUnauthorized,
            .detail = "Send a valid API key: \"Authorization: Bearer sk_live_...\".",
            .headers = {{"www-authenticate", "Bearer"}}};
}

Task<Answer> answer(ApiCall const& call, Route const& route) {
    if (route.allow.empty()) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is nothing under this path."});
    }
    if (route.endpoint == "create_payment") co_return co_await create_payment(call);
    if (route.endpoint == "list_payments") co_return co_await list_payments(call);
    if (route.endpoint == "get_payment") co_return co_await get_payment(call, route.id);
    if (route.endpoint == "get_receipt") co_return co_await get_receipt(call, route.id);
    if (route.endpoint == "list_exceptions") co_return co_await list_exceptions(call);
    if (route.endpoint == "get_exception") co_return co_await get_exception(call, route.id);
    if (route.endpoint == "resolve_exception") co_return co_await decide_exception(call, route.id);
    if (route.endpoint == "list_fee_invoices") co_return co_await list_fee_invoices(call);
    if (route.endpoint == "create_refund") co_return co_await create_refund(call);
    if (route.endpoint == "list_refunds") co_return co_await list_refunds(call);
    if (route.endpoint == "get_refund") co_return co_await get_refund(call, route.id);
    if (route.endpoint == "name_refund_recipient") {
        co_return co_await name_refund_recipient(call, route.id);
    }
    if (route.endpoint == "report_refund") co_return co_await report_refund(call, route.id);
    if (route.endpoint == "cancel_refund") co_return co_await cancel_refund(call, route.id);
    if (route.endpoint == "get_statement") co_return co_await get_statement(call, route.id);
    if (route.endpoint == "get_totals") co_return co_await get_totals(call);
    if (route.endpoint == "list_statement_lines") {
        co_return co_await list_statement_lines(call, route.id);
    }
    if (route.endpoint == "list_statement_batches") {
        co_return co_await list_statement_batches(call, route.id);
    }
    co_return std::unexpected(Problem{.kind = kMethodNotAllowed,
                                      .detail = "This path has: " + std::string(route.allow) + ".",
                                      .headers = {{"allow", std::string(route.allow)}}});
}

// A request with an Idempotency-Key does its work once, and is answered alike each time.
Task<Answer> answer_once(ApiCall call, Route const& route, RunningKeys& running,
                         IdempotencyPort& keys) {
    bool const does_work = call.request.method == "POST" && !route.endpoint.empty();
    if (!does_work) co_return co_await answer(call, route);
    auto claim = read_claim(call.request);
    if (!claim) co_return std::unexpected(std::move(claim.error()));
    if (!*claim) co_return co_await answer(call, route);
    // Better refused than taken for a promise that is not kept.
    if (route.endpoint != "create_payment") {
        co_return std::unexpected(
            Problem{.kind = kInvalidRequest,
                    .detail = "Idempotency-Key: is for POST /v1/payments alone. Here, look at what "
                              "is there before you send a request again."});
    }
    RunningKeys::Hold const hold(running, {call.caller.merchant_id, (*claim)->key});
    if (!hold) {
        co_return std::unexpected(
            Problem{.kind = kKeyInUse,
                    .detail = "A request with this Idempotency-Key is still being worked on.",
                    .headers = {{"retry-after", "1"}}});
    }
    call.claim = std::move(*claim);
    std::optional<Answer> first;
    try {
        first = co_await answer(call, route);
    } catch (KeyWasUsed const&) {
        first.reset();
    }
    if (first) co_return std::move(*first);
    auto const used = co_await keys.find(call.caller.merchant_id, call.claim->key);
    // Forgotten just now, as it is too old.
    if (!used) throw Unavailable("an idempotency key is gone that was there");
    co_return answer_again(*used, *call.claim);
}

bool is_cancellation(std::exception const& failure) {
    auto const* error = dynamic_cast<boost::system::system_error const*>(&failure);
    return error != nullptr && error->code() == boost::asio::error::operation_aborted;
}

}  // namespace

MerchantApi::MerchantApi(PaymentService& payments, DeskService& desk, FeeService& fees,
                         RefundService& refunds, StatementPort& statements,
                         CheckpointService& checkpoints, AccessPort& access, IdempotencyPort& keys,
                         Network const& network, Clock& clock, Metrics& metrics,
                         ApiSettings settings)
    : payments_(payments),
      desk_(desk),
      fees_(fees),
      refunds_(refunds),
      statements_(statements),
      checkpoints_(checkpoints),
      access_(access),
      keys_(keys),
      network_(network),
      clock_(clock),
      metrics_(metrics),
      running_keys_(std::make_unique<RunningKeys>()),
      limiter_(std::make_unique<RequestLimiter>(settings.requests_per_minute)) {}

MerchantApi::~MerchantApi() = default;

Task<HttpResponse> MerchantApi::handle(HttpRequest const& request) {
    std::string const request_id = to_string(new_id<RequestTag>(clock_.now()));
    Route const route = route_of(request);
    // The key comes first: whoever has none learns nothing, not even whether a body would do.
    Answer result = std::unexpected(unauthorized());
    std::optional<RequestLimiter::Standing> standing;
    try {
        if (auto const caller = co_await authenticate(request, access_)) {
            ApiCall const call{payments_, desk_,    fees_,   refunds_, statements_, checkpoints_,
                               clock_,    network_, request, *caller,  std::nullopt};
            standing = limiter_->take(caller->key_id, clock_.now());
            result = standing->is_allowed ? co_await answer_once(call, route, *running_keys_, keys_)
                                          : std::unexpected(too_many(*standing, limiter_->most()));
        }
    } catch (StorageFull const& failure) {
        log_error("api", "a request could not be served",
                  {{"request_id", request_id}, {"reason", failure.what()}});
        result = std::unexpected(
            Problem{.kind = kStorageFull,
                    .detail = "The disk of the gateway's database is full: nothing is accepted "
                              "until there is room. Try again later.",
                    .headers = {{"retry-after", "30"}}});
    } catch (Unavailable const& failure) {
        log_warning("api", "a request could not be served",
                    {{"request_id", request_id}, {"reason", failure.what()}});
        result =
            std::unexpected(Problem{.kind = kUnavailable,
                                    .detail = "The gateway can't do this at the moment. Try again.",
                                    .headers = {{"retry-after", "1"}}});
    } catch (std::exception const& failure) {
        if (is_cancellation(failure)) throw;
        log_error("api", "a request failed",
                  {{"request_id", request_id}, {"reason", failure.what()}});
        result = std::unexpected(Problem{
            .kind = kInternal, .detail = "The gateway failed. Its log has the request id."});
    }
    HttpResponse response =
        result ? std::move(*result) : problem_response(result.error(), request_id);
    bool const has_tag = answer_if_changed(request, response);
    response.with("request-id", request_id)
        .with("cache-control", has_tag ? "private, no-cache" : "no-store");
    if (standing) tell_standing(response, *standing, limiter_->most());
    metrics_.count("sycee_api_requests_total",
                   {{"endpoint", route.endpoint.empty() ? "none" : route.endpoint},
                    {"status", std::to_string(response.status)}});
    log_debug(
        "api", "answered",
        {{"request_id", request_id}, {"endpoint", route.endpoint}, {"status", response.status}});
    co_return response;
}

}  // namespace sycee
