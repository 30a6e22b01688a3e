#pragma once

#include <sycee/base/result.hpp>
#include <sycee/base/secret.hpp>

#include <filesystem>

namespace sycee {

// The first line of a file: a secret never stands in the arguments, where every user of the machine
// sees it.
Result<Secret> read_secret(std::filesystem::path const& file);

}  // namespace sycee
