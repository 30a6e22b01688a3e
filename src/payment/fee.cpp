#include <sycee/payment/fee.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sycee {
namespace {

constexpr std::uint32_t kBasisPoints = 10'000;
constexpr std::uint64_t kMostMinorUnits = 100'000'000;

constexpr std::array<std::pair<FeeRounding, std::string_view>, 3> kRoundings{{
    {FeeRounding::down, "down"},
    {FeeRounding::half_up, "half_up"},
    {FeeRounding::up, "up"},
}};

// What the parts of a payment are charged, in base units of one token.
struct Charged {
    Amount by_basis_points;
    Amount so_far;
};

Charged charged_for(FeeSchedule const& schedule, PaymentState const& state,
                    PaymentOption const& option) {
    Charged charged;
    auto const add = [&](ChainId chain_id, Address const& token, Amount gross, Amount fee) {
        auto const* its = state.payment.option_for(chain_id, token);
        if (its == nullptr) return;
        charged.by_basis_points +=
            multiply_divide_down(proportional_fee(schedule, gross), option.amount, its->amount);
        charged.so_far += multiply_divide_down(fee, option.amount, its->amount);
    };
    for (Credit const& credit : state.credits) {
        if (credit.stage != CreditStage::cleared && credit.stage != CreditStage::settled) continue;
        auto const& key = credit.transfer.key;
        add(key.chain_id, key.token, credit.gross, credit.fee);
    }
    for (DeskCredit const& credit : state.desk_credits)
        add(credit.chain_id, credit.token, credit.amount, credit.fee);
    return charged;
}

}  // namespace

std::string_view to_string(FeeRounding rounding) {
    return kRoundings[static_cast<std::size_t>(rounding)].second;
}

std::optional<FeeRounding> parse_fee_rounding(std::string_view name) {
    for (auto const& [rounding, its_name] : kRoundings) {
        if (its_name == name) return rounding;
    }
    return std::nullopt;
}

std::string to_text(FeeSchedule const& schedule) {
    std::string text = std::to_string(schedule.basis_points) + " basis points";
    if (schedule.rounding == FeeRounding::up) text += ", rounded up";
    if (schedule.rounding == FeeRounding::half_up) text += ", rounded to the nearest";
    if (!schedule.fixed.is_zero()) text += ", and " + to_string(schedule.fixed);
    if (!schedule.minimum.is_zero()) text += ", at least " + to_string(schedule.minimum);
    if (schedule.maximum) text += ", at most " + to_string(*schedule.maximum);
    if (!schedule.is_proportional()) text += " minor units a payment";
    return text;
}

Result<void> check_fees(FeeSchedule const& schedule) {
    if (schedule.basis_points > kBasisPoints) {
        return refuse("basis_points",
                      std::to_string(schedule.basis_points) + " is more than the whole payment");
    }
    for (auto const& [name, part] : {std::pair{"fixed", schedule.fixed},
                                     {"minimum", schedule.minimum},
                                     {"maximum", schedule.maximum.value_or(Amount{})}}) {
        if (part > Amount(kMostMinorUnits)) {
            return refuse(name, to_string(part) + " is above the limit of " +
                                    std::to_string(kMostMinorUnits) + " minor units");
        }
    }
    if (schedule.maximum && *schedule.maximum < schedule.minimum) {
        return refuse("maximum", to_string(*schedule.maximum) + " is below the minimum of " +
                                     to_string(schedule.minimum));
    }
    return {};
}

Amount proportional_fee(FeeSchedule const& schedule, Amount gross) {
    Amount const points(schedule.basis_points);
    Amount const whole(kBasisPoints);
    switch (schedule.rounding) {
        case FeeRounding::down:
            break;
        case FeeRounding::up:
            return multiply_divide_up(gross, points, whole);
        case FeeRounding::half_up: {
            auto const lost = gross.base_units() % kBasisPoints * schedule.basis_points;
            if (lost % kBasisPoints * 2 < kBasisPoints) break;
            return multiply_divide_up(gross, points, whole);
        }
    }
    return multiply_divide_down(gross, points, whole);
}

Amount fee_of_last_part(FeeSchedule const& schedule, PaymentState const& state,
                        PaymentOption const& option, Amount gross) {
    if (schedule.is_proportional()) return proportional_fee(schedule, gross);
    auto const in_token = [&](Amount minor_units) {
        return multiply_divide_down(minor_units, option.amount, state.payment.price);
    };
    auto const charged = charged_for(schedule, state, option);
    Amount due = charged.by_basis_points + in_token(schedule.fixed);
    due = std::max(due, in_token(schedule.minimum));
    if (schedule.maximum) due = std::min(due, in_token(*schedule.maximum));
    return std::min(gross, due - std::min(due, charged.so_far));
}

}  // namespace sycee
