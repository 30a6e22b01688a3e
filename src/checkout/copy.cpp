#include "copy.hpp"

namespace sycee::checkout {
namespace {

StateText paid_text(CheckoutView const& view) {
    std::string message = view.status == PaymentStatus::settled
                              ? "Thank you. Your payment is final."
                              : "Thank you. Your payment is confirmed.";
    if (view.surplus) {
        message += " More arrived than was due: ask the shop about the difference.";
    }
    return {"Paid", message};
}

StateText expired_text(CheckoutView const& view) {
    std::string message = "Please do not send anything to this address any more.";
    if (!view.received.empty()) {
        message = "We received " + view.received + ", too late or less than was due. " + message;
    }
    return {"This payment has expired", message};
}

StateText detected_text(CheckoutView const& view) {
    return {"We see your transfer on its way",
            view.time_is_up() ? "It counts once a block contains it, but the time is up: it may "
                                "come too late for this order. Please do not send it again."
                              : "It counts once a block contains it. Please do not send it again."};
}

}  // namespace

StateText state_text(CheckoutView const& view) {
    switch (view.phase) {
        case Phase::open:
            return {"Waiting for your payment",
                    "This page changes by itself a moment after your transfer is in a block."};
        case Phase::partially_paid:
            return {"Part of your payment arrived",
                    "We received " + view.received +
                        (view.open_amount ? ". Still due, at least: " : ". Still due: ") +
                        view.option().due + " " + view.option().token + ", to the same address."};
        case Phase::authorized:
            return {"Payment received",
                    "The network is confirming it. There is nothing more for you to do."};
        case Phase::paid:
            return paid_text(view);
        case Phase::expired:
            return expired_text(view);
        case Phase::reversed:
            return {
                "The network took your transfer back",
                "Blocks were replaced, and your transfer was in one of them. Most often it comes "
                "back by itself within minutes, and this page will show it."};
        case Phase::canceled:
            return {"The shop canceled this payment",
                    view.received.empty()
                        ? "Please do not send anything to its address any more."
                        : "We received " + view.received +
                              " after that. Please do not send anything more to its address."};
        case Phase::checking:
            return {"The time is up",
                    "We are reading the last blocks to see whether your transfer arrived in time. "
                    "Please do not send anything now."};
        case Phase::detected:
            return detected_text(view);
    }
    return {};
}

std::string network_warning(OptionView const& option) {
    return "Send only " + option.token + " on " + option.network + " (chain " +
           std::to_string(option.chain_id) +
           "). Another token, or the same one on another network, does not pay this order and may "
           "be lost.";
}

std::string clock_text(std::chrono::seconds time_left) {
    auto const two = [](std::int64_t number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    std::int64_t const all = time_left.count();
    std::string const tail = two(all % 60);
    if (all < 3600) return std::to_string(all / 60) + ":" + tail;
    return std::to_string(all / 3600) + ":" + two(all / 60 % 60) + ":" + tail;
}

std::string host_of(std::string_view url) {
    auto const scheme = url.find("://");
    if (scheme == std::string_view::npos) return "";
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#\\"));
    auto const user = url.rfind('@');
    if (user != std::string_view::npos) url.remove_prefix(user + 1);
    return std::string(url);
}

}  // namespace sycee::checkout
