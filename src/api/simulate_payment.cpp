#include <sycee/app/payment_json.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/evm/transfer.hpp>

#include "endpoints.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

std::expected<SimulatePayment, Problem> decode(HttpRequest const& request) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    SimulatePayment input;
    auto const outcome = fields.required_text("outcome", "paid");
    input.token = fields.text("token", "TUSDT");
    input.amount = fields.text("amount", "20.00");
    auto errors = fields.take_errors();
    auto const parsed = parse_test_outcome(outcome);
    if (errors.empty() && !parsed) {
        errors.push_back(body_error({"outcome"},
                                    "must be paid, underpaid, overpaid, late, reversed or "
                                    "cleared_reversed"));
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    input.outcome = *parsed;
    return input;
}

nlohmann::ordered_json json_of(PaymentId id, SimulatePayment const& input,
                               SimulatedTransfer const& simulated, Network const& network) {
    TestTransfer const& transfer = simulated.transfer;
    nlohmann::ordered_json json;
    json["object"] = "simulation";
    json["payment"] = to_string(id);
    json["livemode"] = false;
    json["outcome"] = to_string(input.outcome);
    json["chain_id"] = kTestChainId;
    auto const* token = network.token(kTestChainId, transfer.token);
    json["token"] = token == nullptr ? "" : token->symbol;
    json["amount"] = to_decimal(transfer.amount, token == nullptr ? 0 : token->decimals);
    json["amount_base_units"] = to_string(transfer.amount);
    json["transaction_hash"] = to_hex0x(transfer.transaction_hash);
    json["block_number"] = transfer.block_number;
    json["mined_at"] = to_rfc3339(simulated.mined_at);
    json["taken_back_at_block"] = nullptr;
    if (transfer.gone_at) json["taken_back_at_block"] = *transfer.gone_at;
    return json;
}

HttpResponse answer_with(PaymentId id, SimulatePayment const& input,
                         SimulatedTransfer const& simulated, Network const& network) {
    return text_response(201, "application/json", json_of(id, input, simulated, network).dump());
}

Problem no_such_test_payment() {
    return {.kind = kNotFound, .detail = "There is no test payment with this id."};
}

}  // namespace

Task<Answer> simulate_payment(ApiCall const& call, std::string_view id) {
    // With a live key there is nothing here, whatever is sent; and test mode may be off.
    bool const is_there = !call.caller.livemode && call.network.chain(kTestChainId) != nullptr;
    auto const parsed = parse_id<PaymentTag>(id);
    if (!is_there || !parsed) co_return std::unexpected(no_such_test_payment());
    auto const input = decode(call.request);
    if (!input) co_return std::unexpected(input.error());
    auto const simulated =
        co_await call.test_payments.simulate(call.caller.merchant_id, *parsed, *input, call.claim);
    if (!simulated) co_return std::unexpected(no_such_test_payment());
    if (!*simulated) {
        Error const& error = simulated->error();
        co_return std::unexpected(invalid_field(error.field, error.message));
    }
    co_return answer_with(*parsed, *input, **simulated, call.network);
}

Task<Answer> tell_simulation(ApiCall const& call, std::string_view id, std::string_view subject) {
    auto const payment = parse_id<PaymentTag>(id);
    TransactionHash hash{};
    bool const is_hash = subject.starts_with("0x") && read_hex(subject.substr(2), hash);
    auto const simulated =
        is_hash ? co_await call.test_payments.find(call.caller.merchant_id, hash) : std::nullopt;
    // The request is the one that simulated it.
    auto const input = decode(call.request);
    if (!payment || !simulated || !input)
        throw InvariantViolation("an idempotency key's subject is no simulated transfer's");
    co_return answer_with(*payment, *input, *simulated, call.network);
}

}  // namespace sycee
