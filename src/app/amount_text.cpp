#include <sycee/app/amount_text.hpp>

namespace sycee {

std::string amount_text(PaymentState const& state) {
    Payment const& payment = state.payment;
    auto const amount = payment_amount(state);
    return (amount ? "" : "from ") +
           to_decimal(amount.value_or(payment.price),
                      currency_decimals(payment.currency).value_or(0)) +
           " " + payment.currency;
}

}  // namespace sycee
