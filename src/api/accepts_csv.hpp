#pragma once

#include <string_view>

namespace sycee {

// Whether an Accept header names text/csv and does not refuse it.
bool accepts_csv(std::string_view accept);

}  // namespace sycee
