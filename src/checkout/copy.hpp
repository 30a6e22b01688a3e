#pragma once

#include "view.hpp"

#include <string>

namespace sycee::checkout {

// The words of the page, in one place.
struct StateText {
    std::string title;
    std::string message;
};

StateText state_text(CheckoutView const& view);

// "Send only USDT on Ethereum (chain 1). ..."
std::string network_warning(OptionView const& option);

// "14:32", "1:02:05".
std::string clock_text(std::chrono::seconds time_left);

// The part of a URL that tells the payer where a link leads: "shop.example".
std::string host_of(std::string_view url);

}  // namespace sycee::checkout
