#include <sycee/runtime/log.hpp>
#include <sycee/runtime/task_group.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <list>
#include <vector>

namespace sycee {
namespace {
namespace asio = boost::asio;

// How long join() waits for cancelled tasks before it says which ones do not end.
constexpr std::chrono::seconds kPatience{5};

struct Running {
    explicit Running(std::string n) : name(std::move(n)) {}

    std::string name;
    asio::cancellation_signal signal;
    bool cancelled = false;
};

void log_failure(std::string const& name, std::exception_ptr const& error) {
    try {
        std::rethrow_exception(error);
    } catch (boost::system::system_error const& failure) {
        if (failure.code() == asio::error::operation_aborted) return;
        log_error("tasks", "a task failed", {{"task", name}, {"error", failure.what()}});
    } catch (std::exception const& failure) {
        log_error("tasks", "a task failed", {{"task", name}, {"error", failure.what()}});
    } catch (...) {
        log_error("tasks", "a task failed",
                  {{"task", name}, {"error", "not an exception of ours"}});
    }
}

// spawn() returns before the task begins. Asio also loses the end of a task that is cancelled
// before it was suspended for the first time (co_spawn then throws past its completion handler).
Task<void> begin_later(Task<void> task) {
    co_await asio::post(asio::use_awaitable);
    co_await std::move(task);
}

}  // namespace

struct TaskGroup::State {
    State(Executor e, std::size_t most) : executor(std::move(e)), most_tasks(most) {}

    void cancel() {
        // A copy holds each signal while it is emitted, whatever the task does in answer.
        std::vector<std::shared_ptr<Running>> const now(running.begin(), running.end());
        for (auto const& task : now) {
            task->cancelled = true;
            task->signal.emit(asio::cancellation_type::terminal);
        }
    }

    Executor executor;
    std::size_t most_tasks;
    bool stopping = false;
    std::list<std::shared_ptr<Running>> running;
    asio::steady_timer* joiner = nullptr;
};

TaskGroup::TaskGroup(Executor executor, std::size_t most_tasks)
    : state_(std::make_shared<State>(std::move(executor), most_tasks)) {}

TaskGroup::~TaskGroup() = default;

bool TaskGroup::spawn(std::string name, Task<void> task, std::function<void()> on_end) {
    if (state_->stopping || state_->running.size() >= state_->most_tasks) return false;
    auto const running = std::make_shared<Running>(std::move(name));
    auto const place = state_->running.insert(state_->running.end(), running);
    auto finish = [state = state_, place,
                   told = std::move(on_end)](std::exception_ptr const& error) {
        auto const ended = std::move(*place);
        state->running.erase(place);
        if (error) log_failure(ended->name, error);
        if (told && !ended->cancelled) told();
        if (state->running.empty() && state->joiner != nullptr) state->joiner->cancel();
    };
    asio::co_spawn(state_->executor, begin_later(std::move(task)),
                   asio::bind_cancellation_slot(running->signal.slot(), std::move(finish)));
    return true;
}

std::size_t TaskGroup::size() const {
    return state_->running.size();
}

void TaskGroup::cancel() {
    state_->cancel();
}

Task<void> TaskGroup::join(std::chrono::milliseconds grace) {
    auto const state = state_;
    state->stopping = true;
    // Whoever joins still waits for every task when it is itself cancelled: that only ends the
    // grace.
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer timer(state->executor, grace);
    state->joiner = &timer;
    for (bool first = true; !state->running.empty(); first = false) {
        boost::system::error_code ec;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (state->running.empty()) break;
        if (!first && !ec) {
            for (auto const& task : state->running) {
                log_warning("tasks", "a cancelled task does not end", {{"task", task->name}});
            }
        }
        state->cancel();
        timer.expires_after(kPatience);
    }
    state->joiner = nullptr;
    co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace sycee
