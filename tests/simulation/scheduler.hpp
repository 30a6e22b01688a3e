#pragma once

#include <sycee/base/time.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include "rng.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace sycee::simulation {

// One life of a simulated process. Zero: the world around them.
using ProcessId = std::uint32_t;
constexpr ProcessId kWorld = 0;

// Virtual time. Whatever waits stands in one queue, ordered by when it is due and, at the same
// moment, by when it began to wait. Nothing else decides what runs next.
class Scheduler {
  public:
    explicit Scheduler(Timestamp start) : now_(start) {}
    Scheduler(Scheduler const&) = delete;
    Scheduler& operator=(Scheduler const&) = delete;

    Executor executor() { return io_.get_executor(); }
    Timestamp now() const { return now_; }
    std::uint64_t events() const { return events_; }
    std::size_t waiting(ProcessId owner) const;  // of the process, or of the world

    // Calls `what` then.
    void at(Timestamp when, std::move_only_function<void()> what);
    void after(std::chrono::milliseconds wait, std::move_only_function<void()> what) {
        at(now_ + wait, std::move(what));
    }
    // Spawns a task of the process. `on_end` hears of its end unless the process is killed before.
    void spawn(Task<void> task, std::function<void(std::exception_ptr)> on_end);
    void spawn(Task<void> task, boost::asio::cancellation_signal& signal,
               std::function<void(std::exception_ptr)> on_end);

    // Waits as a part of the process: not resumed while it is frozen, never once it is killed.
    Task<void> sleep(ProcessId owner, std::chrono::milliseconds duration);
    std::unique_ptr<Wait> begin_wait(ProcessId owner, std::chrono::milliseconds limit);

    // kill -9: nothing of the process is ever resumed; its coroutines are gone when this returns.
    // Not from within a task.
    void kill(ProcessId owner);
    // SIGSTOP until then.
    void freeze(ProcessId owner, Timestamp until) { frozen_[owner] = until; }
    bool is_frozen(ProcessId owner) const { return frozen_.contains(owner); }

    // Asked before a process is resumed; true kills it instead (through on_crash).
    std::function<bool(ProcessId)> crashes_now;
    std::function<void(ProcessId)> on_crash;

    // Runs what is due next. False when nothing waits any more.
    bool step();
    // Runs what is ready without letting time pass.
    void run_ready();

  private:
    struct Waiter;
    class SimWait;
    using Place = std::pair<Timestamp, std::uint64_t>;
    struct Item {
        ProcessId owner = kWorld;
        std::shared_ptr<Waiter> waiter;        // of a task
        std::move_only_function<void()> what;  // of the world
    };

    Place enqueue(ProcessId owner, Timestamp when, std::shared_ptr<Waiter> waiter);
    void complete(Waiter& waiter, boost::system::error_code ec);
    Task<void> wait_for(std::shared_ptr<Waiter> waiter, ProcessId owner,
                        std::chrono::milliseconds duration);

    boost::asio::io_context io_{1};
    Timestamp now_;
    std::uint64_t next_sequence_ = 0;
    std::uint64_t events_ = 0;
    std::map<Place, Item> queue_;
    std::map<ProcessId, Timestamp> frozen_;
};

// The clock of one process: virtual time, and how far this process's clock is off.
class SimClock final : public Clock {
  public:
    SimClock(Scheduler& scheduler, ProcessId process, std::chrono::milliseconds offset)
        : scheduler_(scheduler), process_(process), offset_(offset) {}

    Timestamp now() const override { return scheduler_.now() + offset_; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        return scheduler_.sleep(process_, duration);
    }
    std::unique_ptr<Wait> begin_wait(Executor, std::chrono::milliseconds limit) override {
        return scheduler_.begin_wait(process_, limit);
    }
    void set_offset(std::chrono::milliseconds offset) { offset_ = offset; }

  private:
    Scheduler& scheduler_;
    ProcessId process_;
    std::chrono::milliseconds offset_;
};

}  // namespace sycee::simulation
