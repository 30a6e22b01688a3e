#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/random.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <limits>
#include <list>

namespace sycee {
namespace asio = boost::asio;

Timestamp SystemClock::now() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Task<void> SystemClock::sleep_for(std::chrono::milliseconds duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

struct Notifier::State {
    explicit State(Executor e) : executor(std::move(e)) {}

    void notify() {
        ++generation;
        for (auto* timer : waiting)
            timer->cancel();
    }

    Executor executor;
    std::uint64_t generation = 0;
    std::list<asio::steady_timer*> waiting;
};

Notifier::Notifier(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

// Whoever still waits holds the state, and is not left waiting for what can't come any more.
Notifier::~Notifier() {
    state_->notify();
}

void Notifier::notify() {
    state_->notify();
}

std::uint64_t Notifier::generation() const {
    return state_->generation;
}

Task<void> Notifier::wait_after(std::uint64_t seen, std::chrono::milliseconds limit) {
    auto const state = state_;
    if (state->generation != seen) co_return;
    asio::steady_timer timer(state->executor, limit);
    auto const place = state->waiting.insert(state->waiting.end(), &timer);
    boost::system::error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    state->waiting.erase(place);
    // The timer is cancelled by notify(), which counts, or by whoever cancels this task.
    if (ec && state->generation == seen) throw boost::system::system_error(ec);
}

std::chrono::milliseconds Backoff::next() {
    auto const bound = std::max(bound_, std::chrono::milliseconds{1}).count();
    bound_ = std::min(most_, bound_ > most_ / 2 ? most_ : bound_ * 2);
    auto const half = bound / 2;
    auto const spread =
        std::min<std::int64_t>(bound - half + 1, std::numeric_limits<std::uint32_t>::max());
    return std::chrono::milliseconds{half + random_below(static_cast<std::uint32_t>(spread))};
}

}  // namespace sycee
