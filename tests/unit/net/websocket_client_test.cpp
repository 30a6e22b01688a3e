#include <sycee/net/websocket_client.hpp>
#include <sycee/runtime/errors.hpp>

#include "raw_peer.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/system/system_error.hpp>

namespace sycee {
namespace {

namespace beast = boost::beast;
using Peer = beast::websocket::stream<tcp::socket>;

Task<void> echo(tcp::acceptor& acceptor) {
    Peer peer(co_await acceptor.async_accept(asio::use_awaitable));
    co_await peer.async_accept(asio::use_awaitable);
    for (;;) {
        beast::flat_buffer message;
        boost::system::error_code ec;
        co_await peer.async_read(message, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        peer.text(peer.got_text());
        co_await peer.async_write(message.cdata(), asio::use_awaitable);
    }
}

Task<void> read_to_the_end(Peer& peer) {
    boost::system::error_code ec;
    while (!ec) {
        beast::flat_buffer ignored;
        co_await peer.async_read(ignored, asio::redirect_error(asio::use_awaitable, ec));
    }
}

Task<void> send_one(tcp::acceptor& acceptor, std::string message, bool text) {
    Peer peer(co_await acceptor.async_accept(asio::use_awaitable));
    co_await peer.async_accept(asio::use_awaitable);
    peer.text(text);
    co_await peer.async_write(asio::buffer(message), asio::use_awaitable);
    co_await read_to_the_end(peer);
}

// Shakes hands, then neither reads nor answers a ping.
Task<void> shake_hands_only(tcp::acceptor& acceptor, Notifier& end) {
    Peer peer(co_await acceptor.async_accept(asio::use_awaitable));
    co_await peer.async_accept(asio::use_awaitable);
    co_await end.wait_after(0, 1h);
}

Task<void> speak_after_pings(tcp::acceptor& acceptor, int pings) {
    Peer peer(co_await acceptor.async_accept(asio::use_awaitable));
    Notifier pinged(acceptor.get_executor());
    auto const on_control = [&pinged](beast::websocket::frame_type type, beast::string_view) {
        if (type == beast::websocket::frame_type::ping) pinged.notify();
    };
    peer.control_callback(on_control);
    co_await peer.async_accept(asio::use_awaitable);
    TaskGroup reader(acceptor.get_executor(), 1);
    reader.spawn("read", read_to_the_end(peer));
    for (int seen = 0; seen < pings; ++seen) {
        co_await pinged.wait_after(static_cast<std::uint64_t>(seen), 1h);
    }
    std::string const text = "still here";
    co_await peer.async_write(asio::buffer(text), asio::use_awaitable);
    co_await reader.join(1h);
}

Task<void> close_in_good_order(tcp::acceptor& acceptor) {
    Peer peer(co_await acceptor.async_accept(asio::use_awaitable));
    co_await peer.async_accept(asio::use_awaitable);
    co_await peer.async_close(beast::websocket::close_code::normal, asio::use_awaitable);
}

// Also refuses: the answer to a handshake is the text.
Task<void> answer_with(tcp::acceptor& acceptor, std::string text) {
    RawPeer peer(co_await acceptor.async_accept(asio::use_awaitable));
    co_await peer.read_through("\r\n\r\n");
    if (!text.empty()) co_await peer.write(text);
    if (text.empty()) co_await peer.read_all();
}

Task<void> note_receive(WebSocketClient& client, std::string& outcome) {
    try {
        outcome = co_await client.receive();
    } catch (Unavailable const&) {
        outcome = "unavailable";
    } catch (boost::system::system_error const& error) {
        outcome = error.code() == asio::error::operation_aborted ? "cancelled" : "failed";
    }
}

class WebSocketClientTest : public ::testing::Test {
  protected:
    WebSocketClient& client(WebSocketLimits limits = {}) {
        Url url;
        url.scheme = "ws";
        url.host = "127.0.0.1";
        url.port = acceptor.local_endpoint().port();
        url.target = "/secret";
        made = std::make_unique<WebSocketClient>(io.get_executor(), url, limits);
        return *made;
    }

    void serve(Task<void> server) { tasks.spawn("server", std::move(server)); }

    void expect_unavailable(Task<std::string> call) {
        try {
            run_task(io, std::move(call));
            FAIL() << "succeeded";
        } catch (Unavailable const& error) {
            std::string_view const text = error.what();
            EXPECT_TRUE(text.starts_with("ws://127.0.0.1:")) << text;
            EXPECT_FALSE(text.contains("secret")) << text;
        }
    }

    void TearDown() override {
        made.reset();
        tasks.cancel();
        run_task(io, tasks.join(1h));
    }

    asio::io_context io{1};
    TaskGroup tasks{io.get_executor(), 10};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    Notifier end{io.get_executor()};
    std::unique_ptr<WebSocketClient> made;
};

TEST_F(WebSocketClientTest, sends_and_receives) {
    serve(echo(acceptor));
    auto& used = client();
    run_task(io, used.connect());
    for (std::string const& text : {std::string("one"), std::string(100'000, 'x'), std::string()}) {
        run_task(io, used.send(text));
        EXPECT_EQ(run_task(io, used.receive()), text);
    }
}

TEST_F(WebSocketClientTest, sends_of_several_tasks_do_not_mix) {
    serve(echo(acceptor));
    auto& used = client();
    run_task(io, used.connect());
    TaskGroup senders(io.get_executor(), 10);
    for (char const letter : {'a', 'b', 'c'}) {
        senders.spawn("send", used.send(std::string(50'000, letter)));
    }
    run_task(io, senders.join(1h));
    for (char const letter : {'a', 'b', 'c'}) {
        EXPECT_EQ(run_task(io, used.receive()), std::string(50'000, letter));
    }
}

TEST_F(WebSocketClientTest, is_unavailable_until_connected) {
    expect_unavailable(client().receive());
    EXPECT_THROW(run_task(io, made->send("x")), Unavailable);
}

TEST_F(WebSocketClientTest, is_unavailable_once_the_other_end_has_closed_and_can_connect_again) {
    serve(close_in_good_order(acceptor));
    auto& used = client();
    run_task(io, used.connect());
    expect_unavailable(used.receive());
    expect_unavailable(used.receive());
    EXPECT_THROW(run_task(io, used.send("x")), Unavailable);
    serve(echo(acceptor));
    run_task(io, used.connect());
    run_task(io, used.send("x"));
    EXPECT_EQ(run_task(io, used.receive()), "x");
}

TEST_F(WebSocketClientTest, drops_a_peer_that_does_not_even_answer_pings) {
    serve(shake_hands_only(acceptor, end));
    auto& used = client({.idle_time = 20ms});
    run_task(io, used.connect());
    expect_unavailable(used.receive());
}

TEST_F(WebSocketClientTest, pings_keep_a_quiet_connection) {
    serve(speak_after_pings(acceptor, 4));
    auto& used = client({.idle_time = 100ms});
    run_task(io, used.connect());
    EXPECT_EQ(run_task(io, used.receive()), "still here");
}

TEST_F(WebSocketClientTest, refuses_a_message_that_is_too_large) {
    serve(send_one(acceptor, std::string(101, 'x'), true));
    auto& used = client({.message_bytes = 100});
    run_task(io, used.connect());
    expect_unavailable(used.receive());
}

TEST_F(WebSocketClientTest, refuses_a_message_that_is_not_text) {
    serve(send_one(acceptor, "binary", false));
    auto& used = client();
    run_task(io, used.connect());
    expect_unavailable(used.receive());
}

TEST_F(WebSocketClientTest, cannot_connect_to_what_does_not_speak_websocket) {
    for (auto const* text :
         {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n",
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"}) {
        serve(answer_with(acceptor, text));
        EXPECT_THROW(run_task(io, client().connect()), Unavailable) << text;
    }
}

TEST_F(WebSocketClientTest, cannot_connect_to_a_silent_server_or_to_none) {
    serve(answer_with(acceptor, ""));
    EXPECT_THROW(run_task(io, client({.connect_time = 20ms}).connect()), Unavailable);
    auto& used = client();
    acceptor.close();
    EXPECT_THROW(run_task(io, used.connect()), Unavailable);
}

TEST_F(WebSocketClientTest, a_cancelled_receive_says_so) {
    serve(shake_hands_only(acceptor, end));
    auto& used = client();
    run_task(io, used.connect());
    std::string outcome;
    TaskGroup receiver(io.get_executor(), 1);
    receiver.spawn("receive", note_receive(used, outcome));
    io.restart();
    io.poll();
    receiver.cancel();
    run_task(io, receiver.join(1h));
    EXPECT_EQ(outcome, "cancelled");
}

}  // namespace
}  // namespace sycee
