#include <sycee/app/webhook_json.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/base/moment.hpp>

#include "endpoints.hpp"
#include "find_webhook.hpp"
#include "json_input.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

struct PageRequest {
    std::size_t limit = kDefaultLimit;
    DeliveryFilter filter;
    std::optional<EventId> after;
};

std::expected<PageRequest, Problem> decode(std::string_view query, WebhookEndpoint const& of) {
    PageRequest page;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(page.limit, value);
        if (name == "status") {
            page.filter.state = parse_delivery_state(value);
            return page.filter.state ? "" : "must be pending, delivered or failed";
        }
        if (name != "after") return std::nullopt;
        auto const key = parse_delivery_id(of.merchant_id, value);
        if (!key || key->endpoint_id != of.id) return "must be the next_cursor of the page before";
        page.after = key->event_id;
        return "";
    };
    if (auto const read = read_query(query, take); !read) return std::unexpected(read.error());
    return page;
}

Problem disabled_endpoint() {
    return {.kind = kConflict,
            .detail = "The endpoint is disabled: nothing is sent to it until it is enabled."};
}

Task<Answer> answer_with_delivery(ApiCall const& call, DeliveryKey key, unsigned status) {
    auto const detail = co_await call.webhooks.find_delivery(key);
    if (!detail) co_return no_such_webhook("webhook delivery");
    co_return text_response(status, "application/json",
                            webhook_delivery_json(*detail, call.network).dump());
}

Task<Answer> answer_with_test(ApiCall const& call, DeliveryKey key) {
    auto answer = co_await answer_with_delivery(call, key, 202);
    if (answer) answer->with("location", "/v1/webhook-deliveries/" + delivery_id(key));
    co_return answer;
}

}  // namespace

Task<Answer> list_webhook_deliveries(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    auto const request = decode(call.request.query, *endpoint);
    if (!request) co_return std::unexpected(request.error());
    auto const page = co_await call.webhooks.deliveries(
        call.caller.merchant_id, endpoint->id, request->filter, request->after, request->limit);
    Json json;
    json["object"] = "list";
    json["data"] = Json::array();
    for (auto const& delivery : page.deliveries)
        json["data"].push_back(webhook_delivery_json(delivery));
    bool const has_more = page.has_more && !page.deliveries.empty();
    json["has_more"] = has_more;
    json["next_cursor"] = nullptr;
    if (has_more) json["next_cursor"] = delivery_id(page.deliveries.back().key);
    co_return text_response(200, "application/json", json.dump());
}

Task<Answer> get_webhook_delivery(ApiCall const& call, std::string_view id) {
    auto const key = parse_delivery_id(call.caller.merchant_id, id);
    if (!key) co_return no_such_webhook("webhook delivery");
    co_return co_await answer_with_delivery(call, *key, 200);
}

Task<Answer> test_webhook_endpoint(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    auto const sent =
        co_await call.webhooks.send_test(call.caller.merchant_id, endpoint->id, call.claim);
    if (!sent) co_return std::unexpected(disabled_endpoint());
    co_return co_await answer_with_test(call, *sent);
}

Task<Answer> tell_webhook_test(ApiCall const& call, std::string_view id, std::string_view subject) {
    auto const endpoint_id = parse_id<WebhookEndpointTag>(id);
    auto const event_id = parse_id<EventTag>(subject);
    if (!endpoint_id || !event_id)
        throw InvariantViolation("an idempotency key's subject is no test event's");
    co_return co_await answer_with_test(call, {call.caller.merchant_id, *endpoint_id, *event_id});
}

Task<Answer> redeliver_webhook(ApiCall const& call, std::string_view id) {
    auto const key = parse_delivery_id(call.caller.merchant_id, id);
    auto const done = key ? co_await call.webhooks.redeliver(*key) : Redelivered::no_such_delivery;
    switch (done) {
        case Redelivered::yes:
            co_return co_await answer_with_delivery(call, *key, 202);
        case Redelivered::endpoint_disabled:
            co_return std::unexpected(disabled_endpoint());
        case Redelivered::too_often:
            co_return std::unexpected(Problem{
                .kind = kConflict,
                .detail = "The delivery was attempted a thousand times: it is not sent again."});
        case Redelivered::archived:
            co_return std::unexpected(
                Problem{.kind = kConflict,
                        .detail = "The delivery is of a month that is archived: it is not sent "
                                  "again."});
        case Redelivered::no_such_delivery:
            break;
    }
    co_return no_such_webhook("webhook delivery");
}

Task<Answer> redeliver_failed_webhooks(ApiCall const& call, std::string_view id) {
    auto const endpoint = co_await find_webhook(call, id);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    auto const json = read_json_body(call.request);
    if (!json) co_return std::unexpected(json.error());
    FieldReader fields(*json);
    auto const text = fields.required_text("since", "2026-11-26T00:00:00Z");
    auto errors = fields.take_errors();
    auto const since = parse_rfc3339(text);
    if (errors.empty() && !since) {
        errors.push_back(
            body_error({"since"}, "must be a moment of UTC such as \"2026-11-26T00:00:00Z\""));
    }
    if (!errors.empty()) co_return std::unexpected(invalid_fields(std::move(errors)));
    auto const done =
        co_await call.webhooks.redeliver_failed(call.caller.merchant_id, endpoint->id, *since);
    if (!done) co_return std::unexpected(disabled_endpoint());
    Json const answer{
        {"object", "redelivery"}, {"redelivering", done->count}, {"has_more", done->has_more}};
    co_return text_response(202, "application/json", answer.dump());
}

}  // namespace sycee
