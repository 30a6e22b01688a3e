#include <sycee/app/webhook_json.hpp>
#include <sycee/base/assert.hpp>

#include "endpoints.hpp"
#include "find_webhook.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

std::expected<EndpointChange, Problem> decode(HttpRequest const& request, bool is_new) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    EndpointChange input;
    input.url = fields.text("url", "https://shop.example/webhook");
    fields.refuse_null({"events"});
    input.event_types = fields.text_list("events", "payment.settled");
    input.description = fields.text("description", "the shop's orders");
    if (!is_new) input.is_enabled = fields.boolean("enabled");
    auto errors = fields.take_errors();
    if (is_new && !input.url && errors.empty())
        errors.push_back(body_error({"url"}, "is required"));
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return input;
}

Problem refused(Error const& error) {
    if (error.field == "endpoint")
        return {.kind = kConflict, .detail = "T" + error.message.substr(1) + "."};
    return invalid_field(error.field, error.message);
}

HttpResponse shown_with_secret(ApiCall const& call, EndpointWithSecret const& created,
                               unsigned status) {
    Json json = webhook_endpoint_json(created.endpoint, call.clock.now());
    json["secret"] = created.secret.reveal();
    return text_response(status, "application/json", json.dump());
}

HttpResponse shown_as_created(ApiCall const& call, EndpointWithSecret const& created) {
    auto response = shown_with_secret(call, created, 201);
    response.with("location", "/v1/webhook-endpoints/" + to_string(created.endpoint.id));
    return response;
}

// Of an answer that was not given; nothing where it was deleted since.
Task<std::optional<EndpointWithSecret>> find_with_secret(ApiCall const& call, std::string_view id) {
    auto const endpoint_id = parse_id<WebhookEndpointTag>(id);
    if (!endpoint_id) throw InvariantViolation("an idempotency key's subject is no endpoint's");
    co_return co_await call.webhooks.find_with_secret(call.caller.merchant_id, *endpoint_id);
}

HttpResponse shown(ApiCall const& call, WebhookEndpoint const& endpoint) {
    return text_response(200, "application/json",
                         webhook_endpoint_json(endpoint, call.clock.now()).dump());
}

}  // namespace

std::unexpected<Problem> no_such_webhook(std::string_view what) {
    return std::unexpected(Problem{
        .kind = kNotFound, .detail = "There is no " + std::string(what) + " with this id."});
}

// The same for an id that is none, one that nobody has, and one of another merchant.
Task<std::expected<WebhookEndpoint, Problem>> find_webhook(ApiCall const& call,
                                                           std::string_view id) {
    auto const endpoint_id = parse_id<WebhookEndpointTag>(id);
    std::optional<WebhookEndpoint> found;
    if (endpoint_id) found = co_await call.webhooks.find(call.caller.merchant_id, *endpoint_id);
    if (!found) co_return no_such_webhook("webhook endpoint");
    co_return std::move(*found);
}

Task<Answer> create_webhook_endpoint(ApiCall const& call) {
    auto input = decode(call.request, true);
    if (!input) co_return std::unexpected(input.error());
    auto const created =
        co_await call.webhooks.create(call.caller.merchant_id, std::move(*input), call.claim);
    if (!created) co_return std::unexpected(refused(created.error()));
    co_return shown_as_created(call, *created);
}

Task<Answer> tell_webhook_endpoint(ApiCall const& call, std::string_view,
                                   std::string_view subject) {
    auto const created = co_await find_with_secret(call, subject);
    if (!created) co_return no_such_webhook("webhook endpoint");
    co_return shown_as_created(call, *created);
}

Task<Answer> list_webhook_endpoints(ApiCall const& call) {
    Json json;
    json["object"] = "list";
    json["data"] = Json::array();
    for (auto const& endpoint : co_await call.webhooks.list(call.caller.merchant_id))
        json["data"].push_back(webhook_endpoint_json(endpoint, call.clock.now()));
    json["has_more"] = false;
    json["next_cursor"] = nullptr;
    co_return text_response(200, "application/json", json.dump());
}

Task<Answer> get_webhook_endpoint(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    co_return shown(call, *endpoint);
}

Task<Answer> update_webhook_endpoint(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    auto input = decode(call.request, false);
    if (!input) co_return std::unexpected(input.error());
    auto const changed =
        co_await call.webhooks.change(call.caller.merchant_id, endpoint->id, std::move(*input));
    if (!changed) co_return std::unexpected(refused(changed.error()));
    if (!*changed) co_return no_such_webhook("webhook endpoint");
    co_return shown(call, **changed);
}

Task<Answer> delete_webhook_endpoint(ApiCall const& call, std::string_view id) {
    auto const endpoint_id = parse_id<WebhookEndpointTag>(id);
    if (!endpoint_id || !co_await call.webhooks.remove(call.caller.merchant_id, *endpoint_id))
        co_return no_such_webhook("webhook endpoint");
    Json const json{{"id", id}, {"object", "webhook_endpoint"}, {"deleted", true}};
    co_return text_response(200, "application/json", json.dump());
}

Task<Answer> rotate_webhook_secret(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    std::optional<std::int64_t> overlap;
    if (!call.request.body.empty()) {
        auto const json = read_json_body(call.request);
        if (!json) co_return std::unexpected(json.error());
        FieldReader fields(*json);
        overlap = fields.integer("overlap_seconds");
        auto errors = fields.take_errors();
        if (!errors.empty()) co_return std::unexpected(invalid_fields(std::move(errors)));
    }
    auto const rotated =
        co_await call.webhooks.rotate(call.caller.merchant_id, endpoint->id, overlap, call.claim);
    if (!rotated) co_return std::unexpected(refused(rotated.error()));
    if (!*rotated) co_return no_such_webhook("webhook endpoint");
    co_return shown_with_secret(call, **rotated, 200);
}

Task<Answer> tell_webhook_secret(ApiCall const& call, std::string_view, std::string_view subject) {
    auto const rotated = co_await find_with_secret(call, subject);
    if (!rotated) co_return no_such_webhook("webhook endpoint");
    co_return shown_with_secret(call, *rotated, 200);
}

}  // namespace sycee
