#include <sycee/app/refund_json.hpp>

#include "endpoints.hpp"
#include "find_refund.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

// The one field of a body that has no other.
std::expected<std::string, Problem> read_only_field(HttpRequest const& request,
                                                    std::string_view name,
                                                    std::string_view example) {
    auto const json = read_json_body(request);
    if (!json) return std::unexpected(json.error());
    FieldReader fields(*json);
    auto text = fields.required_text(name, example);
    auto errors = fields.take_errors();
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return text;
}

}  // namespace

Task<Answer> name_refund_recipient(ApiCall const& call, std::string_view id) {
    auto const refund = co_await find_refund(call, id);
    if (!refund) co_return std::unexpected(refund.error());
    auto const text =
        read_only_field(call.request, "recipient", "0x52908400098527886E0F7030069857D2E4169EE7");
    if (!text) co_return std::unexpected(text.error());
    auto const recipient = parse_address(*text);
    if (!recipient)
        co_return std::unexpected(invalid_field("recipient", recipient.error().message));
    auto const given = co_await call.refunds.give_recipient(refund->key, *recipient,
                                                            to_string(call.caller.key_id));
    if (!given) co_return std::unexpected(refused_by_refunds(given.error()));
    co_return co_await answer_with_refund(call, id, 200);
}

Task<Answer> report_refund(ApiCall const& call, std::string_view id) {
    auto const refund = co_await find_refund(call, id);
    if (!refund) co_return std::unexpected(refund.error());
    auto const text =
        read_only_field(call.request, "transaction_hash",
                        "0x2f1c5c2b44f771e942a8506148e256f94f1a464babc938ae0690c6e34cd79190");
    if (!text) co_return std::unexpected(text.error());
    TransactionHash hash{};
    if (!text->starts_with("0x") || !read_hex(std::string_view(*text).substr(2), hash)) {
        co_return std::unexpected(
            invalid_field("transaction_hash", "must be 0x and 64 lower-case hex digits"));
    }
    auto const reported =
        co_await call.refunds.report(refund->key, hash, to_string(call.caller.key_id));
    if (!reported) co_return std::unexpected(refused_by_refunds(reported.error()));
    co_return co_await answer_with_refund(call, id, 200);
}

Task<Answer> cancel_refund(ApiCall const& call, std::string_view id) {
    auto const refund = co_await find_refund(call, id);
    if (!refund) co_return std::unexpected(refund.error());
    auto reason = read_only_field(call.request, "reason", "the customer keeps the shirt");
    if (!reason) co_return std::unexpected(reason.error());
    auto const canceled = co_await call.refunds.cancel(refund->key, std::move(*reason),
                                                       to_string(call.caller.key_id));
    if (!canceled) co_return std::unexpected(refused_by_refunds(canceled.error()));
    co_return co_await answer_with_refund(call, id, 200);
}

}  // namespace sycee
