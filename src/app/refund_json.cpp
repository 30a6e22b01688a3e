#include <sycee/app/exception_json.hpp>
#include <sycee/app/refund_json.hpp>

#include "book_number.hpp"
#include "token_json.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "ref_";

Json nullable(std::string const& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json report_json(RefundReport const& report) {
    return {{"transaction_hash", to_hex0x(report.transaction)},
            {"reported_by", report.reported_by},
            {"reported_at", to_rfc3339(report.reported_at)},
            {"problem", nullable(report.problem)}};
}

Json payment_json(RefundDetail::Payment const& payment) {
    Transfer const& transfer = payment.transfer;
    return {{"transaction_hash", to_hex0x(transfer.key.transaction_hash)},
            {"ordinal", transfer.key.ordinal},
            {"log_index", transfer.log_index},
            {"sender", to_string(transfer.sender)},
            {"amount_base_units", to_string(transfer.amount)},
            {"block_number", transfer.block_number},
            {"block_hash", to_hex0x(transfer.block_hash)},
            {"block_time", to_rfc3339(transfer.block_time)},
            {"finalized_block", payment.finalized_block},
            {"record", payment.sequence},
            {"booked_at", to_rfc3339(payment.booked_at)}};
}

Json cancellation_json(RefundDetail::Cancellation const& cancellation) {
    return {{"reason", cancellation.reason},
            {"decided_by", cancellation.decided_by},
            {"record", cancellation.sequence},
            {"booked_at", to_rfc3339(cancellation.booked_at)}};
}

}  // namespace

std::string refund_id(RefundKey const& key) {
    return std::string(kPrefix) + std::to_string(key.chain_id) + "_" + std::to_string(key.sequence);
}

std::optional<RefundKey> parse_refund_id(MerchantId merchant_id, std::string_view id) {
    if (!id.starts_with(kPrefix)) return std::nullopt;
    id.remove_prefix(kPrefix.size());
    auto const line = id.find('_');
    if (line == std::string_view::npos) return std::nullopt;
    auto const chain_id = parse_book_number(id.substr(0, line));
    auto const sequence = parse_book_number(id.substr(line + 1));
    if (!chain_id || !sequence) return std::nullopt;
    return RefundKey{.merchant_id = merchant_id, .chain_id = *chain_id, .sequence = *sequence};
}

Json refund_json(RefundDetail const& refund, Network const& network, std::string const& claim_url) {
    RefundKey const& key = refund.key;
    Json json;
    json["id"] = refund_id(key);
    json["object"] = "refund";
    json["status"] = to_string(refund.status());
    json["payment"] = to_string(refund.payment_id);
    json["exception"] = nullptr;
    if (refund.exception_sequence != 0)
        json["exception"] =
            exception_id({key.merchant_id, key.chain_id, refund.exception_sequence});
    add_token(json, key.chain_id, refund.token, network);
    add_amount(json, "amount", refund.amount);
    json["recipient"] = nullptr;
    if (refund.recipient != Address{}) json["recipient"] = to_string(refund.recipient);
    json["recipient_given_by"] = nullable(refund.given_by);
    json["claim_url"] = nullable(claim_url);
    json["reason"] = refund.reason;
    json["decided_by"] = refund.decided_by;
    json["approved_by"] = nullable(refund.approved_by);
    json["record"] = key.sequence;
    json["created_at"] = to_rfc3339(refund.created_at);
    json["report"] = nullptr;
    if (refund.report) json["report"] = report_json(*refund.report);
    json["paid"] = nullptr;
    if (refund.payment) json["paid"] = payment_json(*refund.payment);
    json["canceled"] = nullptr;
    if (refund.cancellation) json["canceled"] = cancellation_json(*refund.cancellation);
    return json;
}

}  // namespace sycee
