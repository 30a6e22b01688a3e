#pragma once

#include <sycee/runtime/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sycee {

// Only a test that hangs ever reaches this.
constexpr std::chrono::seconds kTestPatience{60};

// Runs what is ready on `io`, and waits for more, until `done()` says so.
template <std::predicate Done>
void run_until(boost::asio::io_context& io, Done done) {
    auto const deadline = std::chrono::steady_clock::now() + kTestPatience;
    io.restart();
    while (!done()) {
        if (io.run_one_until(deadline) == 0) throw std::runtime_error("a task does not end");
    }
}

// Runs what is ready on `io`, and what `task` waits for, on the calling thread until the task has
// ended. Other tasks of `io` stay where they are.
inline void run_task(boost::asio::io_context& io, Task<void> task) {
    bool done = false;
    std::exception_ptr error;
    auto const on_end = [&done, &error](std::exception_ptr thrown) {
        done = true;
        error = std::move(thrown);
    };
    boost::asio::co_spawn(io, std::move(task), on_end);
    run_until(io, [&done] { return done; });
    if (error) std::rethrow_exception(error);
}

template <class T>
T run_task(boost::asio::io_context& io, Task<T> task) {
    std::optional<T> result;
    auto const store = [](Task<T> inner, std::optional<T>& into) -> Task<void> {
        into.emplace(co_await std::move(inner));
    };
    run_task(io, store(std::move(task), result));
    return std::move(*result);
}

template <class T>
T run_task(Task<T> task) {
    boost::asio::io_context io{1};
    return run_task(io, std::move(task));
}

}  // namespace sycee
