#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
Task<Answer> list_payments(ApiCall const& call) {
    auto const request = read_payment_page(call.request.query);
    if (!request) co_return std::unexpected(request.error());
    auto const page =
        co_await call.payments.list(call.caller.merchant_id, request->after, request->limit);
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
