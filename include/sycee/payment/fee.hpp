#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/state.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// How the part in basis points is rounded to the token's base unit.
enum class FeeRounding : std::uint8_t {
    down,
    half_up,  // to the nearest; from the half on, up
    up,
};
std::string_view to_string(FeeRounding rounding);
std::optional<FeeRounding> parse_fee_rounding(std::string_view name);

// What the operator is due of a merchant's payments. Versions are never changed: each clearing
// names the one that was in force when it was booked. The fixed part, the minimum and the maximum
// are for a payment, in minor units of its currency ("30" is 0.30 dollars); each part of a payment
// counts by its own locked price.
struct FeeSchedule {
    std::uint64_t version = 0;  // from 1, for each merchant; 0: booked before there were versions
    std::uint32_t basis_points = 0;
    FeeRounding rounding = FeeRounding::down;
    Amount fixed;
    Amount minimum;
    std::optional<Amount> maximum;

    bool operator==(FeeSchedule const&) const = default;
    // Nothing but basis points: the fee of each part says nothing of the others'.
    bool is_proportional() const { return fixed.is_zero() && minimum.is_zero() && !maximum; }
};

// For a person: "50 basis points, and 30, at least 50 minor units a payment".
std::string to_text(FeeSchedule const& schedule);

// Refused, naming the field: basis points above 10000, parts above a million in a currency of two
// decimals, a minimum above the maximum.
Result<void> check_fees(FeeSchedule const& schedule);

// The part in basis points, of an amount that is applied to a payment. Never above it.
Amount proportional_fee(FeeSchedule const& schedule, Amount gross);

// The fee of the part that was applied last, in base units of `option`'s token: `state` holds it
// already, with a fee of zero. It brings the fee of the payment to what it has to be for the parts
// that are there: their basis points and the fixed part, lifted to the minimum, cut to the maximum.
// Never above the part itself; the next one then bears the rest. So the first parts bear what is
// for the whole payment, and nobody escapes it by a last part that is too small. What earlier parts
// were charged is never given back.
Amount fee_of_last_part(FeeSchedule const& schedule, PaymentState const& state,
                        PaymentOption const& option, Amount gross);

}  // namespace sycee
