// Pins what is taken of a JSON document over HTTP, and that everything else is a fault that passes.
#include <sycee/net/http_server.hpp>
#include <sycee/rates/http_rate_source.hpp>
#include <sycee/runtime/errors.hpp>

#include "run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

class FixedClock final : public Clock {
  public:
    Timestamp now() const override { return kNow; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class HttpRateSourceTest : public ::testing::Test {
  protected:
    HttpRateSourceTest() {
        boost::asio::co_spawn(io_, server_.run(), [](std::exception_ptr) {});
        settings.name = "http test";
        settings.kind = RateSourceKind::http;
        settings.url =
            "http://127.0.0.1:" + std::to_string(server_.port()) + "/latest?base=USD&key=secret";
        settings.pointer = "/rates/EUR";
    }

    SourceValue read() {
        HttpRateSource source(io_.get_executor(), settings, clock_,
                              {.total_time = 2s, .answer_bytes = 4'096});
        return run_task(io_, source.read());
    }
    std::string fault() {
        try {
            read();
        } catch (Unavailable const& unavailable) {
            return unavailable.what();
        }
        return "";
    }

    RateSourceSettings settings;
    unsigned status = 200;
    std::string body = R"({"rates": {"EUR": 0.92}})";
    std::string target;

  private:
    Task<HttpResponse> answer(HttpRequest const& request) {
        target = request.method + " " + request.target;
        co_return text_response(status, "application/json", body);
    }

    boost::asio::io_context io_{1};
    FixedClock clock_;
    HttpServer server_{io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                       [this](HttpRequest const& request) { return answer(request); }};
};

TEST_F(HttpRateSourceTest, reads_a_number_at_the_time_of_reading) {
    EXPECT_EQ(read(), (SourceValue{Amount(920'000'000'000'000'000), 18, kNow}));
    EXPECT_EQ(target, "GET /latest?base=USD&key=secret");
}

TEST_F(HttpRateSourceTest, reads_the_time_that_the_document_tells) {
    settings.time_pointer = "/timestamp";
    body = R"({"timestamp": 1799999940, "rates": {"EUR": "0.92"}})";
    EXPECT_EQ(read().at, kNow - 60s);
    body = R"({"timestamp": "1799999940.5", "rates": {"EUR": "0.92"}})";
    EXPECT_EQ(read().at, kNow - 60s);
    body = R"({"timestamp": "today", "rates": {"EUR": "0.92"}})";
    EXPECT_TRUE(fault().starts_with("http test: the time ")) << fault();
}

TEST_F(HttpRateSourceTest, cuts_what_lies_beyond_eighteen_digits) {
    body = R"({"rates": {"EUR": 0.9199632014719411001234567}})";
    EXPECT_EQ(read().value, Amount(919'963'201'471'941'100));
    body = R"({"rates": {"EUR": 0.919963201471941100123x}})";
    EXPECT_NE(fault(), "");
}

TEST_F(HttpRateSourceTest, takes_nothing_else_for_a_rate) {
    for (std::string const value :
         {"-0.92", "9.2e-1", "\"\"", "\"0,92\"", "null", "[0.92]", "\" 0.92\"", "\"NaN\""}) {
        body = R"({"rates": {"EUR": )" + value + "}}";
        EXPECT_TRUE(fault().starts_with("http test: the ")) << value << ": " << fault();
    }
    body = R"({"rates": {"EUR": ")" + std::string(65, '1') + R"("}})";
    EXPECT_EQ(fault(), "http test: the value has too many digits");
    body = "<html>";
    EXPECT_EQ(fault(), "http test: the document is not JSON");
}

TEST_F(HttpRateSourceTest, is_bounded_and_follows_nothing) {
    status = 503;
    EXPECT_EQ(fault(), "http test answers with status 503");
    status = 302;
    EXPECT_EQ(fault(), "http test answers with status 302");
    status = 200;
    body = R"({"rates": {"EUR": 0.92}, "more": ")" + std::string(4'096, 'x') + R"("})";
    EXPECT_TRUE(fault().contains("too large")) << fault();
    EXPECT_FALSE(fault().contains("secret")) << fault();
}

TEST(RateSourceUrl, is_https_or_this_machine_where_that_is_allowed) {
    EXPECT_TRUE(rate_source_url("https://rates.example/latest", false));
    EXPECT_FALSE(rate_source_url("http://rates.example/latest", true));
    EXPECT_FALSE(rate_source_url("http://127.0.0.1:8000/", false));
    EXPECT_TRUE(rate_source_url("http://127.0.0.1:8000/", true));
    EXPECT_TRUE(rate_source_url("http://[::1]:8000/", true));
    EXPECT_FALSE(rate_source_url("http://127.0.0.1.example/", true));
    EXPECT_FALSE(rate_source_url("ws://127.0.0.1/", true));
    EXPECT_FALSE(rate_source_url("rates.example", true));
}

}  // namespace
}  // namespace sycee
