#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"
#include "json_input.hpp"
#include "media_type.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

std::expected<CreatePayment, Problem> decode(std::string_view body) {
    auto const json = parse_json_object(body);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    CreatePayment input;
    input.amount = fields.required_text("amount", "50.00");
    input.currency = fields.required_text("currency", "USD");
    input.reference = fields.text("reference", "order-1001");
    input.description = fields.text("description", "Two T-shirts");
    input.metadata = fields.texts("metadata");
    input.expires_in = fields.integer("expires_in");
    input.success_url = fields.text("success_url", "https://shop.example/thanks");
    auto errors = fields.take_errors();
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return input;
}

// The use case names an entry of an object as "metadata/size", where the key may hold a slash
// itself.
Problem refused_by_use_case(Error const& error) {
    std::string_view const field = error.field;
    auto const slash = field.find('/');
    std::vector<std::string_view> path{field.substr(0, slash)};
    if (slash != std::string_view::npos) path.push_back(field.substr(slash + 1));
    return invalid_fields({body_error(path, error.message)});
}

// Compressed bodies are refused: a small one can become a very large one.
bool is_plain_json(HttpRequest const& request) {
    auto const encoding = request.header("content-encoding");
    return is_json_content_type(request.header("content-type")) &&
           (encoding.empty() || equal_ignoring_case(encoding, "identity"));
}

}  // namespace

Task<Answer> create_payment(ApiCall const& call) {
    if (!is_plain_json(call.request)) {
        co_return std::unexpected(
            Problem{.kind = kUnsupportedMediaType,
                    .detail = "Send the body as application/json in UTF-8, not compressed."});
    }
    auto input = decode(call.request.body);
    if (!input) co_return std::unexpected(std::move(input.error()));
    auto const created = co_await call.payments.create(call.merchant_id, std::move(*input));
    if (!created) co_return std::unexpected(refused_by_use_case(created.error()));
    auto const status = call.payments.status(*created);
    auto response =
        text_response(201, "application/json", payment_json(*created, status, call.network).dump());
    response.with("location", "/v1/payments/" + to_string(created->payment.id));
    co_return response;
}

}  // namespace sycee
