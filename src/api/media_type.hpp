#pragma once

#include <string_view>

namespace sycee {

// application/json, with charset=utf-8 at most: JSON has no other (RFC 8259).
bool is_json_content_type(std::string_view value);

}  // namespace sycee
