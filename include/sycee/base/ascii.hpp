#pragma once

#include <string>
#include <string_view>

// Text of protocols: ASCII, without a locale.
namespace sycee {

std::string lower_case(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

// Without the spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

// Removes from `rest` and returns what comes before the next separator, which goes too.
std::string_view take_until(std::string_view& rest, char separator);

}  // namespace sycee
