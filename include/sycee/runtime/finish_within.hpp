#pragma once

#include <sycee/runtime/task.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace sycee {

// Awaits `operation` for at most `limit`. False when the limit ran out first: the operation has
// then been cancelled and has ended. Its own error is thrown at once, never after the limit.
Task<bool> finish_within(std::chrono::milliseconds limit, Task<void> operation);

// As above for an operation with a result; nothing when the limit ran out.
template <class T>
Task<std::optional<T>> result_within(std::chrono::milliseconds limit, Task<T> operation) {
    std::optional<T> result;
    auto const store = [](Task<T> inner, std::optional<T>& into) -> Task<void> {
        into.emplace(co_await std::move(inner));
    };
    bool const finished = co_await finish_within(limit, store(std::move(operation), result));
    if (!finished) result.reset();
    co_return result;
}

}  // namespace sycee
