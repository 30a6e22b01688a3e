#pragma once

#include "endpoints.hpp"

namespace sycee {

// The caller's refund of that id, or the problem to answer with.
Task<std::expected<RefundDetail, Problem>> find_refund(ApiCall const& call, std::string_view id);

// The refund as it stands after what was done with it.
Task<Answer> answer_with_refund(ApiCall const& call, std::string_view id, unsigned status);

// What was well said may still not be possible as things stand.
Problem refused_by_refunds(Error const& error);

}  // namespace sycee
