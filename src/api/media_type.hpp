#pragma once

#include <string_view>

namespace sycee {

// ASCII letters only, as HTTP's tokens are.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// application/json, with charset=utf-8 at most: JSON has no other (RFC 8259).
bool is_json_content_type(std::string_view value);

}  // namespace sycee
