#pragma once

#include <sycee/net/http_message.hpp>
#include <sycee/net/server_tls.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sycee {

struct HttpServerLimits {
    std::size_t header_bytes = std::size_t{8} * 1024;
    std::size_t body_bytes = std::size_t{64} * 1024;  // beyond: 413
    // Beyond, the one that has kept us waiting for its client longest is closed for the new one:
    // clients that are slow by will must not shut the others out. Where we wait for none of them,
    // the new one is closed.
    std::size_t connections = 4096;
    std::chrono::milliseconds read_time{10'000};     // for a whole request once its first byte came
    std::chrono::milliseconds idle_time{30'000};     // between requests
    std::chrono::milliseconds handler_time{15'000};  // beyond: 503
    std::chrono::milliseconds write_time{10'000};    // for a response, or for one chunk of a stream
    std::chrono::milliseconds stream_time{3'600'000};
};

// Must not throw for bad input; what it throws becomes a 500 (503 for Unavailable) without a
// detail.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest const&)>;

// HTTP/1.1 with keep-alive. Refuses with 400 what Beast 1.81 would let through for request
// smuggling: any Transfer-Encoding but exactly "chunked", one in HTTP/1.0 or beside Content-Length,
// and more than one Host.
class HttpServer {
  public:
    // Binds and listens at once, so that a port in use is seen at start: throws std::runtime_error
    // that names address and port. Port 0 takes a free one. A request's peer is who sent it: behind
    // one of the `trusted_proxies` (parse_ip_address()), the address that the proxy names. With
    // `tls` it speaks HTTPS alone.
    HttpServer(Executor executor, std::string const& address, std::uint16_t port,
               HttpServerLimits limits, HttpHandler handler,
               std::vector<std::string> trusted_proxies = {},
               std::shared_ptr<ServerTls const> tls = nullptr);
    HttpServer(HttpServer const&) = delete;
    HttpServer& operator=(HttpServer const&) = delete;
    ~HttpServer();

    std::uint16_t port() const;
    // Accepts until cancelled.
    Task<void> run();
    // After run() has ended: lets requests in flight finish for `grace`, ends streams, joins.
    Task<void> drain(std::chrono::milliseconds grace);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sycee
