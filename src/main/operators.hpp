#pragma once

#include <sycee/base/result.hpp>
#include <sycee/runtime/task.hpp>
#include <sycee/store/pg_access.hpp>

#include <filesystem>
#include <string>

namespace sycee {

// Who orders something on the command line: the operator's id, where the first line of that file is
// its password. Where two are needed, each has a password of its own: neither can order it alone.
Task<Result<std::string>> authenticate(PgAccess& access, std::string name,
                                       std::filesystem::path password_file);

}  // namespace sycee
