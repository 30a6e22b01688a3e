#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/payment/state.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sycee::checkout {

// What the payer is told. `checking` is the time between the payer's clock and the chain's: the
// payment has run out by the wall clock, and the blocks up to that moment are not all read yet.
enum class Phase { open, partially_paid, authorized, paid, expired, reversed, checking };
std::string_view to_string(Phase phase);

// One way to pay, in the payer's words.
struct OptionView {
    ChainId chain_id = 0;
    std::string network;   // "Ethereum"
    std::string token;     // "USDT"
    std::string contract;  // with EIP-55 checksum
    std::string due;       // what is left to pay: "30.00"
    std::string uri;       // EIP-681, for what is left to pay
};

struct CheckoutView {
    std::string id;
    std::string address;
    std::string price;  // "50.00 USD"
    std::string description;
    std::string reference;
    std::string success_url;  // empty where it must not be linked to
    PaymentStatus status = PaymentStatus::open;
    Phase phase = Phase::open;
    bool final = false;    // nothing that this page shows can change any more
    bool surplus = false;  // more arrived than was due, and nobody has decided about it
    std::vector<OptionView> options;
    std::size_t chosen = 0;
    std::string received;  // "20.00 USDT", or empty
    std::chrono::seconds time_left{0};

    OptionView const& option() const { return options.at(chosen); }
    bool payable() const { return phase == Phase::open || phase == Phase::partially_paid; }
};

// "20.00 USDT"
std::string people_amount(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount);

CheckoutView make_view(PaymentState const& state, PaymentStatus status, Network const& network,
                       Timestamp now, std::size_t chosen);

}  // namespace sycee::checkout
