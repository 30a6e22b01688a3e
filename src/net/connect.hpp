#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/runtime/task.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace sycee {

using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

using AddressFilter = std::function<bool(std::string const& ip)>;

// Tries the addresses of the host one by one, each for its share of the time left, but none that
// `allow_address` refuses; empty, it allows all. Throws Unavailable.
Task<boost::asio::ip::tcp::socket> connect_tcp(Url const& url, std::chrono::milliseconds limit,
                                               AddressFilter allow_address = nullptr);

// TLS 1.2 or newer against the system's certificate authorities; null where the URL is not secure.
std::unique_ptr<boost::asio::ssl::context> make_tls_context(Url const& url);
// Sends the host name, verifies the certificate and that it is for this host.
Task<void> shake_tls_hands(TlsStream& stream, Url const& url);

// What a Host header says.
std::string host_header(Url const& url);

// Throws what kept a call from succeeding: cancellation where this task was cancelled, Unavailable
// with the origin in front for whatever the network did, everything else as it is.
Task<void> throw_as_unavailable(Url const& url, std::exception_ptr error);

}  // namespace sycee
