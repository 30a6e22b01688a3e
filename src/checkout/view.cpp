#include "view.hpp"

#include <sycee/evm/payment_uri.hpp>
#include <sycee/net/web_files.hpp>

#include <algorithm>
#include <map>

namespace sycee::checkout {
namespace {

constexpr unsigned kFewestDecimals = 2;

// "50.00" and "0.123456": no digit that carries nothing, but cents as people write them.
std::string people_decimal(Amount amount, unsigned decimals) {
    std::string text = to_short_decimal(amount, decimals);
    if (decimals < kFewestDecimals) return text;
    auto const point = text.find('.');
    std::size_t const digits = point == std::string::npos ? 0 : text.size() - point - 1;
    if (digits >= kFewestDecimals) return text;
    if (point == std::string::npos) text += '.';
    return text.append(kFewestDecimals - digits, '0');
}

struct Token {
    std::string symbol;
    unsigned decimals = 0;
};

// A token that has left the configuration since is counted in its base units.
Token token_of(Network const& network, ChainId chain_id, Address const& contract) {
    auto const* token = network.token(chain_id, contract);
    if (token == nullptr) return {.symbol = "base units", .decimals = 0};
    return {.symbol = token->symbol, .decimals = token->decimals};
}

using Sums = std::map<std::pair<ChainId, Address>, Amount>;

std::string sums_text(Sums const& sums, Network const& network) {
    std::string text;
    for (auto const& [key, sum] : sums) {
        if (!text.empty()) text += " + ";
        text += people_amount(network, key.first, key.second, sum);
    }
    return text;
}

// All that arrived, late or not: what the payer wants to hear is that it was seen.
std::string received_text(PaymentState const& state, Network const& network) {
    Sums sums;
    for (auto const& credit : state.credits) {
        sums[{credit.transfer.key.chain_id, credit.transfer.key.token}] += credit.transfer.amount;
    }
    return sums_text(sums, network);
}

// In a token that the payment can be paid with, and not in the books yet.
bool is_on_its_way(PaymentState const& state, DetectedTransfer const& transfer) {
    ChainId const chain_id = transfer.place.chain_id;
    bool const counts = std::ranges::any_of(state.payment.options, [&](auto const& option) {
        return option.chain_id == chain_id && option.token == transfer.token;
    });
    bool const booked = std::ranges::any_of(state.credits, [&](Credit const& credit) {
        TransferKey const& key = credit.transfer.key;
        return key.chain_id == chain_id && key.transaction_hash == transfer.transaction_hash;
    });
    return counts && !booked;
}

// Whoever sends a transaction writes any amount into it.
Amount capped_sum(Amount a, Amount b) {
    return b > Amount::max() - a ? Amount::max() : a + b;
}

void show_detected(CheckoutView& view, std::span<DetectedTransfer const> detected,
                   PaymentState const& state, Network const& network, Timestamp now) {
    Sums sums;
    auto until = Timestamp::max();
    for (DetectedTransfer const& transfer : detected) {
        if (!is_on_its_way(state, transfer)) continue;
        Amount& sum = sums[{transfer.place.chain_id, transfer.token}];
        sum = capped_sum(sum, transfer.amount);
        until = std::min(until, transfer.expires_at());
    }
    if (sums.empty() || !view.is_due()) return;
    view.phase = Phase::detected;
    view.detected = sums_text(sums, network);
    view.detected_for = std::chrono::ceil<std::chrono::seconds>(until - now);
}

Phase phase_of(PaymentStatus status, bool time_is_up) {
    switch (status) {
        case PaymentStatus::open:
            return time_is_up ? Phase::checking : Phase::open;
        case PaymentStatus::partially_paid:
            return time_is_up ? Phase::checking : Phase::partially_paid;
        case PaymentStatus::authorized:
            return Phase::authorized;
        case PaymentStatus::cleared:
        case PaymentStatus::settled:
            return Phase::paid;
        case PaymentStatus::expired:
            return Phase::expired;
        case PaymentStatus::reversed:
            return Phase::reversed;
        case PaymentStatus::canceled:
            return Phase::canceled;
    }
    return Phase::checking;
}

OptionView option_view(PaymentState const& state, PaymentOption const& option,
                       Network const& network) {
    auto const* chain = network.chain(option.chain_id);
    Token const token = token_of(network, option.chain_id, option.token);
    Amount const due = still_due(state, option);
    OptionView view;
    view.chain_id = option.chain_id;
    view.network = chain == nullptr ? "Chain " + std::to_string(option.chain_id) : chain->name;
    view.token = token.symbol;
    view.contract = to_string(option.token);
    view.due = people_decimal(due, token.decimals);
    view.uri = payment_uri(option.chain_id, option.token, state.payment.deposit_address,
                           state.payment.open_amount ? std::nullopt : std::optional(due));
    return view;
}

}  // namespace

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::open:
            return "open";
        case Phase::partially_paid:
            return "partially_paid";
        case Phase::authorized:
            return "authorized";
        case Phase::paid:
            return "paid";
        case Phase::expired:
            return "expired";
        case Phase::reversed:
            return "reversed";
        case Phase::canceled:
            return "canceled";
        case Phase::checking:
            return "checking";
        case Phase::detected:
            return "detected";
    }
    return "";
}

std::string people_amount(Network const& network, ChainId chain_id, Address const& contract,
                          Amount amount) {
    Token const token = token_of(network, chain_id, contract);
    return people_decimal(amount, token.decimals) + " " + token.symbol;
}

CheckoutView make_view(PaymentState const& state, PaymentStatus status, Network const& network,
                       Timestamp now, std::size_t chosen,
                       std::span<DetectedTransfer const> detected) {
    Payment const& payment = state.payment;
    unsigned const decimals = currency_decimals(payment.currency).value_or(0);
    CheckoutView view;
    view.id = to_string(payment.id);
    view.address = to_string(payment.deposit_address);
    auto const amount = payment_amount(state);
    view.price = to_decimal(amount.value_or(payment.price), decimals) + " " + payment.currency;
    view.open_amount = !amount;
    view.description = payment.description;
    view.reference = payment.reference;
    if (is_web_url(payment.success_url)) view.success_url = payment.success_url;
    view.status = status;
    view.phase = phase_of(status, now > payment.expires_at);
    view.final = status == PaymentStatus::settled || status == PaymentStatus::expired ||
                 status == PaymentStatus::canceled;
    view.surplus = std::ranges::any_of(
        state.credits, [](Credit const& credit) { return credit.excess > credit.resolved; });
    for (auto const& option : payment.options) {
        view.options.push_back(option_view(state, option, network));
    }
    view.chosen = chosen < view.options.size() ? chosen : 0;
    view.received = received_text(state, network);
    view.time_left = std::max(std::chrono::seconds{0},
                              std::chrono::ceil<std::chrono::seconds>(payment.expires_at - now));
    show_detected(view, detected, state, network, now);
    return view;
}

}  // namespace sycee::checkout
