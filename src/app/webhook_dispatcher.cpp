#include <sycee/app/payment_json.hpp>
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {
namespace asio = boost::asio;

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 20;
constexpr std::size_t kMostLanes = 32;
constexpr auto kIdle = 5s;
constexpr std::chrono::seconds kFirstRest = 5s;
constexpr std::chrono::seconds kLongestRest = 5min;

// The waits that Standard Webhooks suggests: ten attempts over about 75 hours.
constexpr std::array<std::chrono::seconds, 9> kWaits{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};

// How long a shop is left alone after so many events in a row that it did not answer.
std::chrono::seconds rest_after(unsigned silences) {
    return std::min(kLongestRest, kFirstRest * (1U << std::min(silences - 1, 10U)));
}

}  // namespace

std::optional<std::chrono::seconds> retry_delay(unsigned attempts, std::uint32_t random) {
    if (attempts == 0) return 0s;
    if (attempts > kWaits.size()) return std::nullopt;
    auto const wait = kWaits[attempts - 1];
    return wait + std::chrono::seconds(wait.count() * static_cast<std::int64_t>(random) / 10'000);
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
        std::size_t begun = 0;
        if (failure_) std::rethrow_exception(failure_);
        try {
            begun = co_await begin_lanes(lanes);
            backoff.reset();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (fault) {
            log_warning("webhook", "the outbox could not be read", {{"why", *fault}});
            co_await clock_.sleep_for(backoff.next());
        } else if (begun == 0) {
            co_await wake_.wait_after(seen, kIdle);
        }
    }
}

// Gives the oldest events to a lane for each of their merchants; the number of lanes begun.
Task<std::size_t> WebhookDispatcher::begin_lanes(TaskGroup& lanes) {
    if (lanes.size() >= kMostLanes) co_return 0;
    std::map<MerchantId, std::vector<PendingDelivery>> due;
    for (auto& delivery : co_await outbox_.due(not_now(), clock_.now(), kBatch))
        due[delivery.told.event.merchant_id].push_back(std::move(delivery));
    std::size_t begun = 0;
    for (auto& [merchant, deliveries] : due) {
        shops_[merchant].busy = true;
        if (!lanes.spawn("webhooks of a merchant", lane(merchant, std::move(deliveries)))) {
            shops_[merchant].busy = false;  // no room: at the next round
            break;
        }
        ++begun;
    }
    co_return begun;
}

std::vector<MerchantId> WebhookDispatcher::not_now() const {
    std::vector<MerchantId> merchants;
    for (auto const& [merchant, shop] : shops_) {
        if (shop.busy || shop.rests_until > clock_.now()) merchants.push_back(merchant);
    }
    return merchants;
}

Task<void> WebhookDispatcher::lane(MerchantId merchant, std::vector<PendingDelivery> deliveries) {
    bool answered = false;
    try {
        answered = co_await deliver_all(deliveries);
    } catch (Unavailable const& unavailable) {
        log_warning("webhook", "an attempt could not be written down",
                    {{"why", unavailable.what()}});
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (answered) {
        shops_.erase(merchant);
    } else {
        Shop& shop = shops_[merchant];
        shop.busy = false;
        shop.rests_until = clock_.now() + rest_after(++shop.silences);
    }
    wake_.notify();
}

// False where the shop did not answer; the rest is then left for later.
Task<bool> WebhookDispatcher::deliver_all(std::vector<PendingDelivery> const& deliveries) {
    for (auto const& delivery : deliveries) {
        if (!co_await deliver(delivery)) co_return false;
    }
    co_return true;
}

Task<bool> WebhookDispatcher::deliver(PendingDelivery const& delivery) {
    Timestamp const now = clock_.now();
    OutboxEvent const& event = delivery.told.event;
    WebhookAnswer const answer =
        co_await webhooks_.send(delivery, event_payload(delivery.told, network_), now);
    DeliveryAttempt attempt{.event_id = event.id,
                            .merchant_id = event.merchant_id,
                            .attempt = delivery.attempts + 1,
                            .at = now,
                            .status = answer.status,
                            .error = answer.error,
                            .next_attempt_at = std::nullopt,
                            .delivered = answer.status >= 200 && answer.status < 300};
    if (!attempt.delivered) {
        if (auto const wait = retry_delay(attempt.attempt, random_below(1000))) {
            attempt.next_attempt_at = now + *wait;
        } else {
            log_error("webhook", "given up",
                      {{"event", to_string(event.id)}, {"attempts", attempt.attempt}});
        }
    }
    metrics_.count("sycee_webhook_deliveries_total",
                   {{"outcome", attempt.delivered ? "delivered" : "failed"}});
    co_await outbox_.record(std::move(attempt));
    co_return answer.status != 0;
}

}  // namespace sycee
