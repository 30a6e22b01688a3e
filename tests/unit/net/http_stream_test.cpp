#include <sycee/net/http_server.hpp>

#include "raw_peer.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>

namespace sycee {
namespace {

// What the handlers of these tests share with them.
struct Shared {
    explicit Shared(Executor executor) : released(std::move(executor)) {}

    Notifier released;
    int begun = 0;
    std::string end;
};

Task<void> wait_forever(Shared& shared) {
    try {
        SystemClock clock;
        co_await clock.sleep_for(1h);
    } catch (boost::system::system_error const&) {
        shared.end = "cancelled";
        throw;
    }
}

Task<void> stream_events(HttpStream& stream, std::string path, Shared& shared) {
    co_await stream.send("data: 1\n\n");
    co_await stream.send("");
    ++shared.begun;
    if (path == "/broken") throw std::runtime_error("secret detail");
    if (path == "/endless") co_await wait_forever(shared);
    while (path == "/flood") {
        try {
            co_await stream.send(std::string(100'000, 'x'));
        } catch (boost::system::system_error const&) {
            shared.end = "cancelled";
            throw;
        }
    }
    co_await stream.send("data: 2\n\n");
    shared.end = "finished";
}

Task<HttpResponse> handle(HttpRequest const& request, Shared& shared) {
    if (request.path == "/wait") {
        ++shared.begun;
        co_await shared.released.wait_after(0, 1h);
        co_return text_response(200, "text/plain", "waited");
    }
    auto response = text_response(200, "text/event-stream", "");
    response.stream = [path = request.path, &shared](HttpStream& stream) {
        return stream_events(stream, path, shared);
    };
    co_return response;
}

Task<void> note_answer(RawPeer& peer, std::string& answer) {
    answer = co_await peer.read_all();
}

constexpr std::string_view kRest = " HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    "connection: close\r\n\r\n";

class HttpStreamTest : public HttpServerTest {
  protected:
    void begin(HttpServerLimits limits) {
        start(limits, [this](HttpRequest const& request) { return handle(request, shared); });
    }

    std::unique_ptr<RawPeer> begin_stream(std::string const& path) {
        auto peer = connect();
        run_task(io, peer->write("GET " + path + std::string(kRest)));
        EXPECT_EQ(run_task(io, peer->read_through("data: 1\n\n\r\n")),
                  std::string(kStreamHead) + "9\r\ndata: 1\n\n\r\n");
        return peer;
    }

    // As main does it: stops accepting, then drains.
    void drain(std::chrono::milliseconds grace) {
        tasks.cancel();
        run_task(io, tasks.join(1h));
        run_task(io, server->drain(grace));
    }

    Shared shared{io.get_executor()};
};

TEST_F(HttpStreamTest, sends_chunks_and_closes) {
    begin({});
    auto const peer = begin_stream("/short");
    EXPECT_EQ(run_task(io, peer->read_all()), "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    EXPECT_EQ(shared.end, "finished");
}

TEST_F(HttpStreamTest, sends_plain_bytes_to_old_clients) {
    begin({});
    EXPECT_EQ(exchange("GET /short HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
              "data: 1\n\ndata: 2\n\n");
}

TEST_F(HttpStreamTest, answers_head_without_the_stream) {
    begin({});
    auto const peer = connect();
    auto const response = ask(*peer, "HEAD /endless" + std::string(kRest));
    EXPECT_TRUE(response.contains("text/event-stream")) << response;
    EXPECT_TRUE(ask(*peer, "HEAD /endless" + std::string(kRest)).contains("200 OK"));
    EXPECT_EQ(shared.begun, 0);
}

TEST_F(HttpStreamTest, a_client_that_goes_ends_the_handler) {
    begin({});
    auto peer = begin_stream("/endless");
    EXPECT_EQ(shared.end, "");
    peer.reset();
    run_until(io, [this] { return !shared.end.empty(); });
    EXPECT_EQ(shared.end, "cancelled");
}

TEST_F(HttpStreamTest, a_client_that_does_not_read_is_dropped) {
    begin({.write_time = 10ms});
    auto const peer = begin_stream("/flood");
    while (shared.end.empty())
        io.run_one();
    EXPECT_EQ(shared.end, "cancelled");
}

TEST_F(HttpStreamTest, ends_after_its_time) {
    begin({.stream_time = 5ms});
    auto const peer = begin_stream("/endless");
    EXPECT_EQ(run_task(io, peer->read_all()), "0\r\n\r\n");
    EXPECT_EQ(shared.end, "cancelled");
}

TEST_F(HttpStreamTest, a_handler_that_fails_leaves_the_body_incomplete) {
    begin({});
    ::testing::internal::CaptureStderr();
    auto const peer = begin_stream("/broken");
    auto const rest = run_task(io, peer->read_all());
    auto const logged = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(rest, "");
    EXPECT_TRUE(logged.contains("secret detail")) << logged;
}

TEST_F(HttpStreamTest, ends_in_good_order_when_the_server_drains) {
    begin({});
    auto const peer = begin_stream("/endless");
    drain(1h);
    EXPECT_EQ(shared.end, "cancelled");
    EXPECT_EQ(run_task(io, peer->read_all()), "0\r\n\r\n");
}

TEST_F(HttpStreamTest, draining_lets_a_request_finish_and_closes_idle_connections) {
    begin({});
    auto const idle = connect();
    auto const busy = connect();
    std::string answer;
    run_task(io, busy->write("GET /wait" + std::string(kRest)));
    while (shared.begun == 0)
        io.run_one();
    tasks.cancel();
    run_task(io, tasks.join(1h));

    TaskGroup draining(io.get_executor(), 2);
    draining.spawn("answer", note_answer(*busy, answer));
    draining.spawn("drain", server->drain(1h));
    EXPECT_EQ(run_task(io, idle->read_all()), "");
    EXPECT_EQ(answer, "");
    shared.released.notify();
    run_task(io, draining.join(1h));
    EXPECT_TRUE(answer.ends_with("connection: close\r\n\r\nwaited")) << answer;
}

TEST_F(HttpStreamTest, draining_cancels_a_request_after_the_grace) {
    begin({});
    auto const peer = connect();
    run_task(io, peer->write("GET /wait" + std::string(kRest)));
    while (shared.begun == 0)
        io.run_one();
    drain(1ms);
    EXPECT_EQ(run_task(io, peer->read_all()), "");
}

}  // namespace
}  // namespace sycee
