#include <sycee/app/payment_json.hpp>
#include <sycee/base/ascii.hpp>

#include "accepts.hpp"
#include "endpoints.hpp"
#include "event_query.hpp"
#include "find_payment.hpp"
#include "page_query.hpp"
#include "stream_events.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

std::string take_types(std::set<std::string>& types, std::string_view value) {
    if (value.ends_with(',')) value = {};
    while (!value.empty()) {
        auto const type = take_until(value, ',');
        if (!is_event_type(type)) {
            types.clear();
            break;
        }
        types.emplace(type);
    }
    return types.empty() ? "must be types of events, with commas between them" : "";
}

Problem wrong(std::string_view field, std::string detail) {
    FieldError error = body_error({field}, std::move(detail));
    error.pointer.reset();
    return invalid_fields({std::move(error)});
}

std::expected<FeedQuery, Problem> decode(ApiCall const& call, bool is_stream) {
    FeedQuery query{
        .merchant_id = call.caller.merchant_id, .after = {}, .limit = kDefaultLimit, .types = {}};
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "after") return take_sequence(query.after, value);
        if (name == "type") return take_types(query.types, value);
        if (name == "limit" && !is_stream) return take_limit(query.limit, value);
        return std::nullopt;
    };
    if (auto const read = read_query(call.request.query, take); !read)
        return std::unexpected(read.error());
    // Where a client goes on that lost the stream: later than where it began.
    auto const last_id = call.request.header("last-event-id");
    if (is_stream && !last_id.empty()) {
        if (auto detail = take_sequence(query.after, last_id); !detail.empty())
            return std::unexpected(wrong("Last-Event-ID", std::move(detail)));
    }
    return query;
}

Problem beyond(std::uint64_t last) {
    return wrong("after",
                 "is larger than the sequence of the newest event, " + std::to_string(last));
}

Json list_of(std::vector<FeedEvent> const& events, Network const& network) {
    Json list = Json::array();
    for (FeedEvent const& event : events)
        list.push_back(event_json(event, network));
    return list;
}

}  // namespace

Task<Answer> list_events(ApiCall const& call) {
    bool const is_stream = accepts(call.request.header("accept"), "text/event-stream");
    auto const query = decode(call, is_stream);
    if (!query) co_return std::unexpected(query.error());
    if (is_stream) {
        auto const last = co_await call.events.feed.last_sequence(query->merchant_id);
        if (query->after.value_or(0) > last) co_return std::unexpected(beyond(last));
        co_return stream_events(call, *query);
    }
    auto const page = co_await call.events.feed.read(*query);
    if (query->after.value_or(0) > page.last_sequence)
        co_return std::unexpected(beyond(page.last_sequence));
    Json json{{"object", "list"}};
    json["data"] = list_of(page.events, call.network);
    json["missing"] = Json::array();
    for (FeedGap const& gap : page.missing) {
        json["missing"].push_back(
            {{"from", gap.from}, {"to", gap.to}, {"reason", to_string(gap.why)}});
    }
    json["has_more"] = page.has_more;
    json["next_after"] = page.next_after;
    json["last_sequence"] = page.last_sequence;
    co_return text_response(200, "application/json", json.dump());
}

Task<Answer> get_event(ApiCall const& call, std::string_view id) {
    auto const parsed = parse_id<EventTag>(id);
    EventFeedPort::Found found;
    if (parsed) found = co_await call.events.feed.find(call.caller.merchant_id, *parsed);
    if (found.archived) {
        co_return std::unexpected(
            Problem{.kind = kArchived,
                    .detail = "Events of this month were taken out of the gateway's database."});
    }
    if (!found.event) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is no event with this id."});
    }
    co_return text_response(200, "application/json", event_json(*found.event, call.network).dump());
}

Task<Answer> list_payment_events(ApiCall const& call, std::string_view id) {
    std::optional<std::uint64_t> after;
    std::size_t limit = kDefaultLimit;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "after") return take_sequence(after, value);
        if (name == "limit") return take_limit(limit, value);
        return std::nullopt;
    };
    if (auto const read = read_query(call.request.query, take); !read)
        co_return std::unexpected(read.error());
    auto const parsed = parse_id<PaymentTag>(id);
    std::optional<PaymentState> state;
    if (parsed) state = co_await call.payments.find(call.caller.merchant_id, *parsed);
    if (!state) {
        co_return std::unexpected(no_such_payment());
    }
    auto const found = co_await call.events.feed.of_payment({call.caller.merchant_id, *parsed},
                                                            after.value_or(0), limit);
    Json json{{"object", "list"}};
    json["data"] = list_of(found.events, call.network);
    json["missing_months"] = Json::array();
    for (std::uint32_t const month : found.missing_months) {
        std::string const digits = std::to_string(month);
        json["missing_months"].push_back(digits.substr(0, 4) + "-" + digits.substr(4));
    }
    json["has_more"] = found.has_more;
    json["next_after"] =
        found.events.empty() ? after.value_or(0) : found.events.back().event.sequence;
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
