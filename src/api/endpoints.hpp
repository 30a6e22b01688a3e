#pragma once

#include <sycee/api/merchant_api.hpp>
#include <sycee/net/http_message.hpp>

#include "authenticate.hpp"
#include "problem.hpp"

#include <expected>
#include <string_view>

namespace sycee {

struct EventStreams {
    StreamSlots& slots;
    StreamPace const& pace;
};

// An authenticated request and what it may reach.
struct ApiCall : ApiServices {
    HttpRequest const& request;
    Caller caller;
    std::optional<IdempotencyClaim> claim;  // by the request's Idempotency-Key
    EventStreams streams;
};

using Answer = std::expected<HttpResponse, Problem>;

Task<Answer> create_payment(ApiCall const& call);                    // POST /v1/payments
Task<Answer> get_payment(ApiCall const& call, std::string_view id);  // GET /v1/payments/{id}
Task<Answer> get_rate(ApiCall const& call);                          // GET /v1/rates
// POST /v1/payments/{id}, and below it /cancel
Task<Answer> update_payment(ApiCall const& call, std::string_view id);
Task<Answer> tell_payment(ApiCall const& call, std::string_view id, std::string_view subject);
Task<Answer> cancel_payment(ApiCall const& call, std::string_view id);
// GET /v1/payments/{id}/receipt
Task<Answer> get_receipt(ApiCall const& call, std::string_view id);
// GET /v1/payments/{id}/events
Task<Answer> list_payment_events(ApiCall const& call, std::string_view id);
Task<Answer> list_payments(ApiCall const& call);    // GET /v1/payments
Task<Answer> list_exceptions(ApiCall const& call);  // GET /v1/exceptions
// GET /v1/exceptions/{id}
Task<Answer> get_exception(ApiCall const& call, std::string_view id);
// POST /v1/exceptions/{id}/resolve
Task<Answer> decide_exception(ApiCall const& call, std::string_view id);
Task<Answer> tell_decision(ApiCall const& call, std::string_view id, std::string_view subject);
Task<Answer> create_refund(ApiCall const& call);  // POST /v1/refunds
Task<Answer> tell_refund(ApiCall const& call, std::string_view id, std::string_view subject);
Task<Answer> list_refunds(ApiCall const& call);                     // GET /v1/refunds
Task<Answer> get_refund(ApiCall const& call, std::string_view id);  // GET /v1/refunds/{id}
// POST /v1/refunds/{id}/recipient, /report and /cancel
Task<Answer> name_refund_recipient(ApiCall const& call, std::string_view id);
Task<Answer> report_refund(ApiCall const& call, std::string_view id);
Task<Answer> cancel_refund(ApiCall const& call, std::string_view id);
// GET /v1/statements/{period}, and below it /lines and /batches
Task<Answer> get_statement(ApiCall const& call, std::string_view period);
Task<Answer> list_statement_lines(ApiCall const& call, std::string_view period);
Task<Answer> list_statement_batches(ApiCall const& call, std::string_view period);
Task<Answer> list_fee_invoices(ApiCall const& call);        // GET /v1/fee-invoices
Task<Answer> get_totals(ApiCall const& call);               // GET /v1/totals
Task<Answer> create_webhook_endpoint(ApiCall const& call);  // POST /v1/webhook-endpoints
Task<Answer> tell_webhook_endpoint(ApiCall const& call, std::string_view id,
                                   std::string_view subject);
Task<Answer> list_webhook_endpoints(ApiCall const& call);  // GET /v1/webhook-endpoints
// GET, POST and DELETE /v1/webhook-endpoints/{id}
Task<Answer> get_webhook_endpoint(ApiCall const& call, std::string_view id);
Task<Answer> update_webhook_endpoint(ApiCall const& call, std::string_view id);
Task<Answer> delete_webhook_endpoint(ApiCall const& call, std::string_view id);
// Below it POST /rotate-secret, /test and /redeliver-failed, GET /deliveries
Task<Answer> rotate_webhook_secret(ApiCall const& call, std::string_view id);
Task<Answer> tell_webhook_secret(ApiCall const& call, std::string_view id,
                                 std::string_view subject);
Task<Answer> test_webhook_endpoint(ApiCall const& call, std::string_view id);
Task<Answer> tell_webhook_test(ApiCall const& call, std::string_view id, std::string_view subject);
Task<Answer> redeliver_failed_webhooks(ApiCall const& call, std::string_view id);
Task<Answer> list_webhook_deliveries(ApiCall const& call, std::string_view id);
// GET /v1/webhook-deliveries/{id}, and below it POST /redeliver
Task<Answer> get_webhook_delivery(ApiCall const& call, std::string_view id);
Task<Answer> redeliver_webhook(ApiCall const& call, std::string_view id);
// GET /v1/events, as a page or as a stream
Task<Answer> list_events(ApiCall const& call);
Task<Answer> get_event(ApiCall const& call, std::string_view id);  // GET /v1/events/{id}
Task<Answer> create_quote(ApiCall const& call);                    // POST /v1/quotes
// POST /v1/test/payments/{id}/simulate
Task<Answer> simulate_payment(ApiCall const& call, std::string_view id);
Task<Answer> tell_simulation(ApiCall const& call, std::string_view id, std::string_view subject);

}  // namespace sycee
