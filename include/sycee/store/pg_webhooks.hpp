#pragma once

#include <sycee/app/webhook_ports.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgWebhooks final : public WebhookEndpointPort {
  public:
    explicit PgWebhooks(Database& database) : database_(database) {}

    Task<bool> create(NewWebhookEndpoint endpoint, std::size_t most,
                      std::optional<IdempotencyClaim> claim) override;
    Task<std::vector<WebhookEndpoint>> list(MerchantId merchant_id) override;
    Task<std::optional<WebhookEndpoint>> find(MerchantId merchant_id,
                                              WebhookEndpointId id) override;
    Task<std::optional<NewWebhookEndpoint>> find_sealed(MerchantId merchant_id,
                                                        WebhookEndpointId id) override;
    Task<bool> change(MerchantId merchant_id, WebhookEndpointId id, EndpointChange change,
                      Timestamp now) override;
    Task<bool> remove(MerchantId merchant_id, WebhookEndpointId id) override;
    Task<bool> rotate(MerchantId merchant_id, WebhookEndpointId id,
                      std::vector<std::uint8_t> sealed_secret,
                      std::optional<Timestamp> previous_until, Timestamp now,
                      std::optional<IdempotencyClaim> claim) override;
    Task<DeliveryPage> deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                  DeliveryFilter filter, std::optional<EventId> after,
                                  std::size_t limit) override;
    Task<std::optional<DeliveryDetail>> find_delivery(DeliveryKey key) override;
    Task<bool> add_test(DeliveryKey key, Timestamp now,
                        std::optional<IdempotencyClaim> claim) override;
    Task<Redelivered> redeliver(DeliveryKey key, Timestamp now) override;
    Task<std::optional<RedeliveredMany>> redeliver_failed(MerchantId merchant_id,
                                                          WebhookEndpointId id, Timestamp since,
                                                          Timestamp now,
                                                          std::size_t limit) override;

  private:
    Database& database_;
};

}  // namespace sycee
