#pragma once

#include <sycee/net/http_message.hpp>

namespace sycee {

// Gives the answer to a GET its ETag (RFC 9110, 8.8.3), made of its body; and where the client has
// just that already (If-None-Match), 304 in its place, without a body. False for what gets none:
// another method, another status, a stream.
bool answer_if_changed(HttpRequest const& request, HttpResponse& response);

}  // namespace sycee
