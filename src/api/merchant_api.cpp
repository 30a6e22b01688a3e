#include <sycee/api/merchant_api.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include "entity_tag.hpp"
#include "idempotency.hpp"
#include "request_limiter.hpp"
#include "routes.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace sycee {
namespace {

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

Task<Answer> answer(ApiCall const& call, Route const& route) {
    if (route.allow.empty()) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is nothing under this path."});
    }
    if (route.endpoint != nullptr) co_return co_await route.endpoint->handle(call, route.id);
    co_return std::unexpected(Problem{.kind = kMethodNotAllowed,
                                      .detail = "This path has: " + route.allow + ".",
                                      .headers = {{"allow", route.allow}}});
}

// The answer is on the disk before it is given: sent again, the request gets no other.
Task<Answer> keep_answer(ApiCall const& call, Endpoint const& endpoint, Answer answer) {
    bool const succeeded = answer && answer->status >= 200 && answer->status < 300;
    if (!succeeded) co_return answer;
    KeptAnswer kept{.status = answer->status, .location = "", .body = answer->body};
    if (endpoint.shows_secret) kept.body = to_base64(call.secrets.seal(Secret(answer->body)));
    for (auto const& [name, value] : answer->headers) {
        if (name == "location") kept.location = value;
    }
    co_await call.keys.keep(call.caller.merchant_id, *call.claim, std::move(kept),
                            call.clock.now());
    co_return answer;
}

// As it was given.
void open_answer(ApiCall const& call, UsedKey& used) {
    auto const sealed = from_base64(used.answer->body);
    Result<Secret> opened = refuse("answer", "is not base64");
    if (sealed) opened = call.secrets.open(*sealed);
    if (!opened)
        throw InvariantViolation("a kept answer can't be opened: " + opened.error().message);
    used.answer->body = opened->reveal();
}

Task<Answer> answer_used(ApiCall const& call, Route const& route, UsedKey used) {
    Endpoint const& endpoint = *route.endpoint;
    bool const is_same = used.request_hash == call.claim->request_hash;
    if (is_same && used.answer && endpoint.shows_secret) open_answer(call, used);
    auto again = answer_again(used, *call.claim);
    if (!again || used.answer) co_return again;
    // A crash came between the work and its answer.
    if (endpoint.tell == nullptr) throw InvariantViolation("an idempotency key without an answer");
    co_return co_await keep_answer(call, endpoint,
                                   co_await endpoint.tell(call, route.id, used.subject));
}

// A request with an Idempotency-Key does its work once, and is answered alike each time.
Task<Answer> answer_once(ApiCall call, Route const& route, RunningKeys& running) {
    if (route.endpoint == nullptr || route.endpoint->method != "POST")
        co_return co_await answer(call, route);
    auto claim = read_claim(call.request);
    if (!claim) co_return std::unexpected(std::move(claim.error()));
    if (!*claim) co_return co_await answer(call, route);
    RunningKeys::Hold const hold(running, {call.caller.merchant_id, (*claim)->key});
    if (!hold) {
        co_return std::unexpected(
            Problem{.kind = kKeyInUse,
                    .detail = "A request with this Idempotency-Key is still being worked on.",
                    .headers = {{"retry-after", "1"}}});
    }
    call.claim = std::move(*claim);
    bool const keeps_its_answer = route.endpoint->keeps_its_answer;
    MerchantId const merchant_id = call.caller.merchant_id;
    std::string const key = call.claim->key;
    if (!keeps_its_answer) {
        // What it did may stand in the way of doing it again.
        if (auto const used = co_await call.keys.find(merchant_id, key))
            co_return co_await answer_used(call, route, *used);
    }
    std::optional<Answer> first;
    std::exception_ptr without_price;
    try {
        first = co_await answer(call, route);
    } catch (KeyWasUsed const&) {
        first.reset();
    } catch (RateUnavailable const&) {
        // It may have been answered while there was a rate.
        without_price = std::current_exception();
    }
    bool const is_done = first && *first;
    if (is_done && keeps_its_answer) co_return std::move(*first);
    if (first && !keeps_its_answer)
        co_return co_await keep_answer(call, *route.endpoint, std::move(*first));
    // What is refused now may have been done before.
    auto const used = co_await call.keys.find(merchant_id, key);
    if (!used && without_price) std::rethrow_exception(without_price);
    if (!used && first) co_return std::move(*first);
    // Forgotten just now, as it is too old.
    if (!used) throw Unavailable("an idempotency key is gone that was there");
    co_return co_await answer_used(call, route, *used);
}

