// Pins: the feed of events as pages and as a stream, the events of one payment, and that nothing of
// another merchant's is in them.
#include "api_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

// A client that reads so many chunks, then goes.
class Client final : public HttpStream {
  public:
    explicit Client(std::size_t reads) : reads_(reads) {}

    std::vector<std::string> chunks;
    std::function<void()> on_chunk;

    Task<void> send(std::string chunk) override {
        chunks.push_back(std::move(chunk));
        if (on_chunk) on_chunk();
        if (chunks.size() == reads_)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    }

  private:
    std::size_t reads_;
};

class EventsApi : public MerchantApiTest {
  protected:
    EventsApi() {
        payment_ = add_payment(1, merchant_);
        for (std::uint64_t sequence = 1; sequence <= 3; ++sequence)
            events_.add(merchant_, sequence, "payment.cleared", payment_);
        events_.feeds[merchant_][1].event.type = "payment.settled";
        events_.feeds[merchant_][1].told->event.type = "payment.settled";
    }

    Json list(std::string query = "") {
        auto const response = send(request("GET", "/v1/events", std::move(query)));
        EXPECT_EQ(response.status, 200U) << response.body;
        return Json::parse(response.body);
    }
    static std::vector<std::uint64_t> sequences(Json const& list) {
        std::vector<std::uint64_t> found;
        for (Json const& event : list.at("data"))
            found.push_back(event.at("sequence"));
        return found;
    }
    HttpRequest stream_request(std::string query = "") const {
        auto made = request("GET", "/v1/events", std::move(query));
        made.headers.emplace_back("accept", "text/event-stream");
        return made;
    }
    // What a client has read that goes after so many chunks.
    std::vector<std::string> read(HttpResponse const& response, std::size_t chunks,
                                  std::function<void(Client&)> on_chunk = {}) {
        Client client(chunks);
        if (on_chunk) client.on_chunk = [&] { on_chunk(client); };
        EXPECT_THROW(run_task(io_, response.stream(client)), boost::system::system_error);
        return client.chunks;
    }
    MerchantApi quick_api(StreamLimits limits = {.all = 100, .per_holder = 5}) {
        return {services_, metrics_, {.streams = limits, .pace = {1ms, 1ms, 0ms}}};
    }

    PaymentId payment_;
};

