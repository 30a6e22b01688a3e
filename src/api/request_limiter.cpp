#include "request_limiter.hpp"

namespace sycee {

RequestLimiter::Standing RequestLimiter::take(ApiKeyId key, Timestamp now) {
    if (now >= cleared_at_ + kWindow) forget_ended(now);
    Window& window = windows_[key];
    // A clock that was set back must not close a key out for long.
    if (now >= window.ends || window.ends > now + kWindow) window = {now + kWindow, 0};
    Standing standing{.is_allowed = window.requests < most_};
    if (standing.is_allowed) ++window.requests;
    standing.remaining = most_ - window.requests;
    standing.reset_in = std::chrono::ceil<std::chrono::seconds>(window.ends - now);
    return standing;
}

void RequestLimiter::forget_ended(Timestamp now) {
    std::erase_if(windows_, [now](auto const& entry) { return now >= entry.second.ends; });
    cleared_at_ = now;
}

}  // namespace sycee
