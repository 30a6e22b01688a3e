// Pins HTTPS of our own: what is answered, what is refused, that each answer is ended in good
// order, and that a certificate is replaced without closing a connection.
#include "raw_peer.hpp"
#include "test_certificate.hpp"

#include <boost/asio/ssl/stream.hpp>

#include <array>

namespace sycee {
namespace {

using TlsPeer = asio::ssl::stream<tcp::socket>;

Timestamp now() {
    return SystemClock().now();
}

TlsMaterial material_of(TestCertificate const& certificate) {
    return {certificate.certificate_pem(), Secret(certificate.key_pem())};
}

Task<HttpResponse> greet(HttpRequest const& request) {
    co_return text_response(200, "text/plain", "hello " + request.path);
}

Task<HttpResponse> tick(HttpRequest const&) {
    auto response = text_response(200, "text/event-stream", "");
    response.stream = [](HttpStream& stream) -> Task<void> {
        co_await stream.send("data: 1\n\n");
        co_await stream.send("data: 2\n\n");
    };
    co_return response;
}

class HttpsServer : public HttpServerTest {
  protected:
    void serve(HttpHandler handler = greet, HttpServerLimits limits = {}) {
        start(limits, std::move(handler), {}, tls_);
    }

    std::unique_ptr<TlsPeer> shake(asio::ssl::context& context) {
        auto const open = [](Executor executor, std::uint16_t port,
                             asio::ssl::context& with) -> Task<std::unique_ptr<TlsPeer>> {
            auto peer = std::make_unique<TlsPeer>(executor, with);
            tcp::endpoint const endpoint(asio::ip::address_v4::loopback(), port);
            co_await peer->next_layer().async_connect(endpoint, asio::use_awaitable);
            co_await peer->async_handshake(TlsPeer::client, asio::use_awaitable);
            co_return peer;
        };
        return run_task(io, open(io.get_executor(), server->port(), context));
    }

    // All that comes after a request, with how the connection ended where that was not in good
    // order.
    std::string ask_to_the_end(TlsPeer& peer, std::string const& path) {
        return send_to_the_end(peer,
                               "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    std::string send_to_the_end(TlsPeer& peer, std::string const& request) {
        auto const ask_it = [](TlsPeer& with, std::string text) -> Task<std::string> {
            co_await asio::async_write(with, asio::buffer(text), asio::use_awaitable);
            std::string all;
            std::array<char, 4096> chunk{};
            for (;;) {
                boost::system::error_code ec;
                auto const size = co_await with.async_read_some(
                    asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, ec));
                if (ec == asio::error::eof) co_return all;
                if (ec) co_return all + "[" + ec.message() + "]";
                all.append(chunk.data(), size);
            }
        };
        return run_task(io, ask_it(peer, request));
    }

    static long serial_seen_by(TlsPeer& peer) {
        std::unique_ptr<X509, void (*)(X509*)> const shown(
            SSL_get1_peer_certificate(peer.native_handle()), &X509_free);
        return ASN1_INTEGER_get(X509_get0_serialNumber(shown.get()));
    }

    TestCertificate first_{"DNS:localhost", 1};
    TestCertificate second_{"DNS:localhost", 2};
    std::shared_ptr<ServerTls> tls_ = std::make_shared<ServerTls>(material_of(first_), now());
    asio::ssl::context client_{asio::ssl::context::tls_client};
};

TEST_F(HttpsServer, answers_and_ends_in_good_order) {
    serve();
    auto const peer = shake(client_);
    EXPECT_EQ(ask_to_the_end(*peer, "/a"),
              "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
              "strict-transport-security: max-age=31536000\r\ncontent-length: 8\r\n"
              "connection: close\r\n\r\nhello /a");
}

TEST_F(HttpsServer, sends_streams) {
    serve(tick);
    auto const peer = shake(client_);
    auto const all = ask_to_the_end(*peer, "/");
    EXPECT_NE(all.find("data: 1\n\n"), std::string::npos) << all;
    EXPECT_TRUE(all.ends_with("0\r\n\r\n")) << all;
}

// Closed with bytes unread, the connection would be reset, and the answer lost with it.
TEST_F(HttpsServer, explains_a_refusal_to_a_peer_that_is_still_sending) {
    serve();
    auto const peer = shake(client_);
    std::string const body(200'000, 'x');
    auto const answer = send_to_the_end(*peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                                   std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    EXPECT_TRUE(answer.ends_with("\"status\":413}")) << answer;
}

TEST_F(HttpsServer, answers_nothing_to_plain_http) {
    serve();
    auto const answer = exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answer.find("HTTP/1.1"), std::string::npos) << answer;
}

TEST_F(HttpsServer, refuses_old_protocols) {
    serve();
    asio::ssl::context old(asio::ssl::context::tls_client);
    // Without a security level, so that the client itself would take it.
    SSL_CTX_set_cipher_list(old.native_handle(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
    EXPECT_THROW(shake(old), boost::system::system_error);
    SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_2_VERSION);
    EXPECT_NE(shake(old), nullptr);
}

TEST_F(HttpsServer, speaks_no_protocol_but_its_own) {
    serve();
    static constexpr unsigned char kOnlyHttp2[] = "\x02h2";
    static constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
    SSL_CTX_set_alpn_protos(client_.native_handle(), kOnlyHttp2, sizeof(kOnlyHttp2) - 1);
    EXPECT_THROW(shake(client_), boost::system::system_error);
    SSL_CTX_set_alpn_protos(client_.native_handle(), kBoth, sizeof(kBoth) - 1);
    EXPECT_NE(shake(client_), nullptr);
}

TEST_F(HttpsServer, waits_no_longer_for_a_handshake_than_for_a_request) {
    serve(greet, {.read_time = 50ms});
    auto const peer = connect();
    EXPECT_EQ(run_task(io, peer->read_all()), "");
}

TEST_F(HttpsServer, shows_a_new_certificate_to_new_connections) {
    serve();
    auto const before = shake(client_);
    EXPECT_EQ(serial_seen_by(*before), 1);
    tls_->use(material_of(second_), now());
    auto const after = shake(client_);
    EXPECT_EQ(serial_seen_by(*after), 2);
    EXPECT_TRUE(ask_to_the_end(*before, "/old").ends_with("hello /old"));
    EXPECT_TRUE(ask_to_the_end(*after, "/new").ends_with("hello /new"));
}

TEST_F(HttpsServer, keeps_its_certificate_where_the_new_one_is_not_right) {
    TestCertificate const expired("DNS:localhost", 3, -1);
    auto other_key = material_of(second_);
    other_key.key = Secret(first_.key_pem());
    for (auto const& [material, why] :
         {std::pair(TlsMaterial{"", Secret(first_.key_pem())}, "certificate can't be read"),
          std::pair(TlsMaterial{first_.certificate_pem(), Secret("")}, "key can't be read"),
          std::pair(TlsMaterial{first_.certificate_pem(), Secret(first_.key_pem("passphrase"))},
                    "key can't be read"),
          std::pair(other_key, "key"), std::pair(material_of(expired), "has expired on")}) {
        try {
            tls_->use(material, now());
            ADD_FAILURE() << why;
        } catch (std::runtime_error const& error) {
            EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
        }
    }
    serve();
    EXPECT_EQ(serial_seen_by(*shake(client_)), 1);
    EXPECT_GT(tls_->expires_at(), now());
}

}  // namespace
}  // namespace sycee
