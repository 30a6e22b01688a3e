#pragma once

#include "endpoints.hpp"

#include <expected>
#include <string_view>

namespace sycee {

// "webhook endpoint", "webhook delivery": a 404.
std::unexpected<Problem> no_such_webhook(std::string_view what);

Task<std::expected<WebhookEndpoint, Problem>> find_webhook(ApiCall const& call,
                                                           std::string_view id);

}  // namespace sycee
