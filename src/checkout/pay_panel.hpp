#pragma once

#include <sycee/net/html.hpp>

#include "page.hpp"

namespace sycee::checkout {

// How to pay: options, warning, QR code, amount, address. For a payment that can still be paid.
Html pay_panel(CheckoutView const& view, PageContext const& context);

}  // namespace sycee::checkout