// What the key is for comes before what the endpoint makes of the request, and before an answer
// that was given to another key.
Task<Answer> answer_if_allowed(ApiCall const& call, Route const& route, RunningKeys& running) {
    if (route.endpoint != nullptr) {
        Scope const needed = route.endpoint->needs.scope;
        if (!call.caller.scopes.has(needed)) co_return std::unexpected(lacks_scope(needed));
    }
    co_return co_await answer_once(call, route, running);
}

bool is_cancellation(std::exception const& failure) {
    auto const* error = dynamic_cast<boost::system::system_error const*>(&failure);
    return error != nullptr && error->code() == boost::asio::error::operation_aborted;
}

}  // namespace

MerchantApi::MerchantApi(ApiServices services, Metrics& metrics, ApiSettings settings)
    : services_(services),
      metrics_(metrics),
      running_keys_(std::make_unique<RunningKeys>()),
      limiter_(std::make_unique<RequestLimiter>(settings.requests_per_minute)),
      streams_(settings.streams),
      pace_(settings.pace) {}

MerchantApi::~MerchantApi() = default;

Task<HttpResponse> MerchantApi::handle(HttpRequest const& request) {
    Clock& clock = services_.clock;
    std::string const request_id = to_string(new_id<RequestTag>(clock.now()));
    Route const route = find_route(request.method, request.path);
    std::string_view const endpoint = route.endpoint == nullptr ? "none" : route.endpoint->name;
    // The key comes first: whoever has none learns nothing, not even whether a body would do.
    Answer result = std::unexpected(
        Problem{.kind = kInternal, .detail = "The gateway failed. Its log has the request id."});
    std::optional<RequestLimiter::Standing> standing;
    try {
        auto caller = co_await authenticate(request, services_.api_keys, clock.now());
        if (caller) {
            services_.key_uses.note(caller->key_id);
            ApiCall const call{services_, request, *caller, std::nullopt, {streams_, pace_}};
            standing = limiter_->take(caller->key_id, clock.now());
            result = standing->is_allowed ? co_await answer_if_allowed(call, route, *running_keys_)
                                          : std::unexpected(too_many(*standing, limiter_->most()));
        } else {
            result = std::unexpected(std::move(caller.error()));
        }
    } catch (StorageFull const& failure) {
        log_error("api", "a request could not be served",
                  {{"request_id", request_id}, {"reason", failure.what()}});
        result = std::unexpected(
            Problem{.kind = kStorageFull,
                    .detail = "The disk of the gateway's database is full: nothing is accepted "
                              "until there is room. Try again later.",
                    .headers = {{"retry-after", "30"}}});
    } catch (RateUnavailable const& failure) {
        log_warning("api", "a price could not be made",
                    {{"request_id", request_id}, {"reason", failure.what()}});
        result = std::unexpected(Problem{
            .kind = kRateUnavailable,
            .detail = "No price can be made at the moment: " + std::string(failure.what()) + ".",
            .headers = {{"retry-after", "10"}}});
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
    }
    HttpResponse response =
        result ? std::move(*result) : problem_response(result.error(), request_id);
    bool const has_tag = answer_if_changed(request, response);
    response.with("request-id", request_id)
        .with("cache-control", has_tag ? "private, no-cache" : "no-store");
    if (standing) tell_standing(response, *standing, limiter_->most());
    metrics_.count("sycee_api_requests_total",
                   {{"endpoint", endpoint}, {"status", std::to_string(response.status)}});
    log_debug("api", "answered",
              {{"request_id", request_id}, {"endpoint", endpoint}, {"status", response.status}});
    co_return response;
}

}  // namespace sycee
