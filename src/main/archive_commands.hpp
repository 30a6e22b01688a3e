#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <string>

namespace sycee {

// The commands about months that are kept elsewhere. As those of commands.hpp. By the role that
// owns the tables.

Task<int> list_months(Config config, bool json);
Task<int> detach_month(Config config, std::string month);
Task<int> attach_month(Config config, std::string month);

}  // namespace sycee
