#include <sycee/payment/locked_value.hpp>

namespace sycee {

std::optional<Amount> value_at_locked_price(Payment const& payment, ChainId chain_id,
                                            Address const& token, Amount amount) {
    PaymentOption const* const option = payment.option_for(chain_id, token);
    if (option == nullptr) return std::nullopt;
    return multiply_divide_down(amount, payment.price, option->amount);
}

}  // namespace sycee
