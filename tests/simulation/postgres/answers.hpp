#pragma once

#include <sycee/app/ports.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What a store answers, as text: the same text for the same answer, a line for each thing in it.
namespace sycee::simulation {

std::string text_of(std::monostate);  // of a call that answers nothing
std::string text_of(std::size_t count);
std::string text_of(Lease const& lease);
std::string text_of(FinalityRule const& rule);
std::string text_of(FollowedChain const& chain);
std::string text_of(ChainProgress const& progress);
std::string text_of(MerchantView const& view);
std::string text_of(NewAddress const& added);
std::string text_of(WatchedAddress const& watched);
std::string text_of(Payment const& payment);
std::string text_of(PaymentState const& state);
// But for the sealed secret, of which the model has none.
std::string text_of(PendingDelivery const& delivery);

template <class T>
std::string text_of(std::optional<T> const& value) {
    return value ? text_of(*value) : "nothing";
}

// A list whose order the port promises.
template <class T>
std::string text_of(std::vector<T> const& values) {
    std::string text;
    for (T const& value : values)
        text += text_of(value) + "\n";
    return text;
}

// A list in whatever order.
template <class T>
struct Unordered {
    std::vector<T> values;
};
template <class T>
std::string text_of(Unordered<T> const& unordered) {
    std::vector<std::string> texts;
    for (T const& value : unordered.values)
        texts.push_back(text_of(value) + "\n");
    std::sort(texts.begin(), texts.end());
    std::string all;
    for (std::string const& text : texts)
        all += text;
    return all;
}

// The lines that only one of the two has, a few of them; empty where the texts are the same.
std::string difference_of(std::string const& model, std::string const& postgres);

}  // namespace sycee::simulation
