#pragma once

#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace sycee {

// Owns running tasks: whatever is spawned is joined. All on the io thread.
class TaskGroup {
  public:
    TaskGroup(Executor executor, std::size_t most_tasks);
    TaskGroup(TaskGroup const&) = delete;
    TaskGroup& operator=(TaskGroup const&) = delete;
    ~TaskGroup();  // join() before, or the tasks outlive what they refer to

    // False when the group is full or stopping: the task is then dropped unstarted. A task that
    // ends by an exception other than cancellation is logged under `name`. `on_end`, if given, is
    // called after a task that ended, by returning or by any exception, without having been
    // cancelled here. It must not throw.
    bool spawn(std::string name, Task<void> task, std::function<void()> on_end = {});
    std::size_t size() const;

    // Asks each task to end at its next await.
    void cancel();
    // Returns when no task is left. Tasks still running after `grace` are cancelled. No task can be
    // spawned from then on. A task that is cancelled already can't await it (Asio throws first).
    Task<void> join(std::chrono::milliseconds grace);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sycee
