#pragma once

#include <sycee/app/webhook_ports.hpp>
#include <sycee/app/webhook_service.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace sycee {

// Endpoints and deliveries in memory, by the rules of the port.
class MemoryWebhooks final : public WebhookEndpointPort {
  public:
    struct Stored {
        WebhookEndpoint endpoint;
        std::vector<std::uint8_t> sealed_secret;
    };
    std::map<std::pair<MerchantId, WebhookEndpointId>, Stored> rows;
    std::map<DeliveryKey, DeliveryDetail> delivered;

    std::function<void(MerchantId, IdempotencyClaim const&)> on_claim;

    Task<bool> create(NewWebhookEndpoint created, std::size_t most,
                      std::optional<IdempotencyClaim> claim) override {
        auto const& endpoint = created.endpoint;
        auto const count = std::ranges::count_if(
            rows, [&](auto const& row) { return row.first.first == endpoint.merchant_id; });
        if (static_cast<std::size_t>(count) >= most) co_return false;
        if (claim && on_claim) on_claim(endpoint.merchant_id, *claim);
        rows[{endpoint.merchant_id, endpoint.id}] = {endpoint, created.sealed_secret};
        co_return true;
    }
    Task<std::vector<WebhookEndpoint>> list(MerchantId merchant_id) override {
        std::vector<WebhookEndpoint> endpoints;
        for (auto const& [key, row] : rows) {
            if (key.first == merchant_id) endpoints.push_back(row.endpoint);
        }
        co_return endpoints;
    }
    Task<std::optional<WebhookEndpoint>> find(MerchantId merchant_id,
                                              WebhookEndpointId id) override {
        auto const found = rows.find({merchant_id, id});
        if (found == rows.end()) co_return std::nullopt;
        co_return found->second.endpoint;
    }
    Task<std::optional<NewWebhookEndpoint>> find_sealed(MerchantId merchant_id,
                                                        WebhookEndpointId id) override {
        auto const found = rows.find({merchant_id, id});
        if (found == rows.end()) co_return std::nullopt;
        co_return NewWebhookEndpoint{found->second.endpoint, found->second.sealed_secret};
    }
    Task<bool> change(MerchantId merchant_id, WebhookEndpointId id, EndpointChange change,
                      Timestamp now) override {
        auto const found = rows.find({merchant_id, id});
        if (found == rows.end()) co_return false;
        auto& endpoint = found->second.endpoint;
        endpoint.url = change.url.value_or(endpoint.url);
        endpoint.event_types = change.event_types.value_or(endpoint.event_types);
        endpoint.description = change.description.value_or(endpoint.description);
        if (change.is_enabled == true) endpoint.disabled_at.reset();
        if (change.is_enabled == false) endpoint.disabled_at = now;
        co_return true;
    }
    Task<bool> remove(MerchantId merchant_id, WebhookEndpointId id) override {
        co_return rows.erase({merchant_id, id}) == 1;
    }
    Task<bool> rotate(MerchantId merchant_id, WebhookEndpointId id,
                      std::vector<std::uint8_t> sealed_secret,
                      std::optional<Timestamp> previous_until, Timestamp,
                      std::optional<IdempotencyClaim> claim) override {
        auto const found = rows.find({merchant_id, id});
        if (found == rows.end()) co_return false;
        if (claim && on_claim) on_claim(merchant_id, *claim);
        found->second.sealed_secret = std::move(sealed_secret);
        found->second.endpoint.previous_secret_until = previous_until;
        co_return true;
    }
    Task<DeliveryPage> deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                  DeliveryFilter filter, std::optional<EventId> after,
                                  std::size_t limit) override {
        DeliveryPage page;
        for (auto row = delivered.rbegin(); row != delivered.rend(); ++row) {
            auto const& delivery = row->second.delivery;
            bool const is_of =
                row->first.merchant_id == merchant_id && row->first.endpoint_id == id;
            if (!is_of || (after && row->first.event_id >= *after)) continue;
            if (filter.state && delivery.state() != *filter.state) continue;
            page.has_more = page.deliveries.size() == limit;
            if (page.has_more) break;
            page.deliveries.push_back(delivery);
        }
        co_return page;
    }
    Task<std::optional<DeliveryDetail>> find_delivery(DeliveryKey key) override {
        auto const found = delivered.find(key);
        if (found == delivered.end()) co_return std::nullopt;
        co_return found->second;
    }
    Task<bool> add_test(DeliveryKey key, Timestamp now,
                        std::optional<IdempotencyClaim> claim) override {
        auto const found = rows.find({key.merchant_id, key.endpoint_id});
        if (found == rows.end() || found->second.endpoint.disabled_at) co_return false;
        if (claim && on_claim) on_claim(key.merchant_id, *claim);
        DeliveryDetail detail;
        detail.delivery = {.key = key,
                           .event_type = std::string(kTestEvent),
                           .created_at = now,
                           .next_attempt_at = now};
        detail.told.event.id = key.event_id;
        detail.told.event.type = kTestEvent;
        detail.told.event.created_at = now;
        delivered[key] = detail;
        co_return true;
    }
    Task<Redelivered> redeliver(DeliveryKey key, Timestamp now) override {
        auto const found = delivered.find(key);
        if (found == delivered.end()) co_return Redelivered::no_such_delivery;
        if (rows.at({key.merchant_id, key.endpoint_id}).endpoint.disabled_at)
            co_return Redelivered::endpoint_disabled;
        found->second.delivery.next_attempt_at = now;
        co_return Redelivered::yes;
    }
    Task<std::optional<RedeliveredMany>> redeliver_failed(MerchantId merchant_id,
                                                          WebhookEndpointId id, Timestamp since,
                                                          Timestamp now,
                                                          std::size_t limit) override {
        if (rows.at({merchant_id, id}).endpoint.disabled_at) co_return std::nullopt;
        RedeliveredMany done;
        for (auto& [key, detail] : delivered) {
            auto& delivery = detail.delivery;
            bool const is_of = key.merchant_id == merchant_id && key.endpoint_id == id;
            if (!is_of || delivery.created_at < since || done.count == limit) continue;
            if (delivery.state() != DeliveryState::failed) continue;
            delivery.next_attempt_at = now;
            ++done.count;
        }
        co_return done;
    }
};

// Takes https:// alone.
inline Result<void> only_https(std::string const& url) {
    if (url.starts_with("https://")) return {};
    return refuse("url", "must begin with https://");
}

}  // namespace sycee
