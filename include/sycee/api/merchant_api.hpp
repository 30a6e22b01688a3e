#pragma once

#include <sycee/app/api_key_uses.hpp>
#include <sycee/app/api_keys.hpp>
#include <sycee/app/checkpoint_service.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/event_feed.hpp>
#include <sycee/app/fee_service.hpp>
#include <sycee/app/idempotency.hpp>
#include <sycee/app/payment_changes.hpp>
#include <sycee/app/payment_search.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/quote_service.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>
#include <sycee/app/test_payments.hpp>
#include <sycee/app/webhook_service.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/net/stream_slots.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/secret_box.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace sycee {

class RequestLimiter;
class RunningKeys;

// The events of the merchants, and who is woken where this process has written some.
struct EventSource {
    EventFeedPort& feed;
    Notifier& written;
};

// What the endpoints work with.
struct ApiServices {
    PaymentService& payments;
    DeskService& desk;
    FeeService& fees;
    RefundService& refunds;
    StatementPort& statements;
    CheckpointService& checkpoints;
    WebhookService& webhooks;
    ApiKeyPort& api_keys;
    ApiKeyUses& key_uses;
    IdempotencyPort& keys;
    SecretBox const& secrets;
    Network const& network;
    Clock& clock;
    EventSource events;
    PaymentSearch& search;
    PaymentChanges& changes;
    TestPayments& test_payments;
    QuoteService const& quotes;
};

// How a stream of events goes on.
struct StreamPace {
    std::chrono::milliseconds heartbeat{15'000};  // a sign of life where there is no event
    std::chrono::milliseconds poll{2'000};        // for events that other processes wrote
    std::chrono::milliseconds pause{100};         // between two looks, however much is written
};

struct ApiSettings {
    std::uint32_t requests_per_minute = 6'000;          // of each API key
    StreamLimits streams{.all = 100, .per_holder = 5};  // of events; of each merchant
    StreamPace pace{};
};

// Everything below /v1/, for shops: api/openapi.yaml is the contract. A merchant is known by its
// API key and sees what is its own; anything else is a 404, as if it did not exist.
class MerchantApi {
  public:
    MerchantApi(ApiServices services, Metrics& metrics, ApiSettings settings = {});
    MerchantApi(MerchantApi const&) = delete;
    MerchantApi& operator=(MerchantApi const&) = delete;
    ~MerchantApi();

    // Throws nothing but cancellation: every fault is an answer with a request id.
    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    ApiServices services_;
    Metrics& metrics_;
    std::unique_ptr<RunningKeys> running_keys_;
    std::unique_ptr<RequestLimiter> limiter_;
    StreamSlots streams_;
    StreamPace pace_;
};

}  // namespace sycee
