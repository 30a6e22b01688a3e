#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sycee {

struct WebhookAnswer {
    unsigned status = 0;  // 0: none came
    std::string error;
};

// Posts one signed event to a shop. Never throws for what the shop does.
class WebhookPort {
  public:
    virtual ~WebhookPort() = default;
    virtual Task<WebhookAnswer> send(PendingDelivery const& delivery, Timestamp now) = 0;
};

// When the next attempt is due after `attempts` failed ones; nothing after the tenth, about 75
// hours after the first. Pure; `random` in 0 .. 999 spreads it by up to a tenth.
std::optional<std::chrono::seconds> retry_delay(unsigned attempts, std::uint32_t random);

// Delivers what is in the outbox, at least once, oldest first, a few at a time.
class WebhookDispatcher {
  public:
    WebhookDispatcher(OutboxPort& outbox, WebhookPort& webhooks, Notifier& wake, Clock& clock,
                      Metrics& metrics)
        : outbox_(outbox), webhooks_(webhooks), wake_(wake), clock_(clock), metrics_(metrics) {}

    // Ends only by cancellation.
    Task<void> run();
    // Delivers what is due; the number of attempts made.
    Task<std::size_t> step();

  private:
    Task<void> deliver(PendingDelivery delivery);

    OutboxPort& outbox_;
    WebhookPort& webhooks_;
    Notifier& wake_;
    Clock& clock_;
    Metrics& metrics_;
};

}  // namespace sycee
