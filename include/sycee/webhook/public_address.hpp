#pragma once

#include <string_view>

namespace sycee {

// True for an IP address that the public internet routes to. A shop chooses where its webhooks go:
// it must not reach our own machine or network through them (server-side request forgery).
// Everything special is refused, also IPv6 forms that carry an IPv4 address, and what is no
// address.
bool is_public_address(std::string_view ip);

}  // namespace sycee
