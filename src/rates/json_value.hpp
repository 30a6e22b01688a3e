#pragma once

#include <sycee/base/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// The steps of a JSON pointer (RFC 6901), unescaped. Refused: one that does not begin with "/".
Result<std::vector<std::string>> parse_json_pointer(std::string_view text);

// The numbers or texts at these places of a JSON document, as they are written there: a number is
// never made into a floating-point one. Refused: what is no JSON, nesting beyond 32, a place that
// is not there, stands there twice, or holds something else.
Result<std::vector<std::string>> read_json_values(
    std::string_view document, std::vector<std::vector<std::string>> const& places);

}  // namespace sycee
