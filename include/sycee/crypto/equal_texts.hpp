#pragma once

#include <string_view>

namespace sycee {

// For what was signed: the time that it takes says nothing of where, or whether, the texts differ.
bool equal_texts(std::string_view one, std::string_view other);

}  // namespace sycee
