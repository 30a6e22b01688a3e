#pragma once

#include <sycee/base/result.hpp>
#include <sycee/net/http_message.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// An IP address in its one plain form: "::FFFF:127.0.0.1" is "127.0.0.1".
Result<std::string> parse_ip_address(std::string_view text);

// Who sent a request that came from `peer`. What X-Forwarded-For says is believed only as far as
// trusted proxies wrote it: the right-most address in it that is not one of them. Without such a
// proxy it is the peer, whatever the request claims.
std::string client_address(std::string const& peer, HttpHeaders const& headers,
                           std::vector<std::string> const& trusted_proxies);

}  // namespace sycee
