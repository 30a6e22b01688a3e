#pragma once

#include <sycee/base/result.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sycee {

// The limits of a payment's words, at its creation and at each change: at most 500 bytes; at most
// 50 entries, with keys of 1 to 40 bytes and values of up to 500. No control characters.
Result<void> check_description(std::string const& description);
Result<void> check_metadata(std::vector<std::pair<std::string, std::string>> const& metadata);

}  // namespace sycee
