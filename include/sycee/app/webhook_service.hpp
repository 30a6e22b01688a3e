#pragma once

#include <sycee/app/webhook_ports.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/secret.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/secret_box.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

inline constexpr std::size_t kMostEndpoints = 16;  // of one merchant

// An endpoint with its secret, which is shown this once.
struct EndpointWithSecret {
    WebhookEndpoint endpoint;
    Secret secret;
};

// What a merchant does with its endpoints. `field` of a refused input is that of the API.
class WebhookService {
  public:
    // Refuses a URL that nothing could ever be delivered to.
    using CheckUrl = std::function<Result<void>(std::string const& url)>;

    WebhookService(WebhookEndpointPort& endpoints, SecretBox const& secrets, CheckUrl check_url,
                   Notifier& wake, Clock& clock)
        : endpoints_(endpoints),
          secrets_(secrets),
          check_url_(std::move(check_url)),
          wake_(wake),
          clock_(clock) {}

    // Enabled, for every event where nothing else is said. Refused with the field "endpoint" where
    // the merchant has kMostEndpoints.
    Task<Result<EndpointWithSecret>> create(MerchantId merchant_id, EndpointChange input,
                                            std::optional<IdempotencyClaim> claim = {});
    Task<std::vector<WebhookEndpoint>> list(MerchantId merchant_id);
    Task<std::optional<WebhookEndpoint>> find(MerchantId merchant_id, WebhookEndpointId id);
    // For whoever created it or rotated its secret, and got no answer.
    Task<std::optional<EndpointWithSecret>> find_with_secret(MerchantId merchant_id,
                                                             WebhookEndpointId id);
    // Nothing, here and below, where the merchant has no such endpoint.
    Task<Result<std::optional<WebhookEndpoint>>> change(MerchantId merchant_id,
                                                        WebhookEndpointId id, EndpointChange input);
    Task<bool> remove(MerchantId merchant_id, WebhookEndpointId id);
    // The secret before it signs for so many more seconds: 0 to 7 days; a day where nothing is
    // said.
    Task<Result<std::optional<EndpointWithSecret>>> rotate(
        MerchantId merchant_id, WebhookEndpointId id, std::optional<std::int64_t> overlap,
        std::optional<IdempotencyClaim> claim = {});

    Task<DeliveryPage> deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                  DeliveryFilter filter, std::optional<EventId> after,
                                  std::size_t limit);
    Task<std::optional<DeliveryDetail>> find_delivery(DeliveryKey key);
    // Nothing where the endpoint is disabled, too.
    Task<std::optional<DeliveryKey>> send_test(MerchantId merchant_id, WebhookEndpointId id,
                                               std::optional<IdempotencyClaim> claim = {});
    Task<Redelivered> redeliver(DeliveryKey key);
    Task<std::optional<RedeliveredMany>> redeliver_failed(MerchantId merchant_id,
                                                          WebhookEndpointId id, Timestamp since);

  private:
    WebhookEndpointPort& endpoints_;
    SecretBox const& secrets_;
    CheckUrl check_url_;
    Notifier& wake_;
    Clock& clock_;
};

// Pure, but for the URL. Everything that is wrong, one error a field.
std::vector<Error> check_endpoint(EndpointChange const& input,
                                  WebhookService::CheckUrl const& check_url);

// A new secret, as Standard Webhooks writes it: whsec_ and 32 random bytes.
Secret make_webhook_secret();

}  // namespace sycee
