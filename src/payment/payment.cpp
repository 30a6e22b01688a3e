#include <sycee/payment/payment.hpp>

#include <algorithm>

namespace sycee {

PaymentOption const* Payment::option_for(ChainId chain_id, Address const& token) const {
    auto const found =
        std::find_if(options.begin(), options.end(), [&](PaymentOption const& option) {
            return option.chain_id == chain_id && option.token == token;
        });
    return found == options.end() ? nullptr : &*found;
}

bool Payment::offers(ChainId chain_id) const {
    return std::any_of(options.begin(), options.end(), [chain_id](PaymentOption const& option) {
        return option.chain_id == chain_id;
    });
}

Amount tolerance_of(Amount price, Tolerance const& tolerance) {
    if (price.is_zero()) return Amount{};
    Amount const relative =
        multiply_divide_down(price, Amount(tolerance.basis_points), Amount(10'000));
    return std::min(std::max(tolerance.absolute, relative), price - Amount(1));
}

Amount least_open_amount(unsigned currency_decimals) {
    return std::max(Amount(100), power_of_ten(currency_decimals));
}

Amount pegged_amount(Amount price, unsigned currency_decimals, unsigned token_decimals) {
    return multiply_divide_up(price, power_of_ten(token_decimals), power_of_ten(currency_decimals));
}

}  // namespace sycee
