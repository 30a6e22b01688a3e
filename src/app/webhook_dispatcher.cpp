#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include <array>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 20;
constexpr auto kIdle = 5s;

// The waits that Standard Webhooks suggests: ten attempts over about 75 hours.
constexpr std::array<std::chrono::seconds, 9> kWaits{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};

}  // namespace

std::optional<std::chrono::seconds> retry_delay(unsigned attempts, std::uint32_t random) {
    if (attempts == 0) return 0s;
    if (attempts > kWaits.size()) return std::nullopt;
    auto const wait = kWaits[attempts - 1];
    return wait + std::chrono::seconds(wait.count() * static_cast<std::int64_t>(random) / 10'000);
}

Task<void> WebhookDispatcher::run() {
    Backoff backoff(500ms, 30s);
    for (;;) {
        auto const seen = wake_.generation();
        std::optional<std::string> fault;
        std::size_t made = 0;
        try {
            made = co_await step();
            backoff.reset();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (fault) {
            log_warning("webhook", "the outbox could not be read or written", {{"why", *fault}});
            co_await clock_.sleep_for(backoff.next());
        } else if (made == 0) {
            co_await wake_.wait_after(seen, kIdle);
        }
    }
}

Task<std::size_t> WebhookDispatcher::step() {
    auto const due = co_await outbox_.due(clock_.now(), kBatch);
    for (auto const& delivery : due)
        co_await deliver(delivery);
    co_return due.size();
}

Task<void> WebhookDispatcher::deliver(PendingDelivery delivery) {
    Timestamp const now = clock_.now();
    WebhookAnswer const answer = co_await webhooks_.send(delivery, now);
    DeliveryAttempt attempt{.event_id = delivery.event.id,
                            .merchant_id = delivery.event.merchant_id,
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
                      {{"event", to_string(delivery.event.id)}, {"attempts", attempt.attempt}});
        }
    }
    metrics_.count("sycee_webhook_deliveries_total",
                   {{"outcome", attempt.delivered ? "delivered" : "failed"}});
    co_await outbox_.record(std::move(attempt));
}

}  // namespace sycee
