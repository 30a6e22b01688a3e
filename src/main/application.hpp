#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <functional>

namespace sycee {

// Runs a task on an io loop of its own, on this thread, and gives its exit code. Exceptions end up
// as one line on stderr and exit code 1.
int run_task(std::function<Task<int>(Executor)> task);

// `sycee serve`: until SIGTERM or SIGINT, then drains. A second signal ends the program at once.
// Waits for a database or node that is down; refuses to start (exit code 1) where one of them is
// not what the configuration says.
Task<int> serve(Executor executor, Config config, Bytes32 sealing_key);

}  // namespace sycee
