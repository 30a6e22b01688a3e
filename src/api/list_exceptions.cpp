#include <sycee/app/exception_json.hpp>

#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

struct PageRequest {
    std::size_t limit = kDefaultLimit;
    DeskFilter filter;
    std::optional<DeskKey> after;
};

std::expected<PageRequest, Problem> decode(std::string_view query, MerchantId merchant_id) {
    PageRequest page;
    page.filter.merchant_id = merchant_id;
    auto const take = [&page, merchant_id](std::string_view name,
                                           std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(page.limit, value);
        if (name == "status") {
            page.filter.open_only = value != "all";
            return value == "open" || value == "all" ? "" : "must be open or all";
        }
        if (name == "payment") {
            page.filter.payment_id = parse_id<PaymentTag>(value);
            return page.filter.payment_id ? "" : "must be the id of a payment";
        }
        if (name != "after") return std::nullopt;
        page.after = parse_exception_id(merchant_id, value);
        return page.after ? "" : "must be the next_cursor of the page before";
    };
    if (auto const read = read_query(query, take); !read) return std::unexpected(read.error());
    return page;
}

}  // namespace

Task<Answer> list_exceptions(ApiCall const& call) {
    auto const request = decode(call.request.query, call.caller.merchant_id);
    if (!request) co_return std::unexpected(request.error());
    auto const page = co_await call.desk.list(request->filter, request->after, request->limit);
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (auto const& exception : page.exceptions) {
        json["data"].push_back(exception_json(exception, call.network));
    }
    bool const has_more = page.has_more && !page.exceptions.empty();
    json["has_more"] = has_more;
    json["next_cursor"] = nullptr;
    if (has_more) json["next_cursor"] = exception_id(page.exceptions.back().key);
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
