#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace sycee {

struct WebSocketLimits {
    std::chrono::milliseconds connect_time{5'000};
    std::chrono::milliseconds idle_time{
        60'000};  // answers pings; a silent peer is dropped after this
    std::size_t message_bytes = std::size_t{32} * 1024 * 1024;
};

// One connection for text messages. Every call throws Unavailable once the connection is lost.
class WebSocketClient {
  public:
    WebSocketClient(Executor executor, Url url, WebSocketLimits limits);
    WebSocketClient(WebSocketClient const&) = delete;
    WebSocketClient& operator=(WebSocketClient const&) = delete;
    ~WebSocketClient();

    Task<void> connect();
    Task<void> send(std::string text);
    Task<std::string> receive();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
