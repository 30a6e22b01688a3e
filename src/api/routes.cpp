#include "routes.hpp"

#include <array>
#include <optional>

namespace sycee {
namespace {

using Handler = decltype(Endpoint::handle);
using Teller = decltype(Endpoint::tell);

template <Task<Answer> (*kHandle)(ApiCall const&)>
Task<Answer> without_id(ApiCall const& call, std::string_view) {
    return kHandle(call);
}

constexpr Endpoint reads(std::string_view name, std::string_view path, Scope scope,
                         Handler handle) {
    return {
        .name = name, .method = "GET", .path = path, .needs = NeededScope(scope), .handle = handle};
}
constexpr Endpoint posts(std::string_view name, std::string_view path, Scope scope,
                         Handler handle) {
    return {.name = name,
            .method = "POST",
            .path = path,
            .needs = NeededScope(scope),
            .handle = handle};
}
constexpr Endpoint deletes(std::string_view name, std::string_view path, Scope scope,
                           Handler handle) {
    return {.name = name,
            .method = "DELETE",
            .path = path,
            .needs = NeededScope(scope),
            .handle = handle};
}
constexpr Endpoint posts_once(std::string_view name, std::string_view path, Scope scope,
                              Handler handle, Teller tell) {
    auto endpoint = posts(name, path, scope, handle);
    endpoint.tell = tell;
    return endpoint;
}
constexpr Endpoint posts_and_keeps(std::string_view name, std::string_view path, Scope scope,
                                   Handler handle) {
    auto endpoint = posts(name, path, scope, handle);
    endpoint.keeps_its_answer = true;
    return endpoint;
}

constexpr Endpoint posts_and_shows_secret(std::string_view name, std::string_view path, Scope scope,
                                          Handler handle, Teller tell) {
    auto endpoint = posts_once(name, path, scope, handle, tell);
    endpoint.shows_secret = true;
    return endpoint;
}

constexpr std::array kEndpoints{
    reads("list_payments", "/v1/payments", Scope::payments_read, without_id<list_payments>),
    posts_and_keeps("create_payment", "/v1/payments", Scope::payments_write,
                    without_id<create_payment>),
    reads("get_payment", "/v1/payments/{id}", Scope::payments_read, get_payment),
    posts_once("update_payment", "/v1/payments/{id}", Scope::payments_write, update_payment,
               tell_payment),
    posts("cancel_payment", "/v1/payments/{id}/cancel", Scope::payments_write, cancel_payment),
    reads("get_receipt", "/v1/payments/{id}/receipt", Scope::payments_read, get_receipt),
    reads("list_payment_events", "/v1/payments/{id}/events", Scope::events_read,
          list_payment_events),
    reads("get_rate", "/v1/rates", Scope::payments_read, without_id<get_rate>),
    reads("list_exceptions", "/v1/exceptions", Scope::exceptions_read, without_id<list_exceptions>),
    reads("get_exception", "/v1/exceptions/{id}", Scope::exceptions_read, get_exception),
    posts_once("resolve_exception", "/v1/exceptions/{id}/resolve", Scope::exceptions_write,
               decide_exception, tell_decision),
    reads("list_refunds", "/v1/refunds", Scope::refunds_read, without_id<list_refunds>),
    posts_and_shows_secret("create_refund", "/v1/refunds", Scope::refunds_write,
                           without_id<create_refund>, tell_refund),
    reads("get_refund", "/v1/refunds/{id}", Scope::refunds_read, get_refund),
    posts("name_refund_recipient", "/v1/refunds/{id}/recipient", Scope::refunds_write,
          name_refund_recipient),
    posts("report_refund", "/v1/refunds/{id}/report", Scope::refunds_write, report_refund),
    posts("cancel_refund", "/v1/refunds/{id}/cancel", Scope::refunds_write, cancel_refund),
    reads("get_statement", "/v1/statements/{id}", Scope::statements_read, get_statement),
    reads("list_statement_lines", "/v1/statements/{id}/lines", Scope::statements_read,
          list_statement_lines),
    reads("list_statement_batches", "/v1/statements/{id}/batches", Scope::statements_read,
          list_statement_batches),
    reads("list_fee_invoices", "/v1/fee-invoices", Scope::fee_invoices_read,
          without_id<list_fee_invoices>),
    reads("get_totals", "/v1/totals", Scope::statements_read, without_id<get_totals>),
    reads("list_webhook_endpoints", "/v1/webhook-endpoints", Scope::webhooks_read,
          without_id<list_webhook_endpoints>),
    posts_and_shows_secret("create_webhook_endpoint", "/v1/webhook-endpoints",
                           Scope::webhooks_write, without_id<create_webhook_endpoint>,
                           tell_webhook_endpoint),
    reads("get_webhook_endpoint", "/v1/webhook-endpoints/{id}", Scope::webhooks_read,
          get_webhook_endpoint),
    posts("update_webhook_endpoint", "/v1/webhook-endpoints/{id}", Scope::webhooks_write,
          update_webhook_endpoint),
    deletes("delete_webhook_endpoint", "/v1/webhook-endpoints/{id}", Scope::webhooks_write,
            delete_webhook_endpoint),
    posts_and_shows_secret("rotate_webhook_secret", "/v1/webhook-endpoints/{id}/rotate-secret",
                           Scope::webhooks_write, rotate_webhook_secret, tell_webhook_secret),
    posts_once("test_webhook_endpoint", "/v1/webhook-endpoints/{id}/test", Scope::webhooks_write,
               test_webhook_endpoint, tell_webhook_test),
    reads("list_webhook_deliveries", "/v1/webhook-endpoints/{id}/deliveries", Scope::webhooks_read,
          list_webhook_deliveries),
    posts("redeliver_failed_webhooks", "/v1/webhook-endpoints/{id}/redeliver-failed",
          Scope::webhooks_write, redeliver_failed_webhooks),
    reads("get_webhook_delivery", "/v1/webhook-deliveries/{id}", Scope::webhooks_read,
          get_webhook_delivery),
    posts("redeliver_webhook", "/v1/webhook-deliveries/{id}/redeliver", Scope::webhooks_write,
          redeliver_webhook),
    reads("list_events", "/v1/events", Scope::events_read, without_id<list_events>),
    reads("get_event", "/v1/events/{id}", Scope::events_read, get_event),
    posts("create_quote", "/v1/quotes", Scope::payments_write, without_id<create_quote>),
    posts_once("simulate_payment", "/v1/test/payments/{id}/simulate", Scope::payments_write,
               simulate_payment, tell_simulation),
};

// What stands in the place of "{id}", or nothing where the path is not the pattern's.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
    constexpr std::string_view kId = "{id}";
    auto const at = pattern.find(kId);
    if (at == std::string_view::npos) {
        return path == pattern ? std::optional(std::string_view{}) : std::nullopt;
    }
    auto const before = pattern.substr(0, at);
    auto const after = pattern.substr(at + kId.size());
    if (path.size() < before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after)) {
        return std::nullopt;
    }
    auto const id = path.substr(at, path.size() - before.size() - after.size());
    if (id.find('/') != std::string_view::npos) return std::nullopt;
    return id;
}

}  // namespace

std::span<Endpoint const> all_endpoints() {
    return kEndpoints;
}

Route find_route(std::string_view method, std::string_view path) {
    Route route;
    for (Endpoint const& endpoint : kEndpoints) {
        auto const id = match(endpoint.path, path);
        if (!id) continue;
        if (!route.allow.empty()) route.allow += ", ";
        bool const is_read = endpoint.method == "GET";
        route.allow += is_read ? "GET, HEAD" : endpoint.method;
        if (endpoint.method == method || (is_read && method == "HEAD")) {
            route.endpoint = &endpoint;
            route.id = *id;
        }
    }
    return route;
}

}  // namespace sycee
