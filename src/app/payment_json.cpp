#include <sycee/app/exception_json.hpp>
#include <sycee/app/payment_json.hpp>
#include <sycee/app/refund_json.hpp>
#include <sycee/app/test_payments.hpp>
#include <sycee/evm/payment_uri.hpp>
#include <sycee/payment/quote.hpp>

#include "token_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

// The newest ones: whoever sends dust must not make every event a book.
constexpr std::size_t kMostTransfersShown = 100;
constexpr std::size_t kMostDeskCreditsShown = 100;
constexpr std::size_t kMostRefundsShown = 100;

// The last ones of a list, as many as are shown.
template <class T>
std::span<T const> newest(std::vector<T> const& all, std::size_t most) {
    return std::span(all).last(std::min(all.size(), most));
}

Json transfer_json(Transfer const& transfer, Network const& network) {
    Json json = token_json(transfer.key.chain_id, transfer.key.token, network);
    add_amount(json, "amount", transfer.amount);
    json["transaction_hash"] = to_hex0x(transfer.key.transaction_hash);
    json["ordinal"] = transfer.key.ordinal;
    json["log_index"] = transfer.log_index;
    json["sender"] = to_string(transfer.sender);
    json["recipient"] = to_string(transfer.recipient);
    json["block_number"] = transfer.block_number;
    json["block_hash"] = to_hex0x(transfer.block_hash);
    json["block_time"] = to_rfc3339(transfer.block_time);
    return json;
}

Json credit_json(Credit const& credit, PaymentState const& state, Network const& network) {
    Json json = transfer_json(credit.transfer, network);
    json["stage"] = to_string(credit.stage);
    json["late"] = is_late(state, credit);
    bool const applied =
        credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
    if (applied) {
        add_amount(json, "gross", credit.gross);
        add_amount(json, "fee", credit.fee);
        add_amount(json, "net", credit.gross - credit.fee);
        if (!credit.shortfall.is_zero()) add_amount(json, "shortfall", credit.shortfall);
    }
    if (credit.excess.is_zero()) return json;
    add_amount(json, "unapplied", credit.excess);
    json["unapplied_reason"] =
        credit.unapplied_reason ? to_string(*credit.unapplied_reason) : "overpaid";
    json["exception"] = exception_id(
        {state.payment.merchant_id, credit.transfer.key.chain_id, credit.stage_sequence});
    return json;
}

Json desk_credit_json(DeskCredit const& credit, MerchantId merchant_id, Network const& network) {
    Json json = token_json(credit.chain_id, credit.token, network);
    add_amount(json, "amount", credit.amount);
    json["kind"] = to_string(credit.accepts ? ResolutionKind::accept : ResolutionKind::credit);
    json["exception"] = exception_id({merchant_id, credit.chain_id, credit.exception_sequence});
    json["record"] = credit.sequence;
    return json;
}

Json promise_json(Promise const& promise, MerchantId merchant_id, Network const& network) {
    Json json{{"id", refund_id({merchant_id, promise.chain_id, promise.sequence})},
              {"status", to_string(promise.stage)}};
    add_token(json, promise.chain_id, promise.token, network);
    add_amount(json, "amount", promise.amount);
    json["exception"] = nullptr;
    if (promise.exception_sequence != 0) {
        json["exception"] =
            exception_id({merchant_id, promise.chain_id, promise.exception_sequence});
    }
    json["record"] = promise.sequence;
    return json;
}

Json option_json(Payment const& payment, PaymentOption const& option, Network const& network) {
    Json json = token_json(option.chain_id, option.token, network);
    add_amount(json, "amount", option.amount);
    json["uri"] = payment_uri(option.chain_id, option.token, payment.deposit_address,
                              payment.open_amount ? std::nullopt : std::optional(option.amount));
    return json;
}

Json source_json(SourceRate const& source) {
    return {
        {"name", source.source}, {"rate", to_string(source.rate)}, {"at", to_rfc3339(source.at)}};
}

Json nullable(std::string const& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json event_head(OutboxEvent const& event) {
    Json json;
    json["id"] = to_string(event.id);
    json["type"] = event.type;
    json["timestamp"] = to_rfc3339(event.created_at);
    json["sequence"] = event.sequence == 0 ? Json(nullptr) : Json(event.sequence);
    return json;
}

void add_offer(Json& json, PriceOffer const& offer, Network const& network) {
    json["currency"] = offer.currency;
    json["amount"] = to_decimal(offer.price, currency_decimals(offer.currency).value_or(0));
    json["quote"] = quote_json(offer.quote.get());
    json["options"] = Json::array();
    for (PaymentOption const& option : offer.options) {
        Json priced = token_json(option.chain_id, option.token, network);
        add_amount(priced, "amount", option.amount);
        json["options"].push_back(std::move(priced));
    }
}

}  // namespace

