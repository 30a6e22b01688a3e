#include <sycee/app/receipt_json.hpp>

#include "endpoints.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace sycee {
namespace {

Problem problem_of(ReceiptOutcome const& outcome) {
    switch (outcome.state) {
        case ReceiptOutcome::State::off:
            return {.kind = kReceiptsOff, .detail = "This gateway has no signing key configured."};
        case ReceiptOutcome::State::pending:
            return {.kind = kReceiptPending,
                    .detail = "The next checkpoint will prove it. Ask again after Retry-After.",
                    .headers = {{"retry-after", std::to_string(outcome.retry_after.count())}}};
        case ReceiptOutcome::State::none_settled:
        case ReceiptOutcome::State::ready:
            break;
    }
    return {.kind = kNotSettled, .detail = "No transfer of this payment has been settled."};
}

}  // namespace

Task<Answer> get_receipt(ApiCall const& call, std::string_view id) {
    auto const parsed = parse_id<PaymentTag>(id);
    std::optional<PaymentState> state;
    if (parsed) state = co_await call.payments.find(call.caller.merchant_id, *parsed);
    if (!state) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is no payment with this id."});
    }
    auto const status = call.payments.status(*state);
    if (status != PaymentStatus::settled) {
        co_return std::unexpected(Problem{
            .kind = kNotSettled,
            .detail = "This payment is " + std::string(to_string(status)) + ", not settled."});
    }
    auto const outcome = co_await call.checkpoints.receipt({call.caller.merchant_id, *parsed});
    if (outcome.state != ReceiptOutcome::State::ready) {
        co_return std::unexpected(problem_of(outcome));
    }
    co_return text_response(200, "application/json", receipt_json(outcome.receipt).dump());
}

}  // namespace sycee
