#pragma once

#include "endpoints.hpp"

namespace sycee {

// The feed as server-sent events (text/event-stream), from query.after on: what is there, then what
// comes. Refused where the merchant, or all of them, have as many open as there may be.
Answer stream_events(ApiCall const& call, FeedQuery query);

}  // namespace sycee
