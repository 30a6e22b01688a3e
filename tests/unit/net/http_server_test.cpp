#include <sycee/net/http_server.hpp>
#include <sycee/runtime/errors.hpp>

#include "raw_peer.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sycee {
namespace {

Task<HttpResponse> describe(HttpRequest const& request) {
    if (request.path == "/boom") throw std::runtime_error("secret detail");
    if (request.path == "/strange") throw 7;
    if (request.path == "/down") throw Unavailable("secret detail");
    if (request.path == "/forge") co_return text_response(200, "text/plain\r\nx: y", "");
    if (request.path == "/status") co_return text_response(1000, "text/plain", "");
    if (request.path == "/empty")
        co_return HttpResponse{.status = 204, .headers = {}, .body = "", .stream = {}};
    if (request.path == "/slow") {
        SystemClock clock;
        co_await clock.sleep_for(1h);
    }
    co_return text_response(200, "text/plain",
                            request.method + " " + request.path + " ?" + request.query + " " +
                                request.body + " " + request.peer);
}

constexpr std::string_view kGetAndClose = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

class HttpServerAnswers : public HttpServerTest {
  protected:
    void SetUp() override { start({}, describe); }

    std::string get(std::string const& target) {
        return exchange("GET " + target + std::string(kGetAndClose));
    }
};

std::string body_of(std::string const& response) {
    auto const end = response.find("\r\n\r\n");
    return end == std::string::npos ? "" : response.substr(end + 4);
}

TEST_F(HttpServerAnswers, hands_the_request_over) {
    EXPECT_EQ(exchange("POST /a%20b?c=%20d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                       "Connection: close\r\n\r\nxyz"),
              "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 31\r\n"
              "connection: close\r\n\r\nPOST /a b ?c=%20d xyz 127.0.0.1");
}

TEST_F(HttpServerTest, the_peer_is_whom_a_trusted_proxy_names) {
    start({}, describe, {"127.0.0.1"});
    EXPECT_EQ(body_of(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                               "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n\r\n")),
              "GET / ?  192.0.2.1");
}

TEST_F(HttpServerAnswers, believes_nobody_who_is_not_a_trusted_proxy) {
    EXPECT_EQ(body_of(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                               "X-Forwarded-For: 192.0.2.1\r\n\r\n")),
              "GET / ?  127.0.0.1");
}

