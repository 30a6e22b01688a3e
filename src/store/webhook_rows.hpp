#pragma once

#include <sycee/app/webhook_endpoint.hpp>

#include <pqxx/pqxx>

#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// array_to_string(event_types, ' ')
std::vector<std::string> event_types_of(pqxx::field const& field);
// The columns of webhook_endpoints that endpoint_of() reads, of the table named.
std::string endpoint_columns(std::string const& table);
WebhookEndpoint endpoint_of(pqxx::row const& row);
void insert_endpoint(pqxx::work& tx, NewWebhookEndpoint const& created);

// The same of webhook_deliveries and webhook_attempts.
std::string delivery_columns(std::string const& table);
WebhookDelivery delivery_of(pqxx::row const& row);
std::string attempt_columns(std::string const& table);
DeliveryAttempt attempt_of(pqxx::row const& row);

// Nothing more is sent to it; what was still to be delivered has failed.
void give_up_deliveries(pqxx::work& tx, MerchantId merchant_id, WebhookEndpointId endpoint_id);
// False where there is no such endpoint, or it is disabled already.
bool disable_endpoint(pqxx::work& tx, MerchantId merchant_id, WebhookEndpointId endpoint_id,
                      DisabledReason reason, Timestamp now);

}  // namespace sycee
