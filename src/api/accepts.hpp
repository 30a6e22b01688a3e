#pragma once

#include <string_view>

namespace sycee {

// Whether an Accept header names the media type, as text/csv, and does not refuse it.
bool accepts(std::string_view accept, std::string_view media_type);

}  // namespace sycee