TEST_F(EventsApi, ArePagesThatRise) {
    auto const all = list();
    EXPECT_EQ(all.at("object"), "list");
    EXPECT_EQ(sequences(all), (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(all.at("has_more"), false);
    EXPECT_EQ(all.at("next_after"), 3);
    EXPECT_EQ(all.at("last_sequence"), 3);
    EXPECT_EQ(all.at("missing"), Json::array());
    auto const& event = all.at("data")[1];
    EXPECT_EQ(event.at("type"), "payment.settled");
    EXPECT_TRUE(event.at("id").get<std::string>().starts_with("evt_"));
    EXPECT_EQ(event.at("data").at("id"), to_string(payment_));
    EXPECT_EQ(event.at("data").at("version"), 2);
    auto const first = list("after=0&limit=2");
    EXPECT_EQ(sequences(first), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(first.at("has_more"), true);
    EXPECT_EQ(sequences(list("after=2&limit=2")), std::vector<std::uint64_t>{3});
    EXPECT_EQ(sequences(list("after=3")), std::vector<std::uint64_t>{});
    EXPECT_EQ(sequences(list("type=payment.settled,refund.paid")), std::vector<std::uint64_t>{2});
}

TEST_F(EventsApi, ReadTheirParametersStrictly) {
    for (std::string const query :
         {"after=-1", "after=", "after=1.5", "after=0x1", "after=9223372036854775808", "after=x",
          "limit=0", "limit=101", "type=", "type=payment", "type=payment.cleared,",
          "type=payment.cleared,,payment.settled", "after=1&after=2", "before=1",
          // Nobody has read so far: the events are of another gateway, or of a lost database.
          "after=4"}) {
        auto const response = send(request("GET", "/v1/events", query));
        EXPECT_EQ(response.status, 400U) << query;
        auto const json = problem(response);
        EXPECT_EQ(json.at("code"), "invalid_request") << query;
        EXPECT_EQ(json.at("errors").size(), 1U) << query;
    }
    EXPECT_EQ(problem(send(request("GET", "/v1/events", "after=4"))).at("detail"),
              "after: is larger than the sequence of the newest event, 3");
}

TEST_F(EventsApi, SayWhatIsNotThereAndGoOn) {
    auto& untold = events_.feeds[merchant_][1];
    untold.told.reset();
    untold.untold = Untold::contradiction;
    events_.feeds[merchant_].erase(events_.feeds[merchant_].begin());
    auto const page = list("after=0");
    EXPECT_EQ(page.at("missing"), Json::parse(R"([{"from": 1, "to": 1, "reason": "archived"}])"));
    EXPECT_EQ(sequences(page), (std::vector<std::uint64_t>{2, 3}));
    auto const& event = page.at("data")[0];
    EXPECT_EQ(event.at("data"), nullptr);
    EXPECT_EQ(event.at("unavailable"), "contradiction");
    EXPECT_EQ(event.at("type"), "payment.settled");
    EXPECT_FALSE(page.at("data")[1].contains("unavailable"));
}

TEST_F(EventsApi, AreTheirMerchantsAlone) {
    auto const other_payment = add_payment(2, other_merchant_);
    auto const& other = events_.add(other_merchant_, 9, "payment.cleared", other_payment);
    auto const id = to_string(other.event.id);
    EXPECT_EQ(send(request("GET", "/v1/events/" + id)).status, 404U);
    EXPECT_EQ(send(request("GET", "/v1/payments/" + to_string(other_payment) + "/events")).status,
              404U);
    for (FeedQuery const& query : events_.queries)
        EXPECT_EQ(query.merchant_id, merchant_);
    EXPECT_EQ(send(request("GET", "/v1/events/" + to_string(payment_))).status, 404U);
    EXPECT_EQ(send(request("GET", "/v1/payments/pay_x/events")).status, 404U);
}

TEST_F(EventsApi, AreFoundById) {
    auto const& event = events_.feeds[merchant_][0].event;
    auto const response = send(request("GET", "/v1/events/" + to_string(event.id)));
    ASSERT_EQ(response.status, 200U);
    EXPECT_EQ(Json::parse(response.body), list().at("data")[0]);
    events_.archived = true;
    auto const gone = send(request("GET", "/v1/events/" + to_string(id_of<EventId>(9))));
    EXPECT_EQ(gone.status, 410U);
    EXPECT_EQ(problem(gone).at("code"), "archived");
}

TEST_F(EventsApi, OfAPaymentAreItsTimeline) {
    auto const second = add_payment(2, merchant_);
    events_.add(merchant_, 4, "payment.authorized", second);
    events_.add(merchant_, 5, "payment.settled", payment_);
    std::string const path = "/v1/payments/" + to_string(payment_) + "/events";
    auto const page = Json::parse(send(request("GET", path, "after=1&limit=2")).body);
    EXPECT_EQ(sequences(page), (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(page.at("has_more"), true);
    EXPECT_EQ(page.at("next_after"), 3);
    EXPECT_EQ(page.at("missing_months"), Json::array());
    events_.missing_months = {202603};
    auto const rest = Json::parse(send(request("GET", path, "after=3")).body);
    EXPECT_EQ(sequences(rest), std::vector<std::uint64_t>{5});
    EXPECT_EQ(rest.at("missing_months"), Json::parse(R"(["2026-03"])"));
    EXPECT_EQ(Json::parse(send(request("GET", path, "after=5")).body).at("next_after"), 5);
    EXPECT_EQ(send(request("GET", path, "after=no")).status, 400U);
    EXPECT_EQ(send(request("GET", path, "type=payment.settled")).status, 400U);
}

TEST_F(EventsApi, StreamWhatIsThereThenWhatComes) {
    auto const response = send(stream_request("after=1"));
    ASSERT_EQ(response.status, 200U);
    EXPECT_EQ(header(response, "content-type"), "text/event-stream");
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    auto const chunks = read(response, 4, [this](Client& client) {
        if (client.chunks.size() != 3) return;
        events_.add(merchant_, 4, "payment.reversed", payment_);
        wake_.notify();
    });
    ASSERT_EQ(chunks.size(), 4U);
    EXPECT_EQ(chunks[0], "retry: 3000\n\n");
    std::string const before = "id: 2\ndata: ";
    ASSERT_TRUE(chunks[1].starts_with(before)) << chunks[1];
    ASSERT_TRUE(chunks[1].ends_with("}\n\n"));
    auto const json = chunks[1].substr(before.size(), chunks[1].size() - before.size() - 2);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    EXPECT_EQ(Json::parse(json), list("after=1").at("data")[0]);
    EXPECT_TRUE(chunks[2].starts_with("id: 3\n"));
    EXPECT_TRUE(chunks[3].starts_with("id: 4\n"));
}

TEST_F(EventsApi, AStreamGoesOnWhereItsClientWas) {
    auto again = stream_request("after=1");
    again.headers.emplace_back("last-event-id", "2");
    EXPECT_TRUE(read(send(again), 2).at(1).starts_with("id: 3\n"));
    for (std::string const id : {"x", "-1", "4"}) {
        auto wrong = stream_request();
        wrong.headers.emplace_back("last-event-id", id);
        EXPECT_EQ(send(wrong).status, 400U) << id;
    }
    EXPECT_EQ(send(stream_request("limit=5")).status, 400U);
    EXPECT_EQ(send(stream_request("after=4")).status, 400U);
}

TEST_F(EventsApi, AStreamNamesWhatIsMissingInItsPlace) {
    auto& feed = events_.feeds[merchant_];
    feed.erase(feed.begin() + 1);
    events_.last[merchant_] = 5;
    auto const chunks = read(send(stream_request("after=0")), 5);
    EXPECT_TRUE(chunks[1].starts_with("id: 1\n"));
    EXPECT_EQ(chunks[2],
              "id: 2\nevent: missing\ndata: {\"from\":2,\"to\":2,\"reason\":\"archived\"}\n\n");
    EXPECT_TRUE(chunks[3].starts_with("id: 3\n"));
    EXPECT_TRUE(chunks[4].starts_with("id: 5\nevent: missing\n"));
}

TEST_F(EventsApi, AStreamGivesASignOfLifeAndOutlivesAFault) {
    auto api = quick_api();
    events_.fault = std::make_exception_ptr(Unavailable("for a moment"));
    auto const chunks = read(run_task(io_, api.handle(stream_request("after=2"))), 4);
    ASSERT_EQ(chunks.size(), 4U);
    EXPECT_EQ(std::ranges::count_if(chunks,
                                    [](auto const& chunk) { return chunk.starts_with("id: 3\n"); }),
              1);
    EXPECT_GE(std::ranges::count(chunks, ": still here\n\n"), 1);
}

TEST_F(EventsApi, AStreamEndsWithItsKey) {
    auto api = quick_api();
    auto const response = run_task(io_, api.handle(stream_request("after=3")));
    Client client(100);
    client.on_chunk = [&] {
        if (client.chunks.size() == 3) api_keys_.keys[id_of<ApiKeyId>(1)].revoked_at = kNow;
    };
    run_task(io_, response.stream(client));
    EXPECT_EQ(client.chunks.size(), 3U);
}

TEST_F(EventsApi, AStreamEndsWithItsKeyHoweverMuchThereIsToRead) {
    MerchantApi api(services_, metrics_, {.pace = {5ms, 1ms, 0ms}});
    auto const response = run_task(io_, api.handle(stream_request("after=3")));
    Client client(10'000);
    client.on_chunk = [&] {
        std::uint64_t const next = 3 + client.chunks.size();
        events_.add(merchant_, next, "payment.cleared", payment_);
        if (next == 10) api_keys_.keys[id_of<ApiKeyId>(1)].expires_at = kNow;
    };
    run_task(io_, response.stream(client));
    EXPECT_LT(client.chunks.size(), 10'000U);
}

TEST_F(EventsApi, OnlySoManyStreamsAreOpen) {
    auto api = quick_api({.all = 3, .per_holder = 2});
    auto const other_key = add_key(2, other_merchant_);
    auto const open = [&](std::string const& key) {
        auto made = stream_request();
        made.headers[0].second = "Bearer " + key;
        return run_task(io_, api.handle(made));
    };
    auto first = std::make_optional(open(key_));
    auto const second = open(key_);
    EXPECT_EQ(second.status, 200U);
    auto const refused = open(key_);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(header(refused, "retry-after"), "30");
    EXPECT_EQ(problem(refused).at("code"), "rate_limited");
    // Another merchant has places of its own, and there are no more than all of them.
    auto const theirs = open(other_key);
    EXPECT_EQ(theirs.status, 200U);
    EXPECT_EQ(open(other_key).status, 429U);
    first.reset();
    EXPECT_EQ(open(other_key).status, 200U);
}

}  // namespace
}  // namespace sycee
