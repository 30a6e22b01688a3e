#pragma once

#include "endpoints.hpp"

namespace sycee {

// The caller's exception of that id, or the problem to answer with.
Task<std::expected<DeskException, Problem>> find_exception(ApiCall const& call,
                                                           std::string_view id);

}  // namespace sycee
