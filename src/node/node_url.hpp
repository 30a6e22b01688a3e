#pragma once

#include <sycee/net/http_client.hpp>

#include <string>
#include <string_view>

namespace sycee {

// The URL of a node, with this scheme or its secure form ("ws", "wss"). Throws std::runtime_error,
// without the URL, where it is another one or none; `field` is its key in the configuration.
Url parse_node_url(std::string const& chain, char const* field, std::string const& text,
                   std::string_view scheme);

}  // namespace sycee
