#include <sycee/base/assert.hpp>
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

std::optional<unsigned> currency_decimals(std::string_view currency) {
    if (currency == "USD") return 2;
    return std::nullopt;
}

Amount pegged_amount(Amount price, unsigned currency_decimals, unsigned token_decimals) {
    auto const power_of_ten = [](unsigned exponent) {
        ensure(exponent <= 38, "payment: a token has more than 38 decimals");
        Uint128 power = 1;
        for (unsigned i = 0; i < exponent; ++i)
            power *= 10;
        return Amount(power);
    };
    return multiply_divide_up(price, power_of_ten(token_decimals), power_of_ten(currency_decimals));
}

}  // namespace sycee
