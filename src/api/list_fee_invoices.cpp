#include <sycee/app/fee_invoice_json.hpp>

#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
Task<Answer> list_fee_invoices(ApiCall const& call) {
    auto const request = read_payment_page(call.request.query);
    if (!request) co_return std::unexpected(request.error());
    auto views =
        co_await call.fees.list(call.caller.merchant_id, request->after, request->limit + 1);
    bool const has_more = views.size() > request->limit;
    if (has_more) views.resize(request->limit);
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (InvoiceView const& view : views)
        json["data"].push_back(fee_invoice_json(view, call.network));
    json["has_more"] = has_more;
    json["next_cursor"] = nullptr;
    if (has_more) json["next_cursor"] = to_string(views.back().invoice.payment.second);
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
