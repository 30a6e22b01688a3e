#pragma once

#include <sycee/net/http_server.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task_group.hpp>

#include "run_task.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// One end of a connection that sends any bytes and looks at all that come.
class RawPeer {
  public:
    explicit RawPeer(tcp::socket socket) : socket_(std::move(socket)) {}

    static Task<std::unique_ptr<RawPeer>> connect(Executor executor, std::uint16_t port) {
        tcp::socket socket(executor);
        tcp::endpoint const endpoint(asio::ip::address_v4::loopback(), port);
        co_await socket.async_connect(endpoint, asio::use_awaitable);
        co_return std::make_unique<RawPeer>(std::move(socket));
    }

    Task<void> write(std::string text) {
        boost::system::error_code ec;  // a refusing server may close before all is written
        co_await asio::async_write(socket_, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, ec));
    }

    // Up to and with `end`, or all there was where the other end closed before.
    Task<std::string> read_through(std::string end) {
        std::string text;
        boost::system::error_code ec;
        auto const size =
            co_await asio::async_read_until(socket_, asio::dynamic_buffer(received_), end,
                                            asio::redirect_error(asio::use_awaitable, ec));
        text = received_.substr(0, ec ? received_.size() : size);
        received_.erase(0, text.size());
        co_return text;
    }

    Task<std::string> read_all() {
        std::string all = std::move(received_);
        received_.clear();
        std::array<char, 4096> chunk{};
        for (;;) {
            boost::system::error_code ec;
            auto const size = co_await socket_.async_read_some(
                asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, ec));
            if (ec == asio::error::eof) co_return all;
            if (ec) co_return all + "[" + ec.message() + "]";
            all.append(chunk.data(), size);
        }
    }

    // A request or a response that has a content-length.
    Task<std::string> read_message() {
        auto message = co_await read_through("\r\n\r\n");
        constexpr std::string_view kField = "content-length: ";
        auto const at = message.find(kField);
        std::size_t length = 0;
        if (at != std::string::npos) {
            auto const* digits = message.data() + at + kField.size();
            std::from_chars(digits, message.data() + message.size(), length);
        }
        while (received_.size() < length) {
            std::array<char, 4096> chunk{};
            auto const size =
                co_await socket_.async_read_some(asio::buffer(chunk), asio::use_awaitable);
            received_.append(chunk.data(), size);
        }
        message += received_.substr(0, length);
        received_.erase(0, length);
        co_return message;
    }

    tcp::socket& socket() { return socket_; }

  private:
    tcp::socket socket_;
    std::string received_;
};

// Writes one text, then reads until the other end closes.
inline Task<std::string> exchange(Executor executor, std::uint16_t port, std::string text) {
    auto peer = co_await RawPeer::connect(executor, port);
    co_await peer->write(std::move(text));
    co_return co_await peer->read_all();
}

// A server under test on a free port of 127.0.0.1.
class HttpServerTest : public ::testing::Test {
  protected:
    void start(HttpServerLimits limits, HttpHandler handler,
               std::vector<std::string> trusted_proxies = {},
               std::shared_ptr<ServerTls const> tls = nullptr) {
        server = std::make_unique<HttpServer>(io.get_executor(), "127.0.0.1", 0, limits,
                                              std::move(handler), std::move(trusted_proxies), tls);
        tasks.spawn("server", server->run());
    }

    void TearDown() override {
        tasks.cancel();
        run_task(io, tasks.join(1h));
        if (server) run_task(io, server->drain(0ms));
    }

    std::string exchange(std::string text) {
        return run_task(io, sycee::exchange(io.get_executor(), server->port(), std::move(text)));
    }

    std::unique_ptr<RawPeer> connect() {
        return run_task(io, RawPeer::connect(io.get_executor(), server->port()));
    }

    std::string ask(RawPeer& peer, std::string text) {
        run_task(io, peer.write(std::move(text)));
        return run_task(io, peer.read_message());
    }

    // Runs until all tasks wait for something that is not ready.
    void run_ready() {
        io.restart();
        io.poll();
    }

    asio::io_context io{1};
    TaskGroup tasks{io.get_executor(), 100};
    std::unique_ptr<HttpServer> server;
};

}  // namespace sycee
