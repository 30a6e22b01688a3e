#include <sycee/payment/state.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace sycee {
namespace {

constexpr std::array<std::pair<PaymentStatus, std::string_view>, 7> kStatusNames{{
    {PaymentStatus::open, "open"},
    {PaymentStatus::partially_paid, "partially_paid"},
    {PaymentStatus::authorized, "authorized"},
    {PaymentStatus::cleared, "cleared"},
    {PaymentStatus::settled, "settled"},
    {PaymentStatus::expired, "expired"},
    {PaymentStatus::reversed, "reversed"},
}};

bool is_applied(Credit const& credit) {
    return credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
}

// Late by the time of its first block, and by nothing that the wall clock says.
bool counts_towards(Payment const& payment, Credit const& credit) {
    return credit.first_seen_time <= payment.expires_at &&
           payment.option_for(credit.transfer.key.chain_id, credit.transfer.key.token) != nullptr;
}

// What of each token is applied so that the parts reach the price.
struct TokenPart {
    PaymentOption const* option = nullptr;
    Amount sum;
    Amount needed;
};

std::vector<TokenPart> sum_by_token(Payment const& payment,
                                    std::vector<Credit const*> const& credits) {
    std::vector<TokenPart> parts;
    for (Credit const* credit : credits) {
        auto const* option =
            payment.option_for(credit->transfer.key.chain_id, credit->transfer.key.token);
        if (option == nullptr) continue;
        auto part = std::find_if(parts.begin(), parts.end(), [option](TokenPart const& candidate) {
            return candidate.option == option;
        });
        if (part == parts.end()) part = parts.insert(parts.end(), TokenPart{.option = option});
        part->sum += credit->transfer.amount;
    }
    return parts;
}

bool lost_a_transfer(PaymentState const& state) {
    return std::any_of(state.reversed_transfers.begin(), state.reversed_transfers.end(),
                       [&](auto const& reversed) {
                           return std::none_of(state.credits.begin(), state.credits.end(),
                                               [&](Credit const& credit) {
                                                   return credit.transfer.key == reversed.first;
                                               });
                       });
}

// Enough of a token is exactly the option's amount, however its price divides.
bool pays_alone(TokenPart const& part) {
    return part.sum >= part.option->amount;
}

}  // namespace

std::string_view to_string(PaymentStatus status) {
    return kStatusNames[static_cast<std::size_t>(status)].second;
}

std::optional<PaymentStatus> parse_payment_status(std::string_view name) {
    for (auto const& [status, status_name] : kStatusNames) {
        if (status_name == name) return status;
    }
    return std::nullopt;
}

std::string_view to_string(CreditStage stage) {
    switch (stage) {
        case CreditStage::authorized:
            return "authorized";
        case CreditStage::cleared:
            return "cleared";
        case CreditStage::settled:
            return "settled";
        case CreditStage::unapplied:
            return "unapplied";
    }
    return "";
}

Coverage cover(Payment const& payment, std::vector<Credit const*> const& credits) {
    Coverage coverage;
    coverage.applied.resize(credits.size());
    auto parts = sum_by_token(payment, credits);
    Amount remaining = payment.price;
    for (TokenPart& part : parts) {
        Amount const due = part.option->amount;
        if (remaining == payment.price && pays_alone(part)) {
            part.needed = due;
            remaining = Amount{};
            break;
        }
        Amount const value = std::min(
            remaining,
            pays_alone(part) ? payment.price : multiply_divide_down(part.sum, payment.price, due));
        part.needed =
            value == remaining ? multiply_divide_up(remaining, due, payment.price) : part.sum;
        remaining -= value;
        if (remaining.is_zero()) break;
    }
    if (!remaining.is_zero()) return coverage;

    coverage.covered = true;
    for (std::size_t i = 0; i < credits.size(); ++i) {
        auto const& key = credits[i]->transfer.key;
        auto const* option = payment.option_for(key.chain_id, key.token);
        for (TokenPart& part : parts) {
            if (part.option != option) continue;
            coverage.applied[i] = std::min(part.needed, credits[i]->transfer.amount);
            part.needed -= coverage.applied[i];
        }
    }
    return coverage;
}

PaymentStatus status_of(PaymentState const& state, std::optional<Timestamp> chain_time) {
    std::vector<Credit const*> applied;
    std::vector<Credit const*> arrived;
    bool all_settled = true;
    for (Credit const& credit : state.credits) {
        if (is_applied(credit)) {
            applied.push_back(&credit);
            all_settled = all_settled && credit.stage == CreditStage::settled;
        }
        if (is_applied(credit) ||
            (credit.stage == CreditStage::authorized && counts_towards(state.payment, credit))) {
            arrived.push_back(&credit);
        }
    }
    if (cover(state.payment, applied).covered) {
        return all_settled ? PaymentStatus::settled : PaymentStatus::cleared;
    }
    if (cover(state.payment, arrived).covered) return PaymentStatus::authorized;
    if (lost_a_transfer(state)) return PaymentStatus::reversed;
    if (chain_time && *chain_time > state.payment.expires_at) return PaymentStatus::expired;
    return arrived.empty() ? PaymentStatus::open : PaymentStatus::partially_paid;
}

}  // namespace sycee
