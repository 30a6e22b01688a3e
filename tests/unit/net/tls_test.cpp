#include <sycee/net/http_client.hpp>
#include <sycee/net/websocket_client.hpp>
#include <sycee/runtime/errors.hpp>

#include "raw_peer.hpp"
#include "test_certificate.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <filesystem>
#include <unistd.h>

namespace sycee {
namespace {

namespace beast = boost::beast;
using TlsPeer = asio::ssl::stream<tcp::socket>;

// Answers one POST, and notes the name that the client asked for.
Task<void> answer_once(tcp::acceptor& acceptor, asio::ssl::context& context, std::string& name) {
    TlsPeer peer(co_await acceptor.async_accept(asio::use_awaitable), context);
    boost::system::error_code ec;
    co_await peer.async_handshake(TlsPeer::server, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    auto const* asked = SSL_get_servername(peer.native_handle(), TLSEXT_NAMETYPE_host_name);
    name = asked == nullptr ? "none" : asked;
    std::string received;
    co_await asio::async_read_until(peer, asio::dynamic_buffer(received), "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, ec));
    std::string const text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    co_await asio::async_write(peer, asio::buffer(text),
                               asio::redirect_error(asio::use_awaitable, ec));
}

Task<void> echo_once(tcp::acceptor& acceptor, asio::ssl::context& context) {
    beast::websocket::stream<TlsPeer> peer(co_await acceptor.async_accept(asio::use_awaitable),
                                           context);
    co_await peer.next_layer().async_handshake(TlsPeer::server, asio::use_awaitable);
    co_await peer.async_accept(asio::use_awaitable);
    beast::flat_buffer message;
    co_await peer.async_read(message, asio::use_awaitable);
    co_await peer.async_write(message.cdata(), asio::use_awaitable);
}

class TlsTest : public ::testing::Test {
  protected:
    static std::string path() {
        auto const name = "sycee-test-" + std::to_string(::getpid()) + ".pem";
        return (std::filesystem::temp_directory_path() / name).string();
    }

    Url url(std::string scheme, std::string host) const {
        Url result;
        result.scheme = std::move(scheme);
        result.host = std::move(host);
        result.port = acceptor.local_endpoint().port();
        result.target = "/";
        return result;
    }

    // What the client makes of a server with that certificate.
    std::string post(TestCertificate const& certificate, bool trusted, std::string host) {
        auto context = certificate.server_context();
        TestCertificate const other("DNS:other");
        (trusted ? certificate : other).write_to(path());
        TrustedFile const file(path());
        TaskGroup tasks(io.get_executor(), 1);
        tasks.spawn("server", answer_once(acceptor, context, asked));
        HttpClient client(io.get_executor(), url("https", std::move(host)), {});
        std::string outcome;
        try {
            outcome = run_task(io, client.post({}, "")).body;
        } catch (Unavailable const& error) {
            outcome = error.what();
        }
        run_task(io, tasks.join(1h));
        return outcome;
    }

    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    std::string asked;
};

TEST_F(TlsTest, a_trusted_certificate_for_the_host_is_accepted) {
    EXPECT_EQ(post(TestCertificate("DNS:localhost"), true, "localhost"), "ok");
    EXPECT_EQ(asked, "localhost");
    EXPECT_EQ(post(TestCertificate("IP:127.0.0.1"), true, "127.0.0.1"), "ok");
    EXPECT_EQ(asked, "none") << "an address is not a server name";
}

TEST_F(TlsTest, any_other_certificate_is_refused) {
    for (auto const& outcome : {
             post(TestCertificate("DNS:localhost"), false, "localhost"),
             post(TestCertificate("DNS:example.com"), true, "localhost"),
             post(TestCertificate("DNS:localhost"), true, "127.0.0.1"),
         }) {
        EXPECT_TRUE(outcome.contains("certificate verify failed")) << outcome;
    }
}

TEST_F(TlsTest, websocket_messages_go_through_tls) {
    TestCertificate const certificate("DNS:localhost");
    auto context = certificate.server_context();
    certificate.write_to(path());
    TrustedFile const file(path());
    TaskGroup tasks(io.get_executor(), 1);
    tasks.spawn("server", echo_once(acceptor, context));
    WebSocketClient client(io.get_executor(), url("wss", "localhost"), {});
    run_task(io, client.connect());
    run_task(io, client.send("hello"));
    EXPECT_EQ(run_task(io, client.receive()), "hello");
    run_task(io, tasks.join(1h));
}

}  // namespace
}  // namespace sycee
