#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// The byte that two hex digits after a percent sign stand for; nothing where there are not two.
std::optional<char> percent_escape(std::string_view two_digits);

// Nothing where an escape is not valid.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace sycee