Json quote_json(PriceQuote const* quote) {
    if (quote == nullptr) return nullptr;
    Json json;
    json["rate"] = to_string(quote->rate);
    json["spread_basis_points"] = quote->spread_basis_points;
    json["sources"] = Json::array();
    for (SourceRate const& source : quote->sources)
        json["sources"].push_back(source_json(source));
    return json;
}

Json offer_json(PriceOffer const& offer, Network const& network) {
    Json json;
    json["object"] = "rate";
    add_offer(json, offer, network);
    json["at"] = to_rfc3339(offer.at);
    return json;
}

Json given_quote_json(GivenQuote const& given, bool livemode, Network const& network) {
    Json json;
    json["id"] = given.id;
    json["object"] = "quote";
    json["livemode"] = livemode;
    add_offer(json, given.offer, network);
    json["created_at"] = to_rfc3339(given.offer.at);
    json["expires_at"] = to_rfc3339(given.expires_at);
    return json;
}

std::string checkout_url(PaymentId id, Network const& network) {
    return network.public_url + "/checkout/" + to_string(id);
}

Json payment_json(PaymentState const& state, PaymentStatus status, Network const& network) {
    Payment const& payment = state.payment;
    Json json;
    json["id"] = to_string(payment.id);
    json["object"] = "payment";
    json["livemode"] = is_live(payment);
    json["status"] = to_string(status);
    json["version"] = state.version;
    unsigned const decimals = currency_decimals(payment.currency).value_or(0);
    auto const amount = payment_amount(state);
    json["amount"] = amount ? Json(to_decimal(*amount, decimals)) : Json(nullptr);
    json["minimum_amount"] =
        payment.open_amount ? Json(to_decimal(payment.price, decimals)) : Json(nullptr);
    json["currency"] = payment.currency;
    json["quote"] = quote_json(payment.quote.get());
    auto const facts = facts_of(state, status);
    json["underpaid"] = facts.underpaid;
    json["overpaid"] = facts.overpaid;
    json["late"] = facts.late;
    json["deposit_address"] = to_string(payment.deposit_address);
    json["options"] = Json::array();
    for (auto const& option : payment.options) {
        json["options"].push_back(option_json(payment, option, network));
    }
    json["transfer_count"] = state.credits.size();
    json["transfers"] = Json::array();
    for (Credit const& credit : newest(state.credits, kMostTransfersShown))
        json["transfers"].push_back(credit_json(credit, state, network));
    json["desk_credits"] = Json::array();
    for (DeskCredit const& credit : newest(state.desk_credits, kMostDeskCreditsShown))
        json["desk_credits"].push_back(desk_credit_json(credit, payment.merchant_id, network));
    json["refunds"] = Json::array();
    for (Promise const& promise : newest(state.promises, kMostRefundsShown))
        json["refunds"].push_back(promise_json(promise, payment.merchant_id, network));
    json["reference"] = nullable(payment.reference);
    json["description"] = nullable(payment.description);
    json["metadata"] = Json::object();
    for (auto const& [key, value] : payment.metadata)
        json["metadata"][key] = value;
    json["success_url"] = nullable(payment.success_url);
    json["checkout_url"] = checkout_url(payment.id, network);
    json["expires_at"] = to_rfc3339(payment.expires_at);
    json["canceled_at"] = nullptr;
    if (state.canceled) json["canceled_at"] = to_rfc3339(state.canceled->booked_at);
    json["created_at"] = to_rfc3339(payment.created_at);
    return json;
}

Json event_json(ToldEvent const& told, Network const& network) {
    OutboxEvent const& event = told.event;
    if (event.type == kTestEvent) {
        return Json{{"type", event.type},
                    {"timestamp", to_rfc3339(event.created_at)},
                    {"data", {{"object", "webhook_test"}}}};
    }
    Json data = payment_json(told.state, event.status, network);
    // The shop is a witness: the record's place in the books is in the shop's hands from now on.
    data["record"] = nullptr;
    if (event.record_sequence != 0) {
        data["record"] = {{"chain_id", event.chain_id},
                          {"sequence", event.record_sequence},
                          {"hash", to_hex(told.record_hash)}};
    }
    if (event.type == "payment.reversed") {
        data["goods_may_be_released"] = event.goods_may_be_released;
    }
    if (told.moved) data["moved"] = transfer_json(*told.moved, network);
    Json json = event_head(event);
    json["data"] = std::move(data);
    return json;
}

Json untold_json(OutboxEvent const& event, Untold why) {
    Json json = event_head(event);
    json["data"] = nullptr;
    json["unavailable"] = to_string(why);
    return json;
}

Json event_json(FeedEvent const& event, Network const& network) {
    return event.told ? event_json(*event.told, network) : untold_json(event.event, event.untold);
}

std::string event_payload(ToldEvent const& told, Network const& network) {
    return event_json(told, network).dump();
}

}  // namespace sycee
