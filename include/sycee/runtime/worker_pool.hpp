#pragma once

#include <sycee/runtime/task.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace sycee {

// A few threads for work that blocks: database calls, password hashes. The coroutine that waits
// resumes on its own executor.
class WorkerPool {
  public:
    WorkerPool(std::size_t threads, std::size_t most_waiting);
    WorkerPool(WorkerPool const&) = delete;
    WorkerPool& operator=(WorkerPool const&) = delete;
    ~WorkerPool();  // finishes what was begun, then joins

    // Runs `work` on a thread of the pool; rethrows what it throws. Throws Overloaded when
    // `most_waiting` jobs are waiting already. Not cancellable: a job that has been taken runs to
    // its end, since it refers to the frame that waits for it.
    Task<void> run(std::function<void()> work);

    template <class Work>
    Task<std::invoke_result_t<Work&>> call(Work work) {
        using Value = std::invoke_result_t<Work&>;
        if constexpr (std::is_void_v<Value>) {
            std::function<void()> job = [&work] { work(); };
            co_await run(std::move(job));
        } else {
            std::optional<Value> value;
            std::function<void()> job = [&work, &value] { value.emplace(work()); };
            co_await run(std::move(job));
            co_return std::move(*value);
        }
    }

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
