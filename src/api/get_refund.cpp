#include <sycee/app/refund_json.hpp>

#include "endpoints.hpp"
#include "find_refund.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

struct PageRequest {
    std::size_t limit = kDefaultLimit;
    RefundFilter filter;
    std::optional<RefundKey> after;
};

std::expected<PageRequest, Problem> decode(std::string_view query, MerchantId merchant_id) {
    PageRequest page;
    page.filter.merchant_id = merchant_id;
    auto const take = [&page, merchant_id](std::string_view name,
                                           std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(page.limit, value);
        if (name == "status") {
            page.filter.open_only = value == "open";
            return value == "open" || value == "all" ? "" : "must be open or all";
        }
        if (name == "payment") {
            page.filter.payment_id = parse_id<PaymentTag>(value);
            return page.filter.payment_id ? "" : "must be the id of a payment";
        }
        if (name != "after") return std::nullopt;
        page.after = parse_refund_id(merchant_id, value);
        return page.after ? "" : "must be the next_cursor of the page before";
    };
    if (auto const read = read_query(query, take); !read) return std::unexpected(read.error());
    return page;
}

// Whoever has the link says where the money goes: a key that may only read does not get it.
nlohmann::ordered_json json_of(ApiCall const& call, RefundDetail const& refund) {
    bool const may_redirect = call.caller.scopes.has(Scope::refunds_write);
    return refund_json(refund, call.network,
                       may_redirect ? call.refunds.claim_url(refund) : std::string());
}

}  // namespace

Task<std::expected<RefundDetail, Problem>> find_refund(ApiCall const& call, std::string_view id) {
    auto const key = parse_refund_id(call.caller.merchant_id, id);
    std::optional<RefundDetail> found;
    if (key) found = co_await call.refunds.find(*key);
    // The same for an id that is none, one that nobody has, and one of another merchant.
    if (!found) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is no refund with this id."});
    }
    co_return std::move(*found);
}

Task<Answer> answer_with_refund(ApiCall const& call, std::string_view id, unsigned status) {
    auto const refund = co_await find_refund(call, id);
    if (!refund) co_return std::unexpected(refund.error());
    co_return text_response(status, "application/json", json_of(call, *refund).dump());
}

Problem refused_by_refunds(Error const& error) {
    if (error.field == "refund" || error.field == "exception" || error.field == "payment") {
        return {.kind = kConflict, .detail = "The " + error.field + " " + error.message + "."};
    }
    std::string const field = error.field == "transaction" ? "transaction_hash" : error.field;
    return invalid_field(field, error.message);
}

Task<Answer> get_refund(ApiCall const& call, std::string_view id) {
    co_return co_await answer_with_refund(call, id, 200);
}

Task<Answer> list_refunds(ApiCall const& call) {
    auto const request = decode(call.request.query, call.caller.merchant_id);
    if (!request) co_return std::unexpected(request.error());
    auto const page = co_await call.refunds.list(request->filter, request->after, request->limit);
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (auto const& refund : page.refunds)
        json["data"].push_back(json_of(call, refund));
    bool const has_more = page.has_more && !page.refunds.empty();
    json["has_more"] = has_more;
    json["next_cursor"] = nullptr;
    if (has_more) json["next_cursor"] = refund_id(page.refunds.back().key);
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
