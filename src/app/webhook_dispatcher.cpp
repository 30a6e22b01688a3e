#include <sycee/app/payment_json.hpp>
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sycee {
namespace {
namespace asio = boost::asio;

using namespace std::chrono_literals;

constexpr std::size_t kMostFannedOut = 500;
constexpr std::size_t kBatch = 500;
constexpr std::size_t kMostLanes = 64;
constexpr std::size_t kMostLanesOfOne = 8;
// Of a lane, written down together: a lane that writes sends nothing meanwhile. What was sent and
// is not written down is sent again after a crash.
constexpr std::size_t kMostUnrecorded = 64;
constexpr auto kLongestUnrecorded = 1s;
constexpr auto kIdle = 5s;
constexpr auto kLongestLoaded = 5s;   // that is delivered to without looking it up again
constexpr auto kForgottenAfter = 1h;  // of an endpoint's rest
constexpr std::chrono::seconds kFirstRest = 5s;
constexpr std::chrono::seconds kLongestRest = 5min;
constexpr auto kLongestAskedRest = 1h;  // of the endpoint; the one delivery waits as it was asked

constexpr unsigned kGone = 410;

// The waits that Standard Webhooks suggests: ten attempts over about 75 hours.
constexpr std::array<std::chrono::seconds, 9> kWaits{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};

// How long an endpoint is left alone after so many rounds in a row that it did not answer.
std::chrono::seconds rest_after(unsigned silences) {
    return std::min(kLongestRest, kFirstRest * (1U << std::min(silences - 1, 10U)));
}

}  // namespace

std::optional<std::chrono::seconds> retry_delay(unsigned failures, std::uint32_t random) {
    if (failures == 0) return 0s;
    if (failures > kWaits.size()) return std::nullopt;
    auto const wait = kWaits[failures - 1];
    return wait + std::chrono::seconds(wait.count() * static_cast<std::int64_t>(random) / 10'000);
}

bool is_overwhelmed(unsigned status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

DeliveryAttempt judge(PendingDelivery const& delivery, WebhookAnswer const& answer, Timestamp at,
                      Timestamp now, std::uint32_t random) {
    DeliveryAttempt attempt{.key = delivery.key(),
                            .attempt = delivery.attempts + 1,
                            .at = at,
                            .duration = now - at,
                            .status = answer.status,
                            .error = answer.error,
                            .answer = answer.body,
                            .next_attempt_at = std::nullopt,
                            .delivered = answer.status >= 200 && answer.status < 300,
                            .endpoint_is_gone = answer.status == kGone};
    if (attempt.delivered || attempt.endpoint_is_gone) return attempt;
    if (auto const wait = retry_delay(delivery.failures + 1, random)) {
        std::chrono::milliseconds const planned = *wait;
        attempt.next_attempt_at = now + std::max(planned, answer.retry_after.value_or(0ms));
    }
    return attempt;
}

Task<void> WebhookDispatcher::run() {
    TaskGroup lanes(co_await asio::this_coro::executor, kMostLanes);
    std::exception_ptr error;
    try {
        co_await run(lanes);
    } catch (...) {
        error = std::current_exception();
    }
    // The lanes refer to this object: none may outlive this frame, also where it was cancelled.
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await lanes.join(0ms);
    std::rethrow_exception(error);
}

Task<void> WebhookDispatcher::run(TaskGroup& lanes) {
    Backoff backoff(500ms, 30s);
    for (;;) {
        auto const seen = wake_.generation();
        std::optional<std::string> fault;
        if (failure_) std::rethrow_exception(failure_);
        bool more = false;
        try {
            // Most deliveries were made with their events: they don't wait for the others.
            more = co_await begin_lanes(lanes);
            more = co_await outbox_.fan_out(clock_.now(), kMostFannedOut) > 0 || more;
            backoff.reset();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (fault) {
            log_warning("webhook", "the outbox could not be read", {{"why", *fault}});
            co_await clock_.sleep_for(backoff.next());
        } else if (!more) {
            co_await wake_.wait_after(seen, kIdle);
        }
    }
}

// Gives the oldest deliveries to lanes of their endpoints. Whether there may be more that no lane's
// end will lead to: a lane that ends wakes us.
Task<bool> WebhookDispatcher::begin_lanes(TaskGroup& lanes) {
    // One that was left alone and is not heard of any more was deleted, or has nothing to get.
    std::erase_if(endpoints_, [now = clock_.now()](auto const& one) {
        return one.second.lanes == 0 && one.second.rests_until + kForgottenAfter < now;
    });
    if (lanes.size() >= kMostLanes) co_return false;
    auto loaded = co_await outbox_.due(not_now(), clock_.now(), kBatch);
    bool const is_full = loaded.size() == kBatch;
    std::map<WebhookEndpointId, Deliveries> due;
    for (auto& delivery : loaded)
        due[delivery.endpoint_id].push_back(std::move(delivery));
    for (auto& [id, deliveries] : due) {
        if (!begin(lanes, id, std::move(deliveries))) co_return false;  // no room
    }
    co_return is_full;
}

// With one lane: an endpoint gets more once it has answered.
bool WebhookDispatcher::begin(TaskGroup& lanes, WebhookEndpointId id, Deliveries deliveries) {
    Endpoint& endpoint = endpoints_[id];
    // A payment's events stay together, and so in order.
    std::map<PaymentId, std::size_t> place_of;
    for (auto& delivery : deliveries) {
        auto const [place, is_new] =
            place_of.emplace(delivery.told.event.payment_id, endpoint.waiting.size());
        if (is_new) endpoint.waiting.emplace_back();
        endpoint.waiting[place->second].push_back(std::move(delivery));
    }
    endpoint.loaded_at = clock_.now();
    endpoint.lanes = 1;
    if (lanes.spawn("webhooks of an endpoint", lane(lanes, id))) return true;
    endpoint.lanes = 0;
    endpoint.waiting.clear();
    if (endpoint.silences == 0) endpoints_.erase(id);
    return false;
}

void WebhookDispatcher::widen(TaskGroup& lanes, WebhookEndpointId id, Endpoint& endpoint) {
    std::size_t const wanted = std::min(kMostLanesOfOne, 1 + endpoint.waiting.size());
    // Half of them stay for endpoints that have none yet, however slowly others answer.
    while (endpoint.lanes < wanted && lanes.size() < kMostLanes / 2) {
        ++endpoint.lanes;
        if (lanes.spawn("webhooks of an endpoint", lane(lanes, id))) continue;
        --endpoint.lanes;
        return;
    }
}

std::vector<WebhookEndpointId> WebhookDispatcher::not_now() const {
    std::vector<WebhookEndpointId> ids;
    for (auto const& [id, endpoint] : endpoints_) {
        if (endpoint.lanes > 0 || endpoint.rests_until > clock_.now()) ids.push_back(id);
    }
    return ids;
}

Task<void> WebhookDispatcher::lane(TaskGroup& lanes, WebhookEndpointId id) {
    Endpoint& endpoint = endpoints_[id];
    try {
        co_await deliver_all(lanes, id, endpoint);
    } catch (Unavailable const& unavailable) {
        endpoint.stops = true;
        endpoint.fails_to_record = true;
        log_warning("webhook", "attempts could not be written down", {{"why", unavailable.what()}});
    } catch (...) {
        failure_ = std::current_exception();
    }
    end_lane(id);
}

// The last lane of an endpoint decides how long it is left alone.
void WebhookDispatcher::end_lane(WebhookEndpointId id) {
    Endpoint& endpoint = endpoints_[id];
    if (--endpoint.lanes > 0) return;
    if (endpoint.stops) {
        if (!endpoint.fails_to_record) ++endpoint.silences;
        std::chrono::milliseconds const rest = rest_after(std::max(endpoint.silences, 1U));
        endpoint.rests_until = clock_.now() + std::max(rest, endpoint.asked_for);
        endpoint.stops = false;
        endpoint.fails_to_record = false;
        endpoint.asked_for = 0ms;
        endpoint.waiting.clear();
        metrics_.count("sycee_webhook_rests_total");
    } else {
        endpoints_.erase(id);
    }
    wake_.notify();
}

// What is left where the endpoint does not answer waits for later.
Task<void> WebhookDispatcher::deliver_all(TaskGroup& lanes, WebhookEndpointId id,
                                          Endpoint& endpoint) {
    std::vector<DeliveryAttempt> unrecorded;
    std::unique_ptr<WebhookPort::Kept> kept;
    std::exception_ptr error;
    try {
        Timestamp recorded_at = clock_.now();
        while (!endpoint.stops && !endpoint.waiting.empty()) {
            Deliveries const of_payment = std::move(endpoint.waiting.front());
            endpoint.waiting.pop_front();
            for (auto const& delivery : of_payment) {
                // What the merchant changes of the endpoint counts soon, however slowly it answers.
                bool const is_old = clock_.now() - endpoint.loaded_at > kLongestLoaded;
                if (is_old) endpoint.waiting.clear();
                if (endpoint.stops || is_old) break;
                unrecorded.push_back(co_await deliver(endpoint, delivery, kept));
                if (!endpoint.stops) widen(lanes, id, endpoint);
                if (unrecorded.size() < kMostUnrecorded &&
                    clock_.now() - recorded_at < kLongestUnrecorded) {
                    continue;
                }
                co_await outbox_.record(std::exchange(unrecorded, {}));
                recorded_at = clock_.now();
            }
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (!unrecorded.empty()) {
        // Also when the program ends: what the shop has got need not come to it again.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await outbox_.record(std::move(unrecorded));
    }
    if (error) std::rethrow_exception(error);
}

Task<DeliveryAttempt> WebhookDispatcher::deliver(Endpoint& endpoint,
                                                 PendingDelivery const& delivery,
                                                 std::unique_ptr<WebhookPort::Kept>& kept) {
    Timestamp const at = clock_.now();
    WebhookAnswer const answer =
        co_await webhooks_.send(delivery, event_payload(delivery.told, network_), at, kept);
    auto attempt = judge(delivery, answer, at, clock_.now(), random_below(1000));
    auto const& key = attempt.key;
    if (attempt.endpoint_is_gone) {
        log_error(
            "webhook", "an endpoint is disabled: its shop answers that it is gone",
            {{"merchant", to_string(key.merchant_id)}, {"endpoint", to_string(key.endpoint_id)}});
        metrics_.count("sycee_webhook_endpoints_gone_total");
    } else if (!attempt.delivered && !attempt.next_attempt_at) {
        log_error("webhook", "given up",
                  {{"event", to_string(key.event_id)},
                   {"endpoint", to_string(key.endpoint_id)},
                   {"attempts", attempt.attempt}});
        metrics_.count("sycee_webhook_given_up_total");
    }
    if (attempt.delivered) endpoint.silences = 0;
    if (answer.status == 0 || is_overwhelmed(answer.status) || attempt.endpoint_is_gone) {
        endpoint.stops = true;
        std::chrono::milliseconds const asked = answer.retry_after.value_or(0ms);
        endpoint.asked_for = std::clamp<std::chrono::milliseconds>(
            std::max(asked, endpoint.asked_for), 0ms, kLongestAskedRest);
    }
    metrics_.count("sycee_webhook_deliveries_total",
                   {{"outcome", attempt.delivered ? "delivered" : "failed"}});
    co_return attempt;
}

}  // namespace sycee
