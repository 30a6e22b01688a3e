#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/state.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace sycee {
namespace {

constexpr std::array<std::pair<PaymentStatus, std::string_view>, 8> kStatusNames{{
    {PaymentStatus::open, "open"},
    {PaymentStatus::partially_paid, "partially_paid"},
    {PaymentStatus::authorized, "authorized"},
    {PaymentStatus::cleared, "cleared"},
    {PaymentStatus::settled, "settled"},
    {PaymentStatus::expired, "expired"},
    {PaymentStatus::reversed, "reversed"},
    {PaymentStatus::canceled, "canceled"},
}};

bool is_applied(Credit const& credit) {
    return credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
}

// Late by the time of its first block, and by nothing that the wall clock says.
bool counts_towards(PaymentState const& state, Credit const& credit) {
    return credit.first_seen_time <= ends_at(state) &&
           state.payment.option_for(credit.transfer.key.chain_id, credit.transfer.key.token) !=
               nullptr;
}

std::vector<Credit const*> applied_credits(PaymentState const& state) {
    std::vector<Credit const*> applied;
    for (Credit const& credit : state.credits) {
        if (is_applied(credit)) applied.push_back(&credit);
    }
    return applied;
}

// What a credit brings towards the price. Of one that is applied already, the part that was: what
// is over of it lies on the desk, and must not stand in for what another chain still has to clear.
Amount brought_by(Credit const& credit) {
    return is_applied(credit) ? credit.gross : credit.transfer.amount;
}

// What of each token is applied so that the parts reach the price.
struct TokenPart {
    PaymentOption const* option = nullptr;
    Amount sum;      // of the desk and of the credits
    Amount by_desk;  // of the sum
    Amount needed;   // of the sum
};

TokenPart& part_of(std::vector<TokenPart>& parts, PaymentOption const* option) {
    auto const part =
        std::find_if(parts.begin(), parts.end(),
                     [option](TokenPart const& candidate) { return candidate.option == option; });
    if (part != parts.end()) return *part;
    return parts.emplace_back(TokenPart{.option = option});
}

std::vector<TokenPart> sum_by_token(PaymentState const& state,
                                    std::vector<Credit const*> const& credits) {
    std::vector<TokenPart> parts;
    for (DeskCredit const& credit : state.desk_credits) {
        auto const* option = state.payment.option_for(credit.chain_id, credit.token);
        if (option == nullptr) continue;
        TokenPart& part = part_of(parts, option);
        part.sum += credit.amount;
        part.by_desk += credit.amount;
    }
    for (Credit const* credit : credits) {
        auto const& key = credit->transfer.key;
        auto const* option = state.payment.option_for(key.chain_id, key.token);
        if (option != nullptr) part_of(parts, option).sum += brought_by(*credit);
    }
    return parts;
}

struct Shortfall {
    PaymentOption const* option = nullptr;
    Amount missing;  // base units of the option's token
};

// What is missing, where a tolerance allows that much: of one token alone, whatever came beside it;
// else of any token that came. Never by the order in which they came, which may be seen differently
// another time.
std::optional<Shortfall> tolerated(PaymentState const& state, std::vector<TokenPart> const& parts,
                                   Amount remaining) {
    // Alone, exactly: the price may have coarser units than the token.
    for (TokenPart const& part : parts) {
        Amount const missing = part.option->amount - part.sum;
        if (missing <= part.option->tolerance) return Shortfall{part.option, missing};
    }
    if (parts.size() == 1) return std::nullopt;
    for (TokenPart const& part : parts) {
        Amount const missing =
            multiply_divide_up(remaining, part.option->amount, state.payment.price);
        if (missing <= part.option->tolerance) return Shortfall{part.option, missing};
    }
    return std::nullopt;
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
    for (auto const& [status, its_name] : kStatusNames) {
        if (its_name == name) return status;
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

std::string_view to_string(PromiseStage stage) {
    switch (stage) {
        case PromiseStage::frozen:
            return "frozen";
        case PromiseStage::paid:
            return "paid";
        case PromiseStage::canceled:
            return "canceled";
    }
    return "";
}

Timestamp ends_at(PaymentState const& state) {
    Timestamp const expires_at = state.payment.expires_at;
    return state.canceled ? std::min(expires_at, state.canceled->ends_at) : expires_at;
}

Amount settled_amount(PaymentState const& state, ChainId chain_id, Address const& token) {
    Amount settled;
    for (Credit const& credit : state.credits) {
        auto const& key = credit.transfer.key;
        if (credit.stage == CreditStage::settled && key.chain_id == chain_id && key.token == token)
            settled += credit.gross - credit.fee;
    }
    for (DeskCredit const& credit : state.desk_credits) {
        if (credit.chain_id == chain_id && credit.token == token)
            settled += credit.amount - credit.fee;
    }
    return settled;
}

Amount promised_amount(PaymentState const& state, ChainId chain_id, Address const& token) {
    Amount promised;
    for (Promise const& promise : state.promises) {
        bool const counts =
            promise.kind == RecordKind::refund && promise.stage != PromiseStage::canceled;
        if (counts && promise.chain_id == chain_id && promise.token == token)
            promised += promise.amount;
    }
    return promised;
}

Amount address_balance(PaymentState const& state, ChainId chain_id, Address const& token) {
    Amount in;
    Amount out;
    auto const is_of = [&](TransferKey const& key) {
        return key.chain_id == chain_id && key.token == token;
    };
    for (Credit const& credit : state.credits) {
        if (is_of(credit.transfer.key)) in += credit.transfer.amount;
    }
    for (Outflow const& outflow : state.outflows) {
        if (!is_of(outflow.transfer.key)) continue;
        in += outflow.unexplained;
        out += outflow.transfer.amount;
    }
    for (LostTokens const& lost : state.losses) {
        if (lost.chain_id == chain_id && lost.token == token) out += lost.amount;
    }
    return in - out;
}

void end_promise(PaymentState& state, ChainId chain_id, std::uint64_t sequence,
                 PromiseStage stage) {
    auto const promise = std::find_if(
        state.promises.begin(), state.promises.end(),
        [&](Promise const& one) { return one.chain_id == chain_id && one.sequence == sequence; });
    ensure(promise != state.promises.end(), "stage order: what ends a promise follows upon none");
    promise->stage = stage;
    if (stage != PromiseStage::canceled || promise->exception_sequence == 0) return;
    for (Credit& credit : state.credits) {
        if (credit.transfer.key.chain_id == chain_id &&
            credit.stage_sequence == promise->exception_sequence)
            credit.resolved -= promise->amount;
    }
    for (Outflow& outflow : state.outflows) {
        if (outflow.transfer.key.chain_id == chain_id &&
            outflow.sequence == promise->exception_sequence)
            outflow.resolved -= promise->amount;
    }
}

void note_resolved(PaymentState& state, ChainId chain_id, std::uint64_t exception_sequence,
                   Amount amount) {
    for (Credit& credit : state.credits) {
        if (credit.transfer.key.chain_id == chain_id && credit.stage_sequence == exception_sequence)
            credit.resolved += amount;
    }
    for (Outflow& outflow : state.outflows) {
        if (outflow.transfer.key.chain_id == chain_id && outflow.sequence == exception_sequence)
            outflow.resolved += amount;
    }
}

Timestamp first_seen_time_of(PaymentState const& state, Transfer const& transfer) {
    Timestamp first = transfer.block_time;
    for (auto const& [key, time] : state.reversed_transfers) {
        if (key == transfer.key) first = std::min(first, time);
    }
    return first;
}

void note_first_seen(PaymentState& state) {
    std::map<TransferKey, Timestamp> first;
    for (auto const& [key, time] : state.reversed_transfers) {
        auto const [seen, is_new] = first.emplace(key, time);
        if (!is_new) seen->second = std::min(seen->second, time);
    }
    for (Credit& credit : state.credits) {
        credit.first_seen_time = credit.transfer.block_time;
        auto const seen = first.find(credit.transfer.key);
        if (seen != first.end())
            credit.first_seen_time = std::min(credit.first_seen_time, seen->second);
    }
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

bool is_late(PaymentState const& state, Credit const& credit) {
    return credit.first_seen_time > ends_at(state);
}

PaymentFacts facts_of(PaymentState const& state, PaymentStatus status) {
    PaymentFacts facts;
    bool const is_over = status == PaymentStatus::expired || status == PaymentStatus::canceled;
    for (Credit const& credit : state.credits) {
        facts.late = facts.late || is_late(state, credit);
        facts.overpaid = facts.overpaid || (is_applied(credit) && !credit.excess.is_zero()) ||
                         credit.unapplied_reason == UnappliedReason::already_paid;
        bool const waits = credit.stage == CreditStage::authorized && counts_towards(state, credit);
        facts.underpaid = facts.underpaid || (is_over && waits) ||
                          credit.unapplied_reason == UnappliedReason::underpaid;
    }
    return facts;
}

Coverage cover(PaymentState const& state, std::vector<Credit const*> const& credits) {
    Payment const& payment = state.payment;
    Coverage coverage;
    coverage.applied.resize(credits.size());
    auto parts = sum_by_token(state, credits);
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
    if (!remaining.is_zero()) {
        bool const accepted = std::any_of(state.desk_credits.begin(), state.desk_credits.end(),
                                          [](DeskCredit const& credit) { return credit.accepts; });
        auto const shortfall = tolerated(state, parts, remaining);
        if (!accepted && !shortfall) return coverage;
        if (!accepted) {
            coverage.shortfall = shortfall->missing;
            for (std::size_t i = 0; i < credits.size(); ++i) {
                auto const& key = credits[i]->transfer.key;
                if (payment.option_for(key.chain_id, key.token) == shortfall->option)
                    coverage.short_credit = i;
            }
        }
    }

    coverage.covered = true;
    for (TokenPart& part : parts)
        part.needed -= std::min(part.needed, part.by_desk);
    for (std::size_t i = 0; i < credits.size(); ++i) {
        auto const& key = credits[i]->transfer.key;
        auto const* option = payment.option_for(key.chain_id, key.token);
        if (option == nullptr) continue;
        Amount const brought = brought_by(*credits[i]);
        TokenPart& part = part_of(parts, option);
        if (!payment.open_amount) {
            coverage.applied[i] = std::min(part.needed, brought);
            part.needed -= coverage.applied[i];
        } else {
            coverage.applied[i] = brought;
        }
    }
    return coverage;
}

std::optional<Amount> payment_amount(PaymentState const& state) {
    Payment const& payment = state.payment;
    if (!payment.open_amount) return payment.price;
    auto const applied = applied_credits(state);
    if (!cover(state, applied).covered) return std::nullopt;
    Amount amount;
    for (TokenPart const& part : sum_by_token(state, applied))
        amount += multiply_divide_down(part.sum, payment.price, part.option->amount);
    return amount;
}

std::optional<Timestamp> chain_time_of(Payment const& payment, ChainsProgress const& chains) {
    std::optional<Timestamp> slowest;
    for (auto const& [chain_id, progress] : chains) {
        if (!payment.offers(chain_id)) continue;
        if (!progress) return std::nullopt;
        slowest = slowest ? std::min(*slowest, progress->head_time) : progress->head_time;
    }
    return slowest;
}

Amount still_due(PaymentState const& state, PaymentOption const& option) {
    std::vector<Credit const*> counted;
    for (Credit const& credit : state.credits) {
        if (is_applied(credit) ||
            (credit.stage == CreditStage::authorized && counts_towards(state, credit))) {
            counted.push_back(&credit);
        }
    }
    if (cover(state, counted).covered) return Amount{};
    auto const parts = sum_by_token(state, counted);
    // In one token nothing is converted, and so nothing is rounded.
    if (parts.size() == 1 && *parts.front().option == option)
        return option.amount - parts.front().sum;
    Amount remaining = state.payment.price;
    for (TokenPart const& part : parts) {
        remaining -= std::min(
            remaining, multiply_divide_down(part.sum, state.payment.price, part.option->amount));
    }
    return multiply_divide_up(remaining, option.amount, state.payment.price);
}

Bytes32 foreign_fingerprint(PaymentState const& state, ChainId chain_id) {
    CanonicalBytes bytes("sycee.foreign.1");
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key.chain_id == chain_id) continue;
        bytes.number(credit.transfer.key.chain_id)
            .number(credit.authorization_sequence)
            .text(to_string(credit.stage))
            .number(credit.stage_sequence);
    }
    for (DeskCredit const& credit : state.desk_credits)
        bytes.number(credit.chain_id).number(credit.sequence);
    if (state.canceled && state.canceled->chain_id != chain_id) {
        bytes.text("canceled").number(state.canceled->chain_id).number(state.canceled->sequence);
    }
    return sha256(bytes.view());
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
            (credit.stage == CreditStage::authorized && counts_towards(state, credit))) {
            arrived.push_back(&credit);
        }
    }
    if (cover(state, applied).covered) {
        return all_settled ? PaymentStatus::settled : PaymentStatus::cleared;
    }
    if (cover(state, arrived).covered) return PaymentStatus::authorized;
    // Before what a reorg did: whatever came after a cancellation does not undo it.
    if (state.canceled) return PaymentStatus::canceled;
    if (lost_a_transfer(state)) return PaymentStatus::reversed;
    if (chain_time && *chain_time > state.payment.expires_at) return PaymentStatus::expired;
    return arrived.empty() ? PaymentStatus::open : PaymentStatus::partially_paid;
}

}  // namespace sycee
