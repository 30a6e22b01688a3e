#include <sycee/net/http_server.hpp>

#include "raw_peer.hpp"

namespace sycee {
namespace {

int answered = 0;

Task<HttpResponse> count(HttpRequest const& /*request*/) {
    ++answered;
    co_return text_response(200, "text/plain", "ok");
}

class HttpSmuggling : public HttpServerTest {
  protected:
    void SetUp() override {
        answered = 0;
        start({}, count);
    }

    // One 400, a closed connection, and nothing of what came behind is taken for a request.
    void expect_refused(std::string const& text) {
        auto const response = exchange(text);
        EXPECT_TRUE(response.starts_with("HTTP/1.1 400 Bad Request\r\n")) << text << "\n"
                                                                          << response;
        EXPECT_TRUE(response.contains("connection: close\r\n")) << response;
        EXPECT_TRUE(response.ends_with("\"status\":400}")) << text << "\n" << response;
        EXPECT_EQ(answered, 0) << text;
    }
};

TEST_F(HttpSmuggling, refuses_every_request_that_two_servers_could_read_differently) {
    std::string const behind = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    std::string const start = "POST / HTTP/1.1\r\nHost: a\r\n";
    std::string const five_bytes = "0\r\n\r\n";
    for (std::string const& head : {
             start + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
             start + "Transfer-Encoding: gzip\r\n\r\n",
             start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
             start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
             start + "Transfer-Encoding: gzip, chunked\r\n\r\n",
             start + "Transfer-Encoding: chunked, identity\r\n\r\n",
             start + "Transfer-Encoding: chunked, chunked\r\n\r\n",
             start + "Transfer-Encoding: chunked;a=b\r\n\r\n",
             start + "Transfer-Encoding: \"chunked\"\r\n\r\n",
             start + "Transfer-Encoding: xchunked\r\n\r\n",
             start + "Transfer-Encoding: \r\n\r\n",
             start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
             start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
             start + "Transfer-Encoding:\x0b"
                     "chunked\r\n\r\n",
             start + "Transfer-Encoding : chunked\r\n\r\n",
             start + "Transfer-Encoding\t: chunked\r\n\r\n",
             start + "Content-Length : 5\r\n\r\n",
             start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
             start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
             start + "Content-Length: 5, 5\r\n\r\n",
             start + "Content-Length: +5\r\n\r\n",
             start + "Content-Length: -5\r\n\r\n",
             start + "Content-Length: 0x5\r\n\r\n",
             start + "Content-Length: 5 5\r\n\r\n",
             start + "Content-Length: \r\n\r\n",
             start + "X: a\r\n Content-Length: 5\r\n\r\n",
             start + "X: a\r\n\tfolded\r\n\r\n",
             start + "X: a\nContent-Length: 5\r\n\r\n",
             start + "X: a\rContent-Length: 5\r\n\r\n",
             start + "X: a\r\r\n\r\n",
             start + "X: a\r\n\n",
             start + std::string("X: a\0b\r\n\r\n", 10),
             start + "Host: b\r\n\r\n",
             start + ": no name\r\n\r\n",
             start + "no colon\r\n\r\n",
             std::string("POST / HTTP/1.1\r\n\r\n"),
             std::string("POST / HTTP/1.1\n\n"),
             std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
             std::string("POST / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
             std::string("POST / HTTP/2.0\r\nHost: a\r\n\r\n"),
             std::string("POST / HTTP/1.2\r\nHost: a\r\n\r\n"),
             std::string("POST  / HTTP/1.1\r\nHost: a\r\n\r\n"),
             std::string("POST /\r\nHost: a\r\n\r\n"),
             std::string("\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n"),
             std::string(" POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
             std::string("POST / HTTP/1.1\r\n Host: a\r\n\r\n"),
             std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
             std::string("\x16\x03\x01\n"),
         }) {
        expect_refused(head + five_bytes + behind);
    }
}

TEST_F(HttpSmuggling, refuses_chunks_that_two_servers_could_read_differently) {
    std::string const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string const behind = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (auto const* body : {
             "1\nx\n0\n\n",                          //
             "1\r\nx0\r\n\r\n",                      //
             "1;a=b\r\nx\r\n0\r\n\r\n",              //
             "1;\nx\r\n0\r\n\r\n",                   //
             "0;a\r\n\r\n",                          //
             "0x1\r\nx\r\n0\r\n\r\n",                //
             "-1\r\nx\r\n0\r\n\r\n",                 //
             "11111111111111111\r\nx\r\n0\r\n\r\n",  //
             "0\r\nX-Trailer: 1\r\n\r\n",            //
             "0\r\nContent-Length: 5\r\n\r\n",       //
             "0\r\nX: a\n\r\n\r\n",                  //
         }) {
        expect_refused(head + body + behind);
    }
}

TEST_F(HttpSmuggling, refuses_an_endless_head_of_a_chunk) {
    std::string const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect_refused(head + "1;" + std::string(100'000, 'x'));
}

TEST_F(HttpSmuggling, refuses_every_path_that_is_not_plain) {
    for (auto const* target : {
             "*",       "a",      "http://a/b", "a:443",  "/a/../b", "/..",    "/a/%2e%2e/b",
             "/%2E%2e", "/.%2e/", "/a\\b",      "/a%5cb", "/a%00b",  "/a%0ab", "/a%7f",
             "/%",      "/%4",    "/%4g",       "/%g4",   "/a%2fb",  "/a%2Fb", "//a",
             "/a//b",   "/a//",   "/./a",       "/a/.",   "/a#b",
         }) {
        expect_refused("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }
}

TEST_F(HttpSmuggling, a_refused_client_that_sends_on_still_sees_why) {
    auto const response = exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" +
                                   std::string(200'000, 'x'));
    EXPECT_TRUE(response.starts_with("HTTP/1.1 413 ")) << response;
    EXPECT_TRUE(response.ends_with("\"status\":413}")) << response;
}

}  // namespace
}  // namespace sycee
