#pragma once

#include <sycee/net/http_message.hpp>

#include <string>
#include <string_view>

namespace sycee {

// The ETag of a representation (RFC 9110, 8.8.3), made of its bytes; in quotes.
std::string entity_tag(std::string_view body);

// Whether the request may be done where what it changes has that tag: it has no If-Match, or one
// that names it. Compared strongly: a weak tag names nothing.
bool allows_change(HttpRequest const& request, std::string_view tag);

// Gives the answer to a GET its ETag (RFC 9110, 8.8.3), made of its body; and where the client has
// just that already (If-None-Match), 304 in its place, without a body. False for what gets none:
// another method, another status, a stream.
bool answer_if_changed(HttpRequest const& request, HttpResponse& response);

}  // namespace sycee
