#include <sycee/app/exception_json.hpp>
#include <sycee/app/token_text.hpp>

#include "endpoints.hpp"
#include "find_exception.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

// What is wrong with the amount; empty where it was taken.
std::string take_amount(ResolveInput& input, std::string_view text, DeskException const& exception,
                        unsigned decimals) {
    auto const amount = parse_decimal(text, decimals);
    if (!amount) return amount.error().message;
    Amount const left = exception.amount - exception.resolved;
    if (*amount > left) return "is more than the " + to_decimal(left, decimals) + " that are left";
    input.amount = *amount;
    return "";
}

std::expected<ResolveInput, Problem> decode(HttpRequest const& request,
                                            DeskException const& exception, unsigned decimals) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    auto const kind_name = fields.required_text("kind", "accept");
    auto const amount = fields.text("amount", "12.50");
    auto const target = fields.text("target_payment", "pay_01kaq5w8g0fn5temf1svhtd9ds");
    auto const reason = fields.required_text("reason", "the customer asked for it");
    auto errors = fields.take_errors();
    bool const kind_given = std::ranges::find(errors, "kind", &FieldError::field) == errors.end();
    auto const check = [&errors](std::string_view field, std::string detail) {
        if (!detail.empty()) errors.push_back(body_error({field}, std::move(detail)));
    };
    auto const kind = parse_resolution_kind(kind_name);
    if (kind_given && !kind) check("kind", "must be accept, credit, write_off or refund");
    ResolveInput input{.exception = exception.key,
                       .kind = kind.value_or(ResolutionKind::accept),
                       .target = std::nullopt,
                       .amount = std::nullopt,
                       .reason = reason};
    if (amount) check("amount", take_amount(input, *amount, exception, decimals));
    if (target) {
        input.target = parse_id<PaymentTag>(*target);
        if (!input.target) check("target_payment", "must be the id of a payment");
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return input;
}

// A decision that is well said may still be one that can't be made as things stand.
Problem refused_by_desk(Error const& error) {
    if (error.field == "exception") {
        return {.kind = kConflict, .detail = "The exception " + error.message + "."};
    }
    std::string const field = error.field == "target" ? "target_payment" : error.field;
    return invalid_field(field, error.message);
}

}  // namespace

Task<Answer> decide_exception(ApiCall const& call, std::string_view id) {
    auto const before = co_await find_exception(call, id);
    if (!before) co_return std::unexpected(before.error());
    auto const& key = before->transfer.key;
    unsigned const decimals = token_decimals(call.network, key.chain_id, key.token);
    auto input = decode(call.request, *before, decimals);
    if (!input) co_return std::unexpected(std::move(input.error()));
    auto const decided =
        co_await call.desk.resolve(std::move(*input), to_string(call.caller.key_id), call.claim);
    if (!decided) co_return std::unexpected(refused_by_desk(decided.error()));
    co_return co_await tell_decision(
        call, id, decided->request ? subject_of(*decided->request) : std::string());
}

Task<Answer> tell_decision(ApiCall const& call, std::string_view id, std::string_view subject) {
    auto const after = co_await find_exception(call, id);
    if (!after) co_return std::unexpected(after.error());
    auto json = exception_json(*after, call.network);
    bool const waits = parse_id<RequestTag>(subject).has_value();
    if (waits) {
        json["waiting_for_approval"] = true;
        json["resolution_request"] = subject;
    }
    co_return text_response(waits ? 202 : 200, "application/json", json.dump());
}

}  // namespace sycee
