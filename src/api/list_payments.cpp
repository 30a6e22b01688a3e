#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <set>

namespace sycee {
namespace {

constexpr std::size_t kDefaultLimit = 10;
constexpr std::size_t kMostLimit = 100;

struct PageRequest {
    std::size_t limit = kDefaultLimit;
    std::optional<PaymentId> after;
};

std::optional<std::size_t> parse_limit(std::string_view text) {
    std::size_t limit = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, limit);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    if (limit < 1 || limit > kMostLimit) return std::nullopt;
    return limit;
}

// What is wrong with one parameter; empty where it was taken.
std::string take_parameter(PageRequest& page, std::string_view name, std::string_view value) {
    if (name == "limit") {
        auto const limit = parse_limit(value);
        if (!limit) return "must be a whole number from 1 to " + std::to_string(kMostLimit);
        page.limit = *limit;
        return "";
    }
    if (name == "after") {
        page.after = parse_id<PaymentTag>(value);
        return page.after ? "" : "must be the next_cursor of the page before";
    }
    return "is not a parameter of this request";
}

std::expected<PageRequest, Problem> decode(std::string_view query) {
    PageRequest page;
    std::vector<FieldError> errors;
    std::set<std::string> seen;
    for (auto const& [name, value] : parse_form(query)) {
        std::string detail =
            seen.insert(name).second ? take_parameter(page, name, value) : "is given twice";
        if (detail.empty()) continue;
        // A query parameter has no JSON pointer.
        errors.push_back(body_error({name}, std::move(detail)));
        errors.back().pointer.reset();
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return page;
}

}  // namespace

Task<Answer> list_payments(ApiCall const& call) {
    auto const request = decode(call.request.query);
    if (!request) co_return std::unexpected(request.error());
    auto const page = co_await call.payments.list(call.merchant_id, request->after, request->limit);
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (auto const& state : page.payments) {
        json["data"].push_back(payment_json(state, call.payments.status(state), call.network));
    }
    bool const has_more = page.has_more && !page.payments.empty();
    json["has_more"] = has_more;
    json["next_cursor"] = nullptr;
    if (has_more) json["next_cursor"] = to_string(page.payments.back().payment.id);
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
