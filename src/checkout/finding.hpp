#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/payment/state.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sycee::checkout {

// One answer to "I have paid, where is it?", in the payer's words.
struct Finding {
    enum class Tone { good, waiting, bad };

    Tone tone = Tone::bad;
    std::string title;
    std::string message;
    std::vector<std::pair<std::string, std::string>> facts;
    bool ask_shop = false;  // only the shop can do something about it
};

// What a transaction did to this payment: at least one answer. `found` holds nothing about any
// other address than the payment's.
std::vector<Finding> findings_of(std::vector<FoundOnChain> const& found, PaymentState const& state,
                                 PaymentStatus status, Network const& network);

}  // namespace sycee::checkout
