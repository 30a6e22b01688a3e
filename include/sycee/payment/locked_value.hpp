#pragma once

#include <sycee/payment/payment.hpp>

#include <optional>

namespace sycee {

// What an amount of a token that was applied to a payment is worth, at the price that was locked in
// the payment's option when it was created: amount × price / option amount, in minor units of the
// payment's currency, rounded down. Nothing where the payment has no price in that token.
std::optional<Amount> value_at_locked_price(Payment const& payment, ChainId chain_id,
                                            Address const& token, Amount amount);

}  // namespace sycee
