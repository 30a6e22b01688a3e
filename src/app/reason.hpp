#pragma once

#include <sycee/base/result.hpp>

#include <string>

namespace sycee {

// The words for a decision: 1 to 500 bytes, more than blanks. Refused with the field "reason".
Result<void> check_reason(std::string const& reason);

}  // namespace sycee
