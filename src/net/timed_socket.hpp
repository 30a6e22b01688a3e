#pragma once

#include <sycee/net/server_tls.hpp>
#include <sycee/runtime/task.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sycee {

// A connected socket, with TLS or without, that closes itself when its deadline passes. Several
// operations share one deadline, which costs less than a race for each.
class TimedSocket {
  public:
    // `tls` is null for a connection without.
    explicit TimedSocket(boost::asio::ip::tcp::socket socket,
                         std::shared_ptr<ServerTls::Context> tls = nullptr);
    TimedSocket(TimedSocket const&) = delete;
    TimedSocket& operator=(TimedSocket const&) = delete;
    ~TimedSocket();

    void close_after(std::chrono::milliseconds limit);
    void keep_open();

    // Before anything else. False where the client can't be talked with; at once without TLS.
    Task<bool> shake_hands();
    // 0 when the other end has closed or the connection has gone.
    Task<std::size_t> read_some(std::span<char> into);
    // False when the connection has gone.
    Task<bool> write(std::string_view head, std::string_view body = {});
    // Reads and ignores what comes, until the connection has gone or that much came.
    Task<void> ignore_input(std::size_t most_bytes);

    // Ends the operations that are waiting.
    void cancel();
    // Nothing is read or written any more, not even what is there already.
    void close();
    // Tells the other end that nothing more comes. With TLS, it waits for the other end to say so
    // too.
    Task<void> end_output();
    bool is_secured() const;
    // The IP address of the other end.
    std::string peer() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sycee
