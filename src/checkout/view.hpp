#pragma once

#include <sycee/app/detected_transfers.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/payment/state.hpp>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sycee::checkout {

// What the payer is told. `checking` is the time between the payer's clock and the chain's: the
// payment has run out by the wall clock, and the blocks up to that moment are not all read yet.
// `detected` takes the place of these and of the two before them while a transfer is on its way.
enum class Phase {
    open,
    partially_paid,
    authorized,
    paid,
    expired,
    reversed,
    canceled,
    checking,
    detected
};
std::string_view to_string(Phase phase);

// One way to pay, in the payer's words.
struct OptionView {
    ChainId chain_id = 0;
    std::string network;   // "Ethereum"
    std::string token;     // "USDT"
    std::string contract;  // with EIP-55 checksum
    std::string due;       // what is left to pay, or the least of it: "30.00"
    std::string uri;       // EIP-681, for what is left to pay
};

struct CheckoutView {
    std::string id;
    std::string address;
    std::string price;         // "50.00 USD"
    bool open_amount = false;  // the payer says how much, and `price` is the least
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
    std::string detected;  // the same of what no block has yet
    std::chrono::seconds time_left{0};
    std::chrono::seconds detected_for{0};  // if the node says nothing more

    OptionView const& option() const { return options.at(chosen); }
    bool payable() const { return phase == Phase::open || phase == Phase::partially_paid; }
    // The books say that something is still due.
    bool is_due() const {
        return payable() || phase == Phase::checking || phase == Phase::detected;
    }
    // By the wall clock. Whether it is by the chain's, the next blocks tell.
    bool time_is_up() const { return is_due() && time_left == std::chrono::seconds{0}; }
};

// "20.00 USDT"
std::string people_amount(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount);

// `detected`: transfers to this payment; those that are booked, or don't count for it, are left
// out.
CheckoutView make_view(PaymentState const& state, PaymentStatus status, Network const& network,
                       Timestamp now, std::size_t chosen,
                       std::span<DetectedTransfer const> detected);

}  // namespace sycee::checkout
