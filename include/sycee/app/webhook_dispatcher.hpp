#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task_group.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

struct WebhookAnswer {
    unsigned status = 0;  // 0: none came
    std::string error;
    std::string body = {};                                      // its beginning, as UTF-8
    std::optional<std::chrono::milliseconds> retry_after = {};  // what the shop asked for
};

// Posts one signed event to a shop: `body`, byte for byte. Never throws for what the shop does.
class WebhookPort {
  public:
    // Of the connection to a shop, from one request to the next.
    class Kept {
      public:
        Kept() = default;
        Kept(Kept const&) = delete;
        Kept& operator=(Kept const&) = delete;
        virtual ~Kept() = default;
    };

    virtual ~WebhookPort() = default;
    // `kept`: what the request before left there, to the same endpoint; null for the first. One
    // request at a time uses it.
    virtual Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string body,
                                     Timestamp now, std::unique_ptr<Kept>& kept) = 0;
};

// When the next attempt is due after `failures` in a row; nothing after the tenth, about 75 hours
// after the first. Pure; `random` in 0 .. 999 spreads it by up to a tenth.
std::optional<std::chrono::seconds> retry_delay(unsigned failures, std::uint32_t random);

// Whether the shop has too much to do, or none stands behind its gateway: what else there is for it
// would fare no better now.
bool is_overwhelmed(unsigned status);

// What is written down of an attempt that began at `at` and was answered at `now`. Pure. A shop's
// Retry-After puts the next attempt off, never forward; 410 ends all that is sent there.
DeliveryAttempt judge(PendingDelivery const& delivery, WebhookAnswer const& answer, Timestamp at,
                      Timestamp now, std::uint32_t random);

// Delivers what is in the outbox, at least once. Of each event, deliveries are made to the
// merchant's endpoints, and then each endpoint is on its own: several payments' events at a time,
// each payment's one after the other, oldest first. An endpoint that does not answer, or asks for a
// pause, is left alone for a while, longer each time, and then tried with one event first: many of
// them do not take turns at keeping the others waiting.
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
    // An endpoint that is being delivered to, or that did not answer.
    using Deliveries = std::vector<PendingDelivery>;
    struct Endpoint {
        std::deque<Deliveries> waiting;  // of one payment each
        std::size_t lanes = 0;           // at work
        bool stops = false;              // its lanes begin nothing more
        bool fails_to_record = false;    // which is our own fault
        unsigned silences = 0;           // rounds in a row that ended by one, without a success
        Timestamp loaded_at{};
        Timestamp rests_until{};
        std::chrono::milliseconds asked_for{};  // by its Retry-After
    };

    Task<void> run(TaskGroup& lanes);
    Task<bool> begin_lanes(TaskGroup& lanes);
    bool begin(TaskGroup& lanes, WebhookEndpointId id, Deliveries deliveries);
    void widen(TaskGroup& lanes, WebhookEndpointId id, Endpoint& endpoint);
    Task<void> lane(TaskGroup& lanes, WebhookEndpointId id);
    Task<void> deliver_all(TaskGroup& lanes, WebhookEndpointId id, Endpoint& endpoint);
    Task<DeliveryAttempt> deliver(Endpoint& endpoint, PendingDelivery const& delivery,
                                  std::unique_ptr<WebhookPort::Kept>& kept);
    void end_lane(WebhookEndpointId id);
    std::vector<WebhookEndpointId> not_now() const;

    OutboxPort& outbox_;
    WebhookPort& webhooks_;
    Network const& network_;
    Notifier& wake_;
    Clock& clock_;
    Metrics& metrics_;
    std::map<WebhookEndpointId, Endpoint> endpoints_;
    std::exception_ptr failure_;  // of a lane
};

}  // namespace sycee