TEST_F(HttpServerAnswers, puts_the_chunks_of_a_body_together) {
    auto const response = exchange(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(body_of(response), "POST / ? abcde 127.0.0.1");
}

TEST_F(HttpServerAnswers, several_requests_on_one_connection) {
    auto const peer = connect();
    for (auto const* target : {"/1", "/2", "/3"}) {
        auto const response =
            ask(*peer, "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
        EXPECT_TRUE(response.contains("GET " + std::string(target) + " ?")) << response;
        EXPECT_FALSE(response.contains("connection:")) << response;
    }
}

TEST_F(HttpServerAnswers, pipelined_requests_in_their_order) {
    auto const response = exchange(
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"
        "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    auto const first = response.find("POST /1 ? xy");
    auto const second = response.find("POST /2 ? z");
    auto const third = response.find("GET /3 ?");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos) << response;
    EXPECT_FALSE(response.contains("never")) << response;
}

TEST_F(HttpServerAnswers, a_request_that_comes_byte_by_byte) {
    auto const peer = connect();
    for (char const c :
         std::string_view("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\ny")) {
        run_task(io, peer->write(std::string(1, c)));
        run_ready();
    }
    EXPECT_TRUE(ask(*peer, "z").ends_with("POST /x ? yz 127.0.0.1"));
}

TEST_F(HttpServerAnswers, old_clients_and_closes_unless_they_ask) {
    auto const closed = exchange("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(closed.contains("connection: close\r\n")) << closed;
    auto const peer = connect();
    auto const kept = ask(*peer, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(kept.contains("connection: keep-alive\r\n")) << kept;
    EXPECT_TRUE(ask(*peer, "GET / HTTP/1.0\r\n\r\n").contains("200 OK"));
}

TEST_F(HttpServerAnswers, head_like_get_without_the_body) {
    auto const response = exchange("HEAD /x" + std::string(kGetAndClose));
    EXPECT_TRUE(response.contains("content-length: 19\r\n")) << response;
    EXPECT_TRUE(response.ends_with("\r\n\r\n")) << response;
    EXPECT_EQ(body_of(get("/x")), "GET /x ?  127.0.0.1");
}

TEST_F(HttpServerAnswers, no_content_without_a_length) {
    EXPECT_EQ(get("/empty"), "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
}

TEST_F(HttpServerAnswers, a_client_that_waits_to_be_told_to_go_on) {
    auto const peer = connect();
    auto const go_on = ask(*peer,
                           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                           "Expect: 100-continue\r\n\r\n");
    EXPECT_EQ(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_TRUE(ask(*peer, "ok").ends_with("POST / ? ok 127.0.0.1"));
    EXPECT_TRUE(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n")
                    .starts_with("HTTP/1.1 417 "));
}

TEST_F(HttpServerAnswers, what_a_handler_throws_without_a_detail) {
    ::testing::internal::CaptureStderr();
    auto const boom = get("/boom");
    auto const strange = get("/strange");
    auto const down = get("/down");
    auto const logged = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(boom,
              "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/problem+json\r\n"
              "content-length: 67\r\nconnection: close\r\n\r\n"
              R"({"type":"about:blank","title":"Internal Server Error","status":500})");
    EXPECT_TRUE(strange.starts_with("HTTP/1.1 500 ")) << strange;
    EXPECT_TRUE(down.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << down;
    EXPECT_TRUE(down.contains("retry-after: 1\r\n")) << down;
    EXPECT_FALSE(down.contains("secret")) << down;
    EXPECT_TRUE(logged.contains("path=/boom error=\"secret detail\"")) << logged;
    EXPECT_TRUE(logged.contains("path=/down")) << logged;
}

TEST_F(HttpServerAnswers, a_response_that_is_not_valid_with_500) {
    ::testing::internal::CaptureStderr();
    auto const forged = get("/forge");
    auto const status = get("/status");
    ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(forged.starts_with("HTTP/1.1 500 ")) << forged;
    EXPECT_FALSE(forged.contains("x: y")) << forged;
    EXPECT_TRUE(status.starts_with("HTTP/1.1 500 ")) << status;
}

TEST_F(HttpServerTest, has_a_limit_for_everything_a_client_sends) {
    start({.header_bytes = 256, .body_bytes = 10}, describe);
    EXPECT_TRUE(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n"
                         "\r\n0123456789")
                    .starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890")
                    .starts_with("HTTP/1.1 413 Content Too Large\r\n"));
    EXPECT_TRUE(
        exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n")
            .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 413 "));
    EXPECT_TRUE(exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'x') + "\r\n\r\n")
                    .starts_with("HTTP/1.1 431 "));
    EXPECT_TRUE(exchange("GET /" + std::string(100'000, 'x')).starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, drops_a_client_that_sends_its_request_too_slowly) {
    start({.read_time = 5ms}, describe);
    EXPECT_EQ(exchange("GET / HTTP/1.1\r\nHo"), "");
    EXPECT_EQ(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"), "");
}

TEST_F(HttpServerTest, drops_an_idle_connection) {
    start({.idle_time = 5ms}, describe);
    EXPECT_EQ(exchange(""), "");
}

TEST_F(HttpServerTest, answers_503_for_a_handler_that_takes_too_long) {
    start({.handler_time = 1ms}, describe);
    ::testing::internal::CaptureStderr();
    auto const response = exchange("GET /slow" + std::string(kGetAndClose));
    ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
}

TEST_F(HttpServerTest, closes_the_one_that_keeps_it_waiting_longest_for_one_beyond_its_limit) {
    start({.connections = 2}, describe);
    auto const slow = connect();
    run_task(io, slow->write("GET / HTTP/1.1\r\nHo"));
    auto const idle = connect();
    std::string const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_TRUE(ask(*idle, request).contains("200 OK"));
    auto const third = connect();
    EXPECT_TRUE(ask(*third, request).contains("200 OK"));
    EXPECT_EQ(run_task(io, slow->read_all()), "");
    auto const fourth = connect();
    EXPECT_TRUE(ask(*fourth, request).contains("200 OK"));
    EXPECT_EQ(run_task(io, idle->read_all()), "");
    EXPECT_TRUE(ask(*third, request).contains("200 OK"));
}

TEST_F(HttpServerTest, closes_a_connection_beyond_its_limit_where_all_others_are_being_answered) {
    bool is_asked = false;
    start({.connections = 1}, [&is_asked](HttpRequest const& request) -> Task<HttpResponse> {
        is_asked = true;
        SystemClock clock;
        co_await clock.sleep_for(1h);
        co_return text_response(200, "text/plain", request.path);
    });
    auto const busy = connect();
    run_task(io, busy->write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    run_until(io, [&is_asked] { return is_asked; });
    auto const second = connect();
    EXPECT_EQ(run_task(io, second->read_all()), "");
}

TEST_F(HttpServerTest, lets_many_slow_clients_shut_nobody_out) {
    start({.connections = 8}, describe);
    std::vector<std::unique_ptr<RawPeer>> slow;
    for (int i = 0; i < 200; ++i) {
        slow.push_back(connect());
        run_task(io, slow.back()->write("GET"));
        if (i % 20 == 0) EXPECT_TRUE(exchange("GET /" + std::string(kGetAndClose)).contains("200"));
    }
}

// Standard error is a file of its own while it is captured.
bool has_logged() {
    struct stat file{};
    return ::fstat(STDERR_FILENO, &file) == 0 && file.st_size > 0;
}

// Lets the process open no more files while it lives.
class NoMoreFiles {
  public:
    NoMoreFiles() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        int const lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(lowest_free);
        auto lowered = before_;
        lowered.rlim_cur = static_cast<rlim_t>(lowest_free);
        ::setrlimit(RLIMIT_NOFILE, &lowered);
    }
    NoMoreFiles(NoMoreFiles const&) = delete;
    NoMoreFiles& operator=(NoMoreFiles const&) = delete;
    ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

TEST_F(HttpServerTest, accepts_again_once_there_are_files_to_open) {
    start({}, describe);
    RawPeer peer{tcp::socket(io, tcp::v4())};
    tcp::endpoint const endpoint(asio::ip::address_v4::loopback(), server->port());
    ::testing::internal::CaptureStderr();
    {
        NoMoreFiles const full;
        peer.socket().connect(endpoint);
        // The client may be told that it is connected before the server can accept it.
        io.restart();
        while (!has_logged())
            io.run_one();
    }
    auto const logged = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(logged.contains("error=\"Too many open files\"")) << logged;
    EXPECT_TRUE(ask(peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").contains("200 OK"));
}

TEST_F(HttpServerTest, names_address_and_port_where_it_cannot_listen) {
    start({}, describe);
    try {
        HttpServer const second(io.get_executor(), "127.0.0.1", server->port(), {}, describe);
        FAIL() << "listens twice";
    } catch (std::runtime_error const& error) {
        auto const message = "can't listen on 127.0.0.1 port " + std::to_string(server->port());
        EXPECT_TRUE(std::string_view(error.what()).starts_with(message)) << error.what();
    }
    EXPECT_THROW(HttpServer(io.get_executor(), "nowhere", 0, {}, describe), std::runtime_error);
}

}  // namespace
}  // namespace sycee
