#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task_group.hpp>

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

struct WebhookAnswer {
    unsigned status = 0;  // 0: none came
    std::string error;
};

// Posts one signed event to a shop: `body`, byte for byte. Never throws for what the shop does.
class WebhookPort {
  public:
    virtual ~WebhookPort() = default;
    virtual Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string body,
                                     Timestamp now) = 0;
};

// When the next attempt is due after `attempts` failed ones; nothing after the tenth, about 75
// hours after the first. Pure; `random` in 0 .. 999 spreads it by up to a tenth.
std::optional<std::chrono::seconds> retry_delay(unsigned attempts, std::uint32_t random);

// Delivers what is in the outbox, at least once: to several merchants at a time, to each of them
// one event after the other, oldest first. A shop that does not answer is left alone for a while,
// longer each time, so that many of them do not take turns at keeping the others waiting.
class WebhookDispatcher {
  public:
    WebhookDispatcher(OutboxPort& outbox, WebhookPort& webhooks, Network const& network,
                      Notifier& wake, Clock& clock, Metrics& metrics)
        : outbox_(outbox),
          webhooks_(webhooks),
          network_(network),
          wake_(wake),
          clock_(clock),
          metrics_(metrics) {}

    // Ends only by cancellation, or by a fault that does not pass.
    Task<void> run();

  private:
    // A merchant that is being delivered to, or whose shop did not answer.
    struct Shop {
        bool busy = false;
        unsigned silences = 0;  // in a row
        Timestamp rests_until{};
    };

    Task<void> run(TaskGroup& lanes);
    Task<std::size_t> begin_lanes(TaskGroup& lanes);
    Task<void> lane(MerchantId merchant, std::vector<PendingDelivery> deliveries);
    Task<bool> deliver_all(std::vector<PendingDelivery> const& deliveries);
    Task<bool> deliver(PendingDelivery const& delivery);
    std::vector<MerchantId> not_now() const;

    OutboxPort& outbox_;
    WebhookPort& webhooks_;
    Network const& network_;
    Notifier& wake_;
    Clock& clock_;
    Metrics& metrics_;
    std::map<MerchantId, Shop> shops_;
    std::exception_ptr failure_;  // of a lane
};

}  // namespace sycee
