#pragma once

#include <sycee/base/time.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <memory>

namespace sycee {

// One wait for the time to pass that somebody else may end early.
class Wait {
  public:
    virtual ~Wait() = default;
    // Returns when the time has passed or end() was called; otherwise ends only by cancellation, as
    // Clock::sleep_for does. Awaited once.
    virtual Task<void> over() = 0;
    virtual void end() = 0;
};

// The time, and waiting for it. A port, so that tests and the simulator bring their own.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
    // Ends early only by cancellation, with boost::system::system_error (operation_aborted).
    virtual Task<void> sleep_for(std::chrono::milliseconds duration) = 0;
    // By default of real time.
    virtual std::unique_ptr<Wait> begin_wait(Executor executor, std::chrono::milliseconds limit);
};

class SystemClock final : public Clock {
  public:
    Timestamp now() const override;
    Task<void> sleep_for(std::chrono::milliseconds duration) override;
};

// Wakes whoever waits. For loops that work at their own pace and only want to hear sooner. All on
// the io thread. A notification that nobody waits for is remembered by `generation`.
class Notifier {
  public:
    explicit Notifier(Executor executor);  // waits in real time
    Notifier(Executor executor, Clock& clock);
    Notifier(Notifier const&) = delete;
    Notifier& operator=(Notifier const&) = delete;
    ~Notifier();

    void notify();
    // Counts the notifications. Read it before looking at the state that you wait for.
    std::uint64_t generation() const;
    // Returns at the first notification after `seen`, or when `limit` has passed.
    Task<void> wait_after(std::uint64_t seen, std::chrono::milliseconds limit);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

// Waits with exponential growth and jitter, for retries: each wait is between half and the whole of
// a bound that doubles from `first` to `most`.
class Backoff {
  public:
    Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most)
        : first_(first), most_(most), bound_(first) {}

    std::chrono::milliseconds next();
    void reset() { bound_ = first_; }

  private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds most_;
    std::chrono::milliseconds bound_;
};

}  // namespace sycee
