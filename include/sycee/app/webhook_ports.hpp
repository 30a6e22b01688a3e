#pragma once

#include <sycee/app/ports.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sycee {

// What is to be changed of an endpoint; nothing: stays as it is.
struct EndpointChange {
    std::optional<std::string> url;
    std::optional<std::vector<std::string>> event_types;
    std::optional<std::string> description;
    std::optional<bool> is_enabled;
};

struct DeliveryFilter {
    std::optional<DeliveryState> state;
};

struct DeliveryPage {
    std::vector<WebhookDelivery> deliveries;  // newest first
    bool has_more = false;
};

struct DeliveryDetail {
    WebhookDelivery delivery;
    ToldEvent told;                         // of kTestEvent its id, merchant, type and time alone
    std::vector<DeliveryAttempt> attempts;  // oldest first, the newest hundred
};

enum class Redelivered : std::uint8_t {
    yes,
    no_such_delivery,
    endpoint_disabled,
    too_often,  // it was attempted a thousand times
    archived,   // its month is kept elsewhere, and is not written to
};

struct RedeliveredMany {
    std::size_t count = 0;
    bool has_more = false;  // that failed since: ask again
};

// Endpoints and their deliveries, for their merchants. Whatever is not this merchant's is not
// there.
class WebhookEndpointPort {
  public:
    virtual ~WebhookEndpointPort() = default;
    // False where the merchant has `most` already. Throws KeyWasUsed, here and where a claim is
    // taken below, where what it claims was claimed before.
    virtual Task<bool> create(NewWebhookEndpoint endpoint, std::size_t most,
                              std::optional<IdempotencyClaim> claim) = 0;
    virtual Task<std::vector<WebhookEndpoint>> list(MerchantId merchant_id) = 0;
    virtual Task<std::optional<WebhookEndpoint>> find(MerchantId merchant_id,
                                                      WebhookEndpointId id) = 0;
    // With its secret.
    virtual Task<std::optional<NewWebhookEndpoint>> find_sealed(MerchantId merchant_id,
                                                                WebhookEndpointId id) = 0;
    // Disabling gives up what is still to be delivered. False where there is no such endpoint.
    virtual Task<bool> change(MerchantId merchant_id, WebhookEndpointId id, EndpointChange change,
                              Timestamp now) = 0;
    // What is still to be delivered is given up. False where there is no such endpoint.
    virtual Task<bool> remove(MerchantId merchant_id, WebhookEndpointId id) = 0;
    // The secret before it signs as well until `previous_until`. False where there is no such
    // endpoint.
    virtual Task<bool> rotate(MerchantId merchant_id, WebhookEndpointId id,
                              std::vector<std::uint8_t> sealed_secret,
                              std::optional<Timestamp> previous_until, Timestamp now,
                              std::optional<IdempotencyClaim> claim) = 0;
    // Older than `after`.
    virtual Task<DeliveryPage> deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                          DeliveryFilter filter, std::optional<EventId> after,
                                          std::size_t limit) = 0;
    virtual Task<std::optional<DeliveryDetail>> find_delivery(DeliveryKey key) = 0;
    // A delivery of kTestEvent. False where there is no such endpoint, or it is disabled.
    virtual Task<bool> add_test(DeliveryKey key, Timestamp now,
                                std::optional<IdempotencyClaim> claim) = 0;
    virtual Task<Redelivered> redeliver(DeliveryKey key, Timestamp now) = 0;
    // Those that have failed of events created at `since` or later, oldest first, at most `limit`.
    // Nothing where there is no such endpoint, or it is disabled.
    virtual Task<std::optional<RedeliveredMany>> redeliver_failed(MerchantId merchant_id,
                                                                  WebhookEndpointId id,
                                                                  Timestamp since, Timestamp now,
                                                                  std::size_t limit) = 0;
};

}  // namespace sycee
