#include <sycee/checkout/find_throttle.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::chrono::minutes kWindow{1};

}  // namespace

std::chrono::seconds FindThrottle::take(PaymentId id, Timestamp now) {
    // What lies ahead was counted before the clock was set back: it would block for as long.
    std::erase_if(recent_, [now](Question const& question) {
        return question.at > now || question.at + kWindow <= now;
    });
    auto const wait_for = [now](Question const& question) {
        return std::chrono::ceil<std::chrono::seconds>(question.at + kWindow - now);
    };
    auto const is_own = [id](Question const& question) { return question.id == id; };
    auto const own = static_cast<std::size_t>(std::ranges::count_if(recent_, is_own));
    if (own >= limits_.per_payment) return wait_for(*std::ranges::find_if(recent_, is_own));
    if (recent_.size() >= limits_.all) return wait_for(recent_.front());
    recent_.push_back({id, now});
    return std::chrono::seconds{0};
}

}  // namespace sycee
