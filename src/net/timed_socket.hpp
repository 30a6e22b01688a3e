#pragma once

#include <sycee/runtime/task.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sycee {

// A connected socket that closes itself when its deadline passes. Several operations share one
// deadline, which costs less than a race for each.
class TimedSocket {
  public:
    explicit TimedSocket(boost::asio::ip::tcp::socket socket);
    TimedSocket(TimedSocket const&) = delete;
    TimedSocket& operator=(TimedSocket const&) = delete;
    ~TimedSocket();

    void close_after(std::chrono::milliseconds limit);
    void keep_open();

    // 0 when the other end has closed or the connection has gone.
    Task<std::size_t> read_some(std::span<char> into);
    // False when the connection has gone.
    Task<bool> write(std::string_view head, std::string_view body = {});
    // Reads and ignores what comes, until the connection has gone or that much came.
    Task<void> ignore_input(std::size_t most_bytes);

    // Ends the operations that are waiting.
    void cancel();
    void end_output();
    // The IP address of the other end.
    std::string peer() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sycee
