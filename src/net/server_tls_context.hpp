#pragma once

#include <sycee/net/server_tls.hpp>

#include <boost/asio/ssl/context.hpp>

namespace sycee {

struct ServerTls::Context {
    boost::asio::ssl::context ssl{boost::asio::ssl::context::tls_server};
    Timestamp expires_at{};
};

}  // namespace sycee
