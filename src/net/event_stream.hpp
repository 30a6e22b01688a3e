#pragma once

#include <sycee/net/http_message.hpp>
#include <sycee/net/http_server.hpp>
#include <sycee/runtime/task_group.hpp>

#include "timed_socket.hpp"

namespace sycee {

// The body of one streamed response, after its head has been sent.
class EventStream final : public HttpStream {
  public:
    EventStream(TimedSocket& socket, HttpServerLimits const& limits, bool chunked)
        : socket_(socket), limits_(limits), chunked_(chunked) {}

    // Returns when the handler has ended, the client has gone or the stream's time is over.
    Task<void> run(HttpResponse const& response);
    void stop();
    // Tells the client that the body is complete, unless it is not.
    Task<void> finish();

    Task<void> send(std::string chunk) override;

  private:
    Task<void> write(std::string text);
    Task<void> run_handler(HttpResponse const& response);
    Task<void> watch_client();

    TimedSocket& socket_;
    HttpServerLimits const& limits_;
    bool chunked_;
    bool whole_ = true;  // no chunk was cut off
    bool failed_ = false;
    TaskGroup* tasks_ = nullptr;
};

}  // namespace sycee
