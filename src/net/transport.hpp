#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/runtime/task.hpp>

#include "connect.hpp"

#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

namespace sycee {

// One connection, with or without TLS. What goes wrong is a boost::system::system_error.
class Transport {
  public:
    virtual ~Transport() = default;
    // 0 when the other end has closed in good order.
    virtual Task<std::size_t> read_some(std::span<char> into) = 0;
    virtual Task<void> write(std::string_view text) = 0;
};

// `tls` is null for a URL that is not secure; `allow_address` as for connect_tcp(). Throws
// Unavailable when `limit` runs out.
Task<std::unique_ptr<Transport>> open_transport(Url const& url, boost::asio::ssl::context* tls,
                                                std::chrono::milliseconds limit,
                                                AddressFilter allow_address);

}  // namespace sycee
