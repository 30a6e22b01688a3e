#pragma once

#include <sycee/payment/state.hpp>

#include <string>

namespace sycee {

// What a payment is of, for people: "50.00 USD". Of an open amount that nothing has paid yet, the
// least of it: "from 5.00 USD".
std::string amount_text(PaymentState const& state);

}  // namespace sycee
