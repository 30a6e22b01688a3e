#include <sycee/app/payment_json.hpp>
#include <sycee/base/ascii.hpp>

#include "endpoints.hpp"
#include "find_payment.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

std::expected<CreatePayment, Problem> decode(ApiCall const& call) {
    auto const json = read_json_body(call.request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    CreatePayment input{.livemode = call.caller.livemode};
    fields.refuse_null({"quote"});
    auto const quote = fields.text("quote", "quo_…");
    if (!json->contains("quote")) {
        input.open_amount = json->contains("minimum_amount");
        input.amount = input.open_amount ? fields.required_text("minimum_amount", "5.00")
                                         : fields.required_text("amount", "50.00");
        input.currency = fields.required_text("currency", "USD");
    }
    input.reference = fields.text("reference", "order-1001");
    input.description = fields.text("description", "Two T-shirts");
    input.metadata = fields.texts("metadata");
    input.expires_in = fields.integer("expires_in");
    input.success_url = fields.text("success_url", "https://shop.example/thanks");
    auto errors = fields.take_errors();
    if (quote && errors.empty()) {
        input.locked = call.quotes.open(call.caller.merchant_id, *quote);
        if (!input.locked)
            errors.push_back(body_error({"quote"}, "must be the id of a quote of yours"));
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return input;
}

// A payment that was made just now: nothing has been paid.
KeptAnswer answer_of(Payment const& payment, Network const& network) {
    PaymentState state;
    state.payment = payment;
    return {.status = 201,
            .location = "/v1/payments/" + to_string(payment.id),
            .body = payment_json(state, PaymentStatus::open, network).dump()};
}

}  // namespace

Problem refused_by_payments(Error const& error) {
    std::string_view const field = error.field;
    auto const slash = field.find('/');
    std::vector<std::string_view> path{field.substr(0, slash)};
    if (slash != std::string_view::npos) path.push_back(field.substr(slash + 1));
    return invalid_fields({body_error(path, error.message)});
}

Task<Answer> create_payment(ApiCall const& call) {
    auto input = decode(call);
    if (!input) co_return std::unexpected(std::move(input.error()));
    auto claim = call.claim;
    if (claim) {
        claim->answer = [&network = call.network](Payment const& payment) {
            return answer_of(payment, network);
        };
    }
    auto const created =
        co_await call.payments.create(call.caller.merchant_id, std::move(*input), std::move(claim));
    if (!created && created.error().field == "quote") {
        co_return std::unexpected(
            Problem{.kind = kQuoteExpired,
                    .detail = "The quote " + created.error().message + ": ask for another one."});
    }
    if (!created) co_return std::unexpected(refused_by_payments(created.error()));
    auto const answer = answer_of(created->payment, call.network);
    auto response = text_response(answer.status, "application/json", answer.body);
    response.with("location", answer.location);
    co_return response;
}

}  // namespace sycee
