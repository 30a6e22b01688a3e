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

namespace {

class RealWait final : public Wait {
  public:
    RealWait(Executor const& executor, std::chrono::milliseconds limit) : timer_(executor, limit) {}

    Task<void> over() override {
        boost::system::error_code ec;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec && !ended_) throw boost::system::system_error(ec);
    }
    void end() override {
        ended_ = true;
        timer_.cancel();
    }

  private:
    asio::steady_timer timer_;
    bool ended_ = false;
};

SystemClock& system_clock() {
    static SystemClock clock;
    return clock;
}

}  // namespace

std::unique_ptr<Wait> Clock::begin_wait(Executor executor, std::chrono::milliseconds limit) {
    return std::make_unique<RealWait>(executor, limit);
}

struct Notifier::State {
    State(Executor e, Clock& c) : executor(std::move(e)), clock(c) {}

    void notify() {
        ++generation;
        for (Wait* wait : waiting)
            wait->end();
    }

    // In the list for as long as the task that waits lives, however it ends.
    class Place {
      public:
        Place(State& state, Wait& wait)
            : state_(state), place_(state.waiting.insert(state.waiting.end(), &wait)) {}
        Place(Place const&) = delete;
        Place& operator=(Place const&) = delete;
        ~Place() { state_.waiting.erase(place_); }

      private:
        State& state_;
        std::list<Wait*>::iterator place_;
    };

    Executor executor;
    Clock& clock;
    std::uint64_t generation = 0;
    std::list<Wait*> waiting;
};

Notifier::Notifier(Executor executor) : Notifier(std::move(executor), system_clock()) {}

Notifier::Notifier(Executor executor, Clock& clock)
    : state_(std::make_shared<State>(std::move(executor), clock)) {}

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
    auto const wait = state->clock.begin_wait(state->executor, limit);
    State::Place const place(*state, *wait);
    co_await wait->over();
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
