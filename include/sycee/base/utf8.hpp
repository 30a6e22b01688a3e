#pragma once

#include <string_view>

namespace sycee {

// What a form or a query may hold that the database could not: anything else than UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace sycee
