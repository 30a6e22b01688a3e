#include <sycee/app/exception_json.hpp>
#include <sycee/app/token_text.hpp>

#include "book_number.hpp"
#include "token_json.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

constexpr std::string_view kPrefix = "exc_";

nlohmann::ordered_json decision_json(DeskDecision const& decision, unsigned decimals) {
    nlohmann::ordered_json json;
    json["kind"] = to_string(decision.kind);
    json["amount"] = to_decimal(decision.amount, decimals);
    json["amount_base_units"] = to_string(decision.amount);
    json["target_payment"] = nullptr;
    if (pays(decision.kind)) json["target_payment"] = to_string(decision.target_payment_id);
    json["reason"] = decision.reason;
    json["decided_by"] = decision.decided_by;
    json["approved_by"] = nullptr;
    if (!decision.approved_by.empty()) json["approved_by"] = decision.approved_by;
    json["decided_at"] = to_rfc3339(decision.decided_at);
    json["record"] = decision.sequence;
    return json;
}

}  // namespace

std::string exception_id(DeskKey const& key) {
    return std::string(kPrefix) + std::to_string(key.chain_id) + "_" + std::to_string(key.sequence);
}

std::optional<DeskKey> parse_exception_id(MerchantId merchant_id, std::string_view id) {
    if (!id.starts_with(kPrefix)) return std::nullopt;
    id.remove_prefix(kPrefix.size());
    auto const line = id.find('_');
    if (line == std::string_view::npos) return std::nullopt;
    auto const chain_id = parse_book_number(id.substr(0, line));
    auto const sequence = parse_book_number(id.substr(line + 1));
    if (!chain_id || !sequence) return std::nullopt;
    return DeskKey{.merchant_id = merchant_id, .chain_id = *chain_id, .sequence = *sequence};
}

nlohmann::ordered_json exception_json(DeskException const& exception, Network const& network) {
    Transfer const& transfer = exception.transfer;
    nlohmann::ordered_json json;
    json["id"] = exception_id(exception.key);
    json["object"] = "exception";
    json["payment"] = to_string(exception.payment_id);
    json["reason"] = exception.reason;
    add_token(json, transfer.key.chain_id, transfer.key.token, network);
    add_amount(json, "amount", exception.amount);
    add_amount(json, "resolved", exception.resolved);
    add_amount(json, "left", exception.amount - exception.resolved);
    json["final"] = exception.is_final;
    auto decisions = nlohmann::ordered_json::array();
    unsigned const decimals = token_decimals(network, transfer.key.chain_id, transfer.key.token);
    for (DeskDecision const& decision : exception.decisions)
        decisions.push_back(decision_json(decision, decimals));
    json["decisions"] = std::move(decisions);
    json["transfer"] = {{"transaction_hash", to_hex0x(transfer.key.transaction_hash)},
                        {"ordinal", transfer.key.ordinal},
                        {"log_index", transfer.log_index},
                        {"sender", to_string(transfer.sender)},
                        {"recipient", to_string(transfer.recipient)},
                        {"block_number", transfer.block_number},
                        {"block_hash", to_hex0x(transfer.block_hash)},
                        {"block_time", to_rfc3339(transfer.block_time)}};
    json["booked_at"] = to_rfc3339(exception.booked_at);
    return json;
}

}  // namespace sycee
