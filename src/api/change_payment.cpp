#include <sycee/app/payment_json.hpp>
#include <sycee/base/assert.hpp>

#include "endpoints.hpp"
#include "entity_tag.hpp"
#include "find_payment.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

// Just as GET answers, whose ETag it has.
HttpResponse answer_with(PaymentState const& state, PaymentStatus status, Network const& network) {
    auto response =
        text_response(200, "application/json", payment_json(state, status, network).dump());
    response.with("content-location", "/v1/payments/" + to_string(state.payment.id))
        .with("etag", entity_tag(response.body));
    return response;
}

std::expected<UpdatePayment, Problem> decode_update(HttpRequest const& request) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    UpdatePayment update;
    update.description = fields.text("description", "Two T-shirts");
    update.metadata = fields.texts_or_null("metadata");
    auto errors = fields.take_errors();
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return update;
}

// The body may be left out: nothing of it is required.
std::expected<std::string, Problem> decode_reason(HttpRequest const& request) {
    if (request.body.empty() && request.header("content-type").empty()) return "";
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    auto reason = fields.text("reason", "the customer chose another way to pay");
    auto errors = fields.take_errors();
    if (reason && reason->empty()) errors.push_back(body_error({"reason"}, "must not be empty"));
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return std::move(reason).value_or("");
}

}  // namespace

Task<Answer> update_payment(ApiCall const& call, std::string_view id) {
    auto const parsed = parse_id<PaymentTag>(id);
    if (!parsed) co_return std::unexpected(no_such_payment());
    auto update = decode_update(call.request);
    if (!update) co_return std::unexpected(std::move(update.error()));
    // Compared where nobody else changes it, on a thread that may not look at the chains itself.
    auto fits = [&request = call.request, &network = call.network,
                 chains = call.payments.progress()](PaymentState const& state) {
        auto const status = status_of(state, chain_time_of(state.payment, chains));
        return allows_change(request, entity_tag(payment_json(state, status, network).dump()));
    };
    auto const updated = co_await call.changes.update(
        {call.caller.merchant_id, *parsed}, std::move(*update), std::move(fits), call.claim);
    if (!updated) co_return std::unexpected(refused_by_payments(updated.error()));
    if (!updated->state) co_return std::unexpected(no_such_payment());
    if (!updated->fitted) {
        co_return std::unexpected(
            Problem{.kind = kPreconditionFailed,
                    .detail = "The payment is not as If-Match says it was: read it again."});
    }
    co_return answer_with(*updated->state, call.payments.status(*updated->state), call.network);
}

Task<Answer> tell_payment(ApiCall const& call, std::string_view, std::string_view subject) {
    auto const id = parse_id<PaymentTag>(subject);
    auto const state =
        id ? co_await call.payments.find(call.caller.merchant_id, *id) : std::nullopt;
    if (!state) throw InvariantViolation("an idempotency key's subject is no payment's");
    co_return answer_with(*state, call.payments.status(*state), call.network);
}

Task<Answer> cancel_payment(ApiCall const& call, std::string_view id) {
    auto const parsed = parse_id<PaymentTag>(id);
    if (!parsed) co_return std::unexpected(no_such_payment());
    auto reason = decode_reason(call.request);
    if (!reason) co_return std::unexpected(std::move(reason.error()));
    auto const canceled = co_await call.changes.cancel(
        {call.caller.merchant_id, *parsed}, std::move(*reason), to_string(call.caller.key_id));
    if (canceled) {
        co_return answer_with(*canceled, call.payments.status(*canceled), call.network);
    }
    Error const& error = canceled.error();
    if (error.field == "payment") co_return std::unexpected(no_such_payment());
    if (error.field == "status") {
        co_return std::unexpected(
            Problem{.kind = kPaymentExpired,
                    .detail = "The payment " + error.message + ": there is nothing to cancel."});
    }
    if (error.field == "transfers") {
        co_return std::unexpected(
            Problem{.kind = kPaymentNotOpen,
                    .detail = "Transfers " + error.message +
                              ": the payment is canceled no more. Read it to see what came."});
    }
    co_return std::unexpected(refused_by_payments(error));
}

}  // namespace sycee
