#include <sycee/base/assert.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/runtime/errors.hpp>

#include "raw_peer.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace sycee {
namespace {

using Connections = std::vector<std::vector<std::string>>;

// Plays a script: for each connection, what to answer to each request. Then closes it.
struct Script {
    Connections connections;
    std::vector<std::string> requests;
    std::size_t accepted = 0;
};

Task<void> play(tcp::acceptor& acceptor, Script& script) {
    for (auto const& answers : script.connections) {
        RawPeer peer(co_await acceptor.async_accept(asio::use_awaitable));
        ++script.accepted;
        for (auto const& answer : answers) {
            script.requests.push_back(co_await peer.read_message());
            co_await peer.write(answer);
        }
    }
}

// Accepts, reads, and never answers.
Task<void> stay_silent(tcp::acceptor& acceptor, std::string& received) {
    RawPeer peer(co_await acceptor.async_accept(asio::use_awaitable));
    received = co_await peer.read_all();
}

Task<void> note_post(HttpClient& client, std::string body, std::string& outcome) {
    try {
        outcome = (co_await client.post({}, std::move(body))).body;
    } catch (Unavailable const&) {
        outcome = "unavailable";
    } catch (boost::system::system_error const& error) {
        outcome = error.code() == asio::error::operation_aborted ? "cancelled" : "failed";
    }
}

std::string answer(std::string const& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HttpClientTest : public ::testing::Test {
  protected:
    HttpClient& client(HttpClientLimits limits = {}) {
        Url url;
        url.scheme = "http";
        url.host = "127.0.0.1";
        url.port = acceptor.local_endpoint().port();
        url.target = "/rpc?key=secret";
        made = std::make_unique<HttpClient>(io.get_executor(), url, limits);
        return *made;
    }

    void serve(Connections connections) {
        script.connections = std::move(connections);
        tasks.spawn("server", play(acceptor, script));
    }

    std::string body_of_post(HttpClient& used, std::string body) {
        return run_task(io, used.post({}, std::move(body))).body;
    }

    void expect_unavailable(HttpClient& used, std::string_view reason) {
        try {
            run_task(io, used.post({}, "{}"));
            FAIL() << "was answered; expected: " << reason;
        } catch (Unavailable const& error) {
            std::string_view const text = error.what();
            EXPECT_TRUE(text.starts_with("http://127.0.0.1:")) << text;
            EXPECT_TRUE(text.contains(reason)) << text;
            EXPECT_FALSE(text.contains("secret")) << text;
        }
    }

    void TearDown() override {
        tasks.cancel();
        run_task(io, tasks.join(1h));
    }

    asio::io_context io{1};
    TaskGroup tasks{io.get_executor(), 10};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    Script script;
    std::string received;
    std::unique_ptr<HttpClient> made;
};

TEST_F(HttpClientTest, posts_and_returns_status_headers_and_body) {
    serve({{"HTTP/1.1 404 Not Found\r\nX-Id: 7\r\nContent-Length: 2\r\n\r\nno"}});
    auto& used = client();
    HttpHeaders const headers{{"content-type", "application/json"}};
    auto const got = run_task(io, used.post(headers, "{\"a\":1}"));
    EXPECT_EQ(got.status, 404U);
    EXPECT_EQ(got.body, "no");
    EXPECT_EQ(got.headers, (HttpHeaders{{"x-id", "7"}, {"content-length", "2"}}));
    EXPECT_EQ(script.requests.at(0),
              "POST /rpc?key=secret HTTP/1.1\r\nhost: 127.0.0.1:" +
                  std::to_string(acceptor.local_endpoint().port()) +
                  "\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
}

TEST_F(HttpClientTest, gets_without_a_body_on_the_same_connection) {
    serve({{answer("one"), answer("two")}});
    auto& used = client();
    EXPECT_EQ(run_task(io, used.get({{"accept", "application/json"}})).body, "one");
    EXPECT_EQ(body_of_post(used, "2"), "two");
    EXPECT_EQ(script.accepted, 1U);
    EXPECT_EQ(script.requests.at(0), "GET /rpc?key=secret HTTP/1.1\r\nhost: 127.0.0.1:" +
                                         std::to_string(acceptor.local_endpoint().port()) +
                                         "\r\naccept: application/json\r\n\r\n");
}

TEST_F(HttpClientTest, keeps_its_connection) {
    serve({{answer("one"), answer("two"), answer("three")}});
    auto& used = client();
    EXPECT_EQ(body_of_post(used, "1"), "one");
    EXPECT_EQ(body_of_post(used, "2"), "two");
    EXPECT_EQ(body_of_post(used, "3"), "three");
    EXPECT_EQ(script.accepted, 1U);
}

TEST_F(HttpClientTest, sends_again_where_the_kept_connection_was_closed) {
    serve({{answer("one")}, {answer("two")}});
    auto& used = client();
    EXPECT_EQ(body_of_post(used, "1"), "one");
    EXPECT_EQ(body_of_post(used, "2"), "two");
    EXPECT_EQ(script.accepted, 2U);
    EXPECT_TRUE(script.requests.at(1).ends_with("\r\n\r\n2"));
}

TEST_F(HttpClientTest, does_not_send_again_once_an_answer_has_begun) {
    serve({{answer("one"), "HTTP/1.1 200 OK\r\nContent-Le"}, {answer("never")}});
    auto& used = client();
    EXPECT_EQ(body_of_post(used, "1"), "one");
    expect_unavailable(used, "cut off");
    EXPECT_EQ(script.requests.size(), 2U);
}

TEST_F(HttpClientTest, does_not_send_again_on_a_new_connection) {
    serve({{""}, {answer("never")}});
    expect_unavailable(client(), "End of file");
    EXPECT_EQ(script.requests.size(), 1U);
}

TEST_F(HttpClientTest, opens_a_new_connection_after_one_that_is_not_to_be_kept) {
    serve({{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1"},
           {"HTTP/1.0 200 OK\r\n\r\nuntil the end"},
           {answer("3") + "more than was asked for"},
           {answer("4")}});
    auto& used = client();
    EXPECT_EQ(body_of_post(used, ""), "1");
    EXPECT_EQ(body_of_post(used, ""), "until the end");
    EXPECT_EQ(body_of_post(used, ""), "3");
    EXPECT_EQ(body_of_post(used, ""), "4");
    EXPECT_EQ(script.accepted, 4U);
}

TEST_F(HttpClientTest, understands_chunks_and_interim_answers) {
    serve(
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("1"),
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
          "HTTP/1.1 204 No Content\r\n\r\n"}});
    auto& used = client();
    EXPECT_EQ(body_of_post(used, ""), "1");
    EXPECT_EQ(body_of_post(used, ""), "abcde");
    EXPECT_EQ(run_task(io, used.post({}, "")).status, 204U);
    EXPECT_EQ(script.accepted, 1U);
}

TEST_F(HttpClientTest, follows_no_redirect) {
    serve({{"HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"}});
    EXPECT_EQ(run_task(io, client().post({}, "")).status, 307U);
    EXPECT_EQ(script.requests.size(), 1U);
}

TEST_F(HttpClientTest, gives_up_on_what_is_not_an_answer) {
    serve({{"SSH-2.0-OpenSSH_9.2\r\n\r\n"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"},
           {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
           {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"},
           {"HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')}});
    auto& used = client();
    expect_unavailable(used, "not valid HTTP");
    expect_unavailable(used, "transfer coding");
    expect_unavailable(used, "another protocol");
    expect_unavailable(used, "cut off");
    expect_unavailable(used, "header");
}

TEST_F(HttpClientTest, gives_up_on_an_answer_that_is_too_large) {
    std::string const chunk = "40\r\n" + std::string(64, 'x') + "\r\n";
    serve({{"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x')},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk},
           {"HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x')},
           {answer(std::string(100, 'x'))}});
    auto& used = client({.answer_bytes = 100});
    expect_unavailable(used, "too large");
    expect_unavailable(used, "too large");
    expect_unavailable(used, "too large");
    EXPECT_EQ(body_of_post(used, ""), std::string(100, 'x'));
}

TEST_F(HttpClientTest, gives_up_on_a_silent_server) {
    tasks.spawn("server", stay_silent(acceptor, received));
    expect_unavailable(client({.total_time = 20ms}), "no answer in time");
}

TEST_F(HttpClientTest, tells_an_answer_over_the_limits_from_other_faults) {
    serve({{answer("four")}, {"HTTP/1.1 nonsense\r\n\r\n"}});
    auto& used = client({.answer_bytes = 3});
    EXPECT_THROW(run_task(io, used.post({}, "{}")), AnswerOverLimit);
    try {
        run_task(io, used.post({}, "{}"));
        FAIL();
    } catch (AnswerOverLimit const&) {
        FAIL();
    } catch (Unavailable const&) {
    }
    tasks.spawn("silent", stay_silent(acceptor, received));
    EXPECT_THROW(run_task(io, client({.total_time = 20ms}).post({}, "{}")), AnswerOverLimit);
}

TEST_F(HttpClientTest, gives_up_where_nobody_listens) {
    auto& used = client();
    acceptor.close();
    expect_unavailable(used, "refused");
}

TEST_F(HttpClientTest, makes_one_call_after_the_other) {
    serve({{answer("one"), answer("two"), answer("three")}});
    auto& used = client();
    std::array<std::string, 3> outcomes;
    TaskGroup callers(io.get_executor(), 3);
    callers.spawn("first", note_post(used, "1", outcomes[0]));
    callers.spawn("second", note_post(used, "2", outcomes[1]));
    callers.spawn("third", note_post(used, "3", outcomes[2]));
    run_task(io, callers.join(1h));
    EXPECT_EQ(outcomes, (std::array<std::string, 3>{"one", "two", "three"}));
    EXPECT_EQ(script.accepted, 1U);
}

TEST_F(HttpClientTest, a_cancelled_call_says_so_and_leaves_the_client_usable) {
    std::string outcome;
    std::string waiting;
    auto& used = client();
    tasks.spawn("silent", stay_silent(acceptor, received));
    TaskGroup callers(io.get_executor(), 2);
    callers.spawn("call", note_post(used, "1", outcome));
    callers.spawn("waits for its turn", note_post(used, "2", waiting));
    io.restart();
    io.poll();
    callers.cancel();
    run_task(io, callers.join(1h));
    EXPECT_EQ(outcome, "cancelled");
    EXPECT_EQ(waiting, "cancelled");
    run_task(io, tasks.join(1h));

    TaskGroup server(io.get_executor(), 1);
    script.connections = {{answer("again")}};
    server.spawn("server", play(acceptor, script));
    EXPECT_EQ(body_of_post(used, ""), "again");
    run_task(io, server.join(1h));
}

TEST_F(HttpClientTest, a_header_that_would_break_out_is_an_error_of_ours) {
    auto& used = client();
    for (HttpHeaders const& headers :
         {HttpHeaders{{"x", "a\r\ny: b"}}, HttpHeaders{{"x y", "a"}}, HttpHeaders{{"Host", "b"}},
          HttpHeaders{{"Content-Length", "1"}}}) {
        EXPECT_THROW(run_task(io, used.post(headers, "")), InvariantViolation);
    }
}

}  // namespace
}  // namespace sycee
