#include <sycee/app/exception_json.hpp>
#include <sycee/app/refund_json.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/base/assert.hpp>

#include "endpoints.hpp"
#include "find_refund.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

struct Input {
    std::optional<PaymentId> payment;
    std::optional<DeskKey> exception;
    std::optional<std::uint64_t> chain_id;
    std::optional<Address> token;
    std::optional<std::string> amount;
    std::optional<Address> recipient;
    std::string reason;
};

std::expected<Input, Problem> decode(HttpRequest const& request, MerchantId merchant_id) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    Input input;
    fields.refuse_null({"payment", "exception", "chain_id", "token", "amount", "recipient"});
    auto const payment = fields.text("payment", "pay_01kaq5w8g0fn5temf1svhtd9ds");
    auto const exception = fields.text("exception", "exc_1_42");
    auto const chain_id = fields.integer("chain_id");
    auto const token = fields.text("token", "0xdAC17F958D2ee523a2206206994597C13D831ec7");
    input.amount = fields.text("amount", "12.50");
    auto const recipient = fields.text("recipient", "0x52908400098527886E0F7030069857D2E4169EE7");
    input.reason = fields.required_text("reason", "the shirt did not fit");
    auto errors = fields.take_errors();
    auto const check = [&errors](bool holds, std::string_view field, std::string detail) {
        if (!holds) errors.push_back(body_error({field}, std::move(detail)));
    };
    check(payment.has_value() != exception.has_value(), "payment",
          "or exception must be given, one of the two");
    if (payment) {
        input.payment = parse_id<PaymentTag>(*payment);
        check(input.payment.has_value(), "payment", "must be the id of a payment");
    }
    if (exception) {
        input.exception = parse_exception_id(merchant_id, *exception);
        check(input.exception.has_value(), "exception", "must be the id of an exception");
        check(!chain_id, "chain_id", "is that of the exception");
        check(!token, "token", "is that of the exception");
    }
    if (chain_id) {
        check(*chain_id > 0, "chain_id", "must be the id of a chain, such as 1");
        input.chain_id = static_cast<std::uint64_t>(*chain_id);
    }
    auto const take_address = [&](std::optional<std::string> const& text, std::string_view field,
                                  std::optional<Address>& into) {
        if (!text) return;
        auto const address = parse_address(*text);
        check(address.has_value(), field, address ? "" : address.error().message);
        if (address) into = *address;
    };
    take_address(token, "token", input.token);
    take_address(recipient, "recipient", input.recipient);
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return input;
}

// Of which money of the payment: the only one that is left, where nothing is said.
std::expected<Refundable, Problem> choose(PaymentState const& state, Input const& input) {
    auto of = refundable_of(state);
    std::erase_if(of, [&input](Refundable const& one) {
        return (input.chain_id && one.chain_id != *input.chain_id) ||
               (input.token && one.token != *input.token);
    });
    if (of.empty()) {
        return std::unexpected(
            Problem{.kind = kConflict, .detail = "The payment has nothing settled to refund."});
    }
    if (of.size() > 1) {
        return std::unexpected(
            invalid_field("token", "and chain_id must say which: the payment was paid in several"));
    }
    return of.front();
}

Task<Answer> tell(ApiCall const& call, RefundKey refund) {
    std::string const id = refund_id(refund);
    auto answer = co_await answer_with_refund(call, id, 201);
    if (answer) answer->with("location", "/v1/refunds/" + id);
    co_return answer;
}

HttpResponse tell_waiting(std::string_view request) {
    nlohmann::ordered_json const json{
        {"object", "refund_request"}, {"id", request}, {"waiting_for_approval", true}};
    return text_response(202, "application/json", json.dump());
}

Task<Answer> answer_with(ApiCall const& call, Result<PromisedRefund> promised) {
    if (!promised) co_return std::unexpected(refused_by_refunds(promised.error()));
    if (promised->request) co_return tell_waiting(to_string(*promised->request));
    co_return co_await tell(call, promised->refund);
}

Task<Answer> refund_exception(ApiCall const& call, Input input) {
    auto const exception = co_await call.desk.find(*input.exception);
    if (!exception) {
        co_return std::unexpected(
            invalid_field("exception", "must be the id of an exception of yours"));
    }
    RefundException refund{.exception = *input.exception,
                           .amount = std::nullopt,
                           .recipient = input.recipient,
                           .reason = input.reason};
    if (input.amount) {
        auto const& key = exception->transfer.key;
        auto const amount =
            parse_decimal(*input.amount, token_decimals(call.network, key.chain_id, key.token));
        if (!amount) co_return std::unexpected(invalid_field("amount", amount.error().message));
        refund.amount = *amount;
    }
    co_return co_await answer_with(
        call,
        co_await call.refunds.create(std::move(refund), to_string(call.caller.key_id), call.claim));
}

Task<Answer> refund_payment(ApiCall const& call, Input input) {
    MerchantId const merchant_id = call.caller.merchant_id;
    auto const state = co_await call.payments.find(merchant_id, *input.payment);
    if (!state) {
        co_return std::unexpected(invalid_field("payment", "must be the id of a payment of yours"));
    }
    auto const from = choose(*state, input);
    if (!from) co_return std::unexpected(from.error());
    Amount amount = from->amount;
    unsigned const decimals = token_decimals(call.network, from->chain_id, from->token);
    if (input.amount) {
        auto const parsed = parse_decimal(*input.amount, decimals);
        if (!parsed) co_return std::unexpected(invalid_field("amount", parsed.error().message));
        if (*parsed > from->amount) {
            co_return std::unexpected(
                invalid_field("amount", "is more than the " + to_decimal(from->amount, decimals) +
                                            " that are settled and not refunded"));
        }
        amount = *parsed;
    }
    CreateRefund refund{.payment = {merchant_id, *input.payment},
                        .chain_id = from->chain_id,
                        .token = from->token,
                        .amount = amount,
                        .recipient = input.recipient,
                        .reason = input.reason};
    co_return co_await answer_with(
        call,
        co_await call.refunds.create(std::move(refund), to_string(call.caller.key_id), call.claim));
}

}  // namespace

Task<Answer> create_refund(ApiCall const& call) {
    auto input = decode(call.request, call.caller.merchant_id);
    if (!input) co_return std::unexpected(std::move(input.error()));
    if (input->exception) co_return co_await refund_exception(call, std::move(*input));
    co_return co_await refund_payment(call, std::move(*input));
}

Task<Answer> tell_refund(ApiCall const& call, std::string_view, std::string_view subject) {
    if (parse_id<RequestTag>(subject)) co_return tell_waiting(subject);
    auto const key = parse_refund_id(call.caller.merchant_id, "ref_" + std::string(subject));
    auto const input = decode(call.request, call.caller.merchant_id);
    if (!key || !input) throw InvariantViolation("an idempotency key's subject is no refund's");
    // A promise of the desk is booked before its recipient is.
    if (input->exception && input->recipient) {
        auto const given = co_await call.refunds.give_recipient(*key, *input->recipient,
                                                                to_string(call.caller.key_id));
        if (!given) co_return std::unexpected(refused_by_refunds(given.error()));
    }
    co_return co_await tell(call, *key);
}

}  // namespace sycee
