#include <sycee/net/http_client.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(ParseUrl, reads_scheme_host_port_and_target) {
    struct Row {
        std::string_view text;
        std::string_view scheme;
        std::string_view host;
        std::uint16_t port;
        std::string_view target;
        std::string_view origin;
    };
    std::vector<Row> const rows{
        {"http://127.0.0.1:8545", "http", "127.0.0.1", 8545, "/", "http://127.0.0.1:8545"},
        {"https://Node.Example.COM/v2/KEY", "https", "node.example.com", 443, "/v2/KEY",
         "https://node.example.com"},
        {"HTTPS://a.example:443/?key=1&b=%2F", "https", "a.example", 443, "/?key=1&b=%2F",
         "https://a.example"},
        {"http://a.example?x", "http", "a.example", 80, "/?x", "http://a.example"},
        {"ws://[::1]:8546/", "ws", "::1", 8546, "/", "ws://[::1]:8546"},
        {"wss://a.example/ws", "wss", "a.example", 443, "/ws", "wss://a.example"},
    };
    for (auto const& row : rows) {
        auto const url = parse_url(row.text);
        ASSERT_TRUE(url) << row.text << ": " << to_string(url.error());
        EXPECT_EQ(url->scheme, row.scheme);
        EXPECT_EQ(url->host, row.host);
        EXPECT_EQ(url->port, row.port);
        EXPECT_EQ(url->target, row.target);
        EXPECT_EQ(url->origin(), row.origin);
        EXPECT_EQ(url->secure(), row.scheme == "https" || row.scheme == "wss");
    }
}

TEST(ParseUrl, refuses_what_is_not_a_plain_url_and_never_quotes_it) {
    for (std::string const& text : {std::string(),
                                    std::string("secret"),
                                    std::string("/secret"),
                                    std::string("//host.example/secret"),
                                    std::string("ftp://a.example/secret"),
                                    std::string("http://"),
                                    std::string("http:///secret"),
                                    std::string("http://user:secret@a.example/"),
                                    std::string("http://secret@a.example/"),
                                    std::string("http://a.example/#secret"),
                                    std::string("http://a.example:0/secret"),
                                    std::string("http://a.example:65536/secret"),
                                    std::string("http://a.example:x/secret"),
                                    std::string("http://a.example:8x/secret"),
                                    std::string("http://a.example:/secret"),
                                    std::string("http://[::1]x/secret"),
                                    std::string("http://a:b:c/secret"),
                                    std::string("http://a%2eexample/secret"),
                                    std::string("http://a.example/sec ret"),
                                    std::string("http://a.example/\r\nsecret"),
                                    std::string("http://a.example/é-secret"),
                                    "http://a.example/" + std::string(3000, 'x')}) {
        auto const url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_FALSE(url.error().message.contains("secret")) << url.error().message;
    }
}

}  // namespace
}  // namespace sycee
