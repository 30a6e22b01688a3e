#include <sycee/app/test_payments.hpp>
#include <sycee/checkout/checkout_pages.hpp>

#include "page_fakes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

std::string header(HttpResponse const& response, std::string_view name) {
    for (auto const& [field, value] : response.headers) {
        if (field == name) return value;
    }
    return "";
}

// Keeps what was sent, and calls `on_send` after each chunk.
class FakeStream final : public HttpStream {
  public:
    Task<void> send(std::string chunk) override {
        chunks.push_back(std::move(chunk));
        if (on_send) on_send(chunks.size());
        co_return;
    }

    std::vector<std::string> chunks;
    std::function<void(std::size_t)> on_send;
};

class CheckoutPagesTest : public testing::Test {
  protected:
    HttpResponse get(std::string const& path, std::string const& query = "",
                     HttpHeaders headers = {}) {
        return get_from(pages_, path, query, std::move(headers));
    }
    HttpResponse get_from(CheckoutPages& pages, std::string const& path,
                          std::string const& query = "", HttpHeaders headers = {}) {
        HttpRequest request;
        request.method = "GET";
        request.path = path;
        request.query = query;
        request.headers = std::move(headers);
        return run_task(world_.io, pages.handle(request));
    }
    HttpResponse get_page(std::string const& query = "") {
        return get("/checkout/" + world_.id(), query);
    }
    std::vector<std::string> events(FakeStream& stream) {
        auto response = get("/checkout/" + world_.id() + "/events");
        run_task(world_.io, response.stream(stream));
        return stream.chunks;
    }

    PageWorld world_;
    CheckoutPages pages_{world_.service,  world_.finder,  world_.feed,
                         world_.detected, world_.network, world_.clock};
};

TEST_F(CheckoutPagesTest, ShowsHowToPay) {
    auto const page = get_page();
    EXPECT_EQ(page.status, 200U);
    EXPECT_TRUE(page.body.contains("<b>0x5aAeb6</b>053F3E94C9b9A09f33669435E7Ef<b>1BeAed</b>"));
    EXPECT_TRUE(page.body.contains("data-copy=\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\""));
    EXPECT_TRUE(page.body.contains("<title id=\"qr-title\">QR code: address 0x5aAeb6"));
    EXPECT_TRUE(page.body.contains("Send only USDT on Sepolia (chain 11155111)"));
    EXPECT_TRUE(page.body.contains("data-seconds=\"900\">15:00<"));
    EXPECT_TRUE(page.body.contains("role=\"status\" aria-live=\"polite\""));
    EXPECT_TRUE(
        page.body.contains("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
    EXPECT_TRUE(page.body.contains("href=\"?option=1\""));
}

TEST_F(CheckoutPagesTest, SaysOfATestPaymentThatItIsOne) {
    EXPECT_EQ(get_page().body.find("Test payment."), std::string::npos);
    auto const settings = test_chain_settings();
    world_.network.chains.push_back(settings);
    world_.state.payment.options = {
        {kTestChainId, settings.tokens[0].contract, Amount(50 * kWholeToken), Amount{}}};
    world_.store();
    world_.follow(kTestChainId, world_.clock.time);
    auto const page = get_page().body;
    EXPECT_NE(page.find("Test payment."), std::string::npos);
    EXPECT_NE(page.find("<title>Test: Pay 50.00 USD</title>"), std::string::npos);
}

TEST_F(CheckoutPagesTest, ShowsTheOtherOptionAndThePaymentLink) {
    std::string const body = get_page("option=1&qr=uri").body;
    EXPECT_TRUE(body.contains("Send only USDC on Base (chain 8453)"));
    EXPECT_TRUE(
        body.contains("href=\"ethereum:" + to_string(kOtherToken) +
                      "@8453/transfer?address=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed&amp;"
                      "uint256=50000000000000000000\""));
    EXPECT_EQ(get_page("option=99999999999999999999999").status, 200U);
    EXPECT_EQ(get_page("option=-1").status, 200U);
}

TEST_F(CheckoutPagesTest, LeavesAnOpenAmountToThePayer) {
    world_.state.payment.open_amount = true;
    world_.store();
    std::string body = get_page().body;
    EXPECT_TRUE(body.contains("<title>Pay any amount from 50.00 USD</title>"));
    EXPECT_TRUE(body.contains("<p class=\"label\">Any amount from</p>"));
    EXPECT_TRUE(body.contains("enter at least <b>50.00 USDT</b>"));
    EXPECT_TRUE(body.contains("<span id=\"least-amount\">50.00</span>"));
    EXPECT_FALSE(body.contains("Exact amount") || body.contains("Copy amount"));
    body = get_page("qr=uri").body;
    EXPECT_TRUE(body.contains("Payment link</a>"));
    EXPECT_FALSE(body.contains("uint256") || body.contains("Address + amount"));
    world_.credit(20, CreditStage::authorized);
    body = get_page().body;
    EXPECT_TRUE(body.contains("<p class=\"label\">Still due, at least</p>"));
    EXPECT_TRUE(body.contains("of at least 50.00 USD, on Sepolia"));
    EXPECT_TRUE(body.contains("Still due, at least: 30.00 USDT"));
    world_.credit(70, CreditStage::authorized);
    body = get_page().body;
    EXPECT_TRUE(body.contains(
        "<p class=\"label\">Received</p><h1 class=\"amount number\">90.00 USDT</h1>"));
    world_.state.credits.clear();
    world_.credit(90, CreditStage::cleared);
    body = get_page().body;
    EXPECT_TRUE(body.contains("<title>Paid: 90.00 USD</title>"));
    EXPECT_TRUE(body.contains("<p class=\"label\">Amount</p><h1 class=\"amount number\">90.00"));
}

TEST_F(CheckoutPagesTest, AllowsNothingFromElsewhere) {
    auto const page = get_page();
    std::string const policy = header(page, "content-security-policy");
    for (auto const* part : {"default-src 'none'", "script-src 'self'", "style-src 'self'",
                             "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"}) {
        EXPECT_TRUE(policy.contains(part)) << part;
    }
    EXPECT_FALSE(policy.contains("unsafe"));
    EXPECT_EQ(header(page, "x-content-type-options"), "nosniff");
    EXPECT_EQ(header(page, "referrer-policy"), "no-referrer");
    EXPECT_EQ(header(page, "cache-control"), "no-store");
    EXPECT_FALSE(page.body.contains("<style"));
    EXPECT_FALSE(page.body.contains(" style="));
}

TEST_F(CheckoutPagesTest, EscapesWhatTheShopWrote) {
    std::string const hostile = "\"'><script>alert(1)</script>&";
    auto& payment = world_.state.payment;
    payment.reference = hostile;
    payment.description = hostile;
    payment.success_url = "javascript:alert(1)";
    payment.metadata = {{hostile, hostile}};
    world_.network.chains[0].name = hostile;
    world_.network.chains[0].tokens[0].symbol = hostile;
    world_.store();
    world_.credit(20, CreditStage::authorized);
    for (auto const stage : {CreditStage::authorized, CreditStage::settled}) {
        world_.state.credits[0].stage = stage;
        world_.state.credits[0].transfer.amount =
            Amount((stage == CreditStage::settled ? 50 : 20) * kWholeToken);
        world_.store();
        for (auto const* query : {"", "qr=uri", "option=1", "option=%3Cscript%3E&qr=%22%3E"}) {
            std::string const body = get_page(query).body;
            EXPECT_FALSE(body.contains("<script>"));
            EXPECT_FALSE(body.contains("\"'>"));
            EXPECT_FALSE(body.contains("javascript:"));
            EXPECT_TRUE(body.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"));
        }
    }
}

TEST_F(CheckoutPagesTest, LinksBackToTheShopOncePaid) {
    EXPECT_FALSE(get_page().body.contains("https://shop.example"));
    world_.credit(50, CreditStage::settled);
    std::string const body = get_page().body;
    EXPECT_TRUE(body.contains("href=\"https://shop.example/thanks\""));
    EXPECT_TRUE(body.contains("<small>shop.example</small>"));
    EXPECT_FALSE(body.contains("http-equiv"));
    EXPECT_FALSE(body.contains("id=\"deposit-address\""));
}

TEST_F(CheckoutPagesTest, AnUnknownPaymentGetsAFriendlyPage) {
    for (auto const* path : {"/checkout/", "/checkout/pay_x", "/checkout/nonsense/events",
                             "/checkout/pay_00000000000000000000000000"}) {
        auto const page = get(path);
        EXPECT_EQ(page.status, 404U) << path;
        EXPECT_TRUE(page.body.contains("There is no such payment")) << path;
    }
    EXPECT_EQ(get("/checkout/pay_00000000000000000000000000/events").status, 404U);
    EXPECT_EQ(get("/checkout/pay_00000000000000000000000000/state").status, 404U);
}

TEST_F(CheckoutPagesTest, TheStateHasAnEntityTag) {
    std::string const path = "/checkout/" + world_.id() + "/state";
    auto const first = get(path);
    std::string const etag = header(first, "etag");
    EXPECT_EQ(nlohmann::json::parse(first.body)["status"], "open");
    world_.clock.time += std::chrono::seconds{30};
    auto const again = get(path, "", {{"if-none-match", "\"other\", W/" + etag}});
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body, "");
    world_.credit(50, CreditStage::settled);
    auto const paid = get(path, "", {{"if-none-match", etag}});
    EXPECT_EQ(paid.status, 200U);
    EXPECT_EQ(nlohmann::json::parse(paid.body)["final"], true);
}

TEST_F(CheckoutPagesTest, TheStateTellsNoMoreThanThePage) {
    world_.state.payment.metadata = {{"secret", "internal-note"}};
    world_.store();
    auto const json = nlohmann::json::parse(get("/checkout/" + world_.id() + "/state").body);
    std::vector<std::string> names;
    for (auto const& [name, value] : json.items())
        names.push_back(name);
    EXPECT_EQ(names, (std::vector<std::string>{"detected", "due", "final", "message", "phase",
                                               "status", "title"}));
    EXPECT_FALSE(get_page().body.contains("internal-note"));
}

TEST_F(CheckoutPagesTest, EventsTellEachChangeAndEnd) {
    auto const response = get("/checkout/" + world_.id() + "/events");
    EXPECT_EQ(header(response, "content-type"), "text/event-stream");
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    EXPECT_EQ(header(response, "x-accel-buffering"), "no");

    FakeStream stream;
    stream.on_send = [this](std::size_t count) {
        if (count == 2) world_.credit(50, CreditStage::authorized);
        if (count == 4) {
            Credit& credit = world_.state.credits[0];
            credit.stage = CreditStage::settled;
            credit.gross = credit.transfer.amount;
        }
        world_.store();
        world_.feed.publish(world_.state.payment.id);
    };
    auto const chunks = events(stream);
    ASSERT_EQ(chunks.size(), 5U);
    EXPECT_EQ(chunks[0], "retry: 3000\n\n");
    EXPECT_TRUE(chunks[1].starts_with("data: {\"status\":\"open\""));
    EXPECT_TRUE(chunks[2].starts_with("data: {\"status\":\"authorized\""));
    EXPECT_EQ(chunks[3], ": still here\n\n");
    EXPECT_TRUE(chunks[4].starts_with("data: {\"status\":\"settled\""));
    for (auto const& chunk : chunks) {
        EXPECT_EQ(std::ranges::count(chunk, '\n'), 2) << "an event is one line";
    }
}

TEST_F(CheckoutPagesTest, ShowsATransferOnItsWayInsteadOfHowToPay) {
    world_.detected.add(world_.announced(50));
    std::string const body = get_page().body;
    EXPECT_TRUE(body.contains("data-phase=\"detected\""));
    EXPECT_TRUE(body.contains("We see your transfer on its way"));
    EXPECT_TRUE(body.contains("<dt>On its way</dt><dd>50.00 USDT</dd>"));
    EXPECT_FALSE(body.contains("id=\"time-left\""));
    EXPECT_LT(body.find("<details class=\"again\">"), body.find("id=\"deposit-address\""));
    EXPECT_TRUE(body.contains("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
    auto const state = nlohmann::json::parse(get("/checkout/" + world_.id() + "/state").body);
    EXPECT_EQ(state["phase"], "detected");
    EXPECT_EQ(state["status"], "open");
    EXPECT_EQ(state["detected"], "50.00 USDT");
    EXPECT_EQ(state["final"], false);
}

TEST_F(CheckoutPagesTest, AsksForNothingOnceTheTimeIsUp) {
    world_.clock.time += std::chrono::seconds{901};
    world_.detected.add(world_.announced(50));
    std::string const body = get_page().body;
    EXPECT_TRUE(body.contains("data-phase=\"detected\""));
    EXPECT_FALSE(body.contains("<details"));
    EXPECT_TRUE(body.contains("Address of this payment"));
}

TEST_F(CheckoutPagesTest, EventsTellOfATransferThatComesAndGoes) {
    FakeStream stream;
    stream.on_send = [this](std::size_t count) {
        if (count == 2) world_.detected.add(world_.announced(50));
        if (count == 3) world_.detected.remove(world_.announced(50));
        if (count == 4) world_.credit(50, CreditStage::settled);
        if (count == 4) world_.feed.publish(world_.state.payment.id);
    };
    auto const chunks = events(stream);
    ASSERT_EQ(chunks.size(), 5U);
    EXPECT_TRUE(chunks[1].starts_with("data: {\"status\":\"open\",\"phase\":\"open\""));
    EXPECT_TRUE(chunks[2].starts_with("data: {\"status\":\"open\",\"phase\":\"detected\""));
    EXPECT_EQ(chunks[3], chunks[1]);
}

TEST_F(CheckoutPagesTest, EventsOutliveADatabaseThatIsAway) {
    FakeStream stream;
    stream.on_send = [this](std::size_t count) {
        world_.payments.down = count == 2;
        if (count == 3) world_.credit(50, CreditStage::settled);
        world_.feed.publish(world_.state.payment.id);
    };
    auto const chunks = events(stream);
    ASSERT_EQ(chunks.size(), 4U);
    EXPECT_EQ(chunks[2], ": still here\n\n");
    EXPECT_TRUE(chunks[3].starts_with("data: {\"status\":\"settled\""));
}

// A stream holds a connection of the server for up to an hour; a page without one asks again and
// again instead.
TEST_F(CheckoutPagesTest, OnePaymentHasOnlySoManyEventStreams) {
    CheckoutPages pages(world_.service, world_.finder, world_.feed, world_.detected, world_.network,
                        world_.clock, {.all = 5, .per_holder = 2});
    std::string const path = "/checkout/" + world_.id() + "/events";
    auto first = get_from(pages, path);
    auto const second = get_from(pages, path);
    EXPECT_EQ(second.status, 200U);
    auto const refused = get_from(pages, path);
    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(header(refused, "retry-after"), "30");
    EXPECT_FALSE(refused.stream);
    EXPECT_EQ(get_from(pages, "/checkout/" + world_.id() + "/state").status, 200U);

    first = {};
    EXPECT_EQ(get_from(pages, path).status, 200U) << "the end of a stream makes room for another";
}

TEST_F(CheckoutPagesTest, AllPaymentsTogetherHaveOnlySoManyEventStreams) {
    CheckoutPages pages(world_.service, world_.finder, world_.feed, world_.detected, world_.network,
                        world_.clock, {.all = 2, .per_holder = 2});
    auto const events_of = [&](std::uint8_t number) {
        world_.state.payment.id = {make_uuid_v7(world_.clock.time, {number})};
        world_.store();
        return get_from(pages, "/checkout/" + world_.id() + "/events");
    };
    auto const first = events_of(10);
    auto second = events_of(11);
    EXPECT_EQ(events_of(12).status, 503U);
    second = {};
    EXPECT_EQ(events_of(12).status, 200U);
}

TEST_F(CheckoutPagesTest, AnUnknownPaymentTakesNoEventStream) {
    CheckoutPages pages(world_.service, world_.finder, world_.feed, world_.detected, world_.network,
                        world_.clock, {.all = 1, .per_holder = 1});
    PaymentId const unknown{make_uuid_v7(world_.clock.time, {99})};
    EXPECT_EQ(get_from(pages, "/checkout/" + to_string(unknown) + "/events").status, 404U);
    EXPECT_EQ(get_from(pages, "/checkout/" + world_.id() + "/events").status, 200U);
}

TEST_F(CheckoutPagesTest, ServesItsFilesForGoodUnderTheirVersion) {
    std::string const body = get_page().body;
    auto const begin = body.find("/checkout/assets/checkout.js?v=");
    ASSERT_NE(begin, std::string::npos);
    std::string const version = body.substr(begin + 31, 16);
    auto const script = get("/checkout/assets/checkout.js", "v=" + version);
    EXPECT_EQ(script.status, 200U);
    EXPECT_TRUE(header(script, "content-type").starts_with("text/javascript"));
    EXPECT_TRUE(header(script, "cache-control").contains("immutable"));
    EXPECT_LT(script.body.size(), 10'240U);
    auto const other = get("/checkout/assets/checkout.js", "v=old");
    EXPECT_EQ(header(other, "cache-control"), "no-cache");
    HttpHeaders const known{{"if-none-match", header(script, "etag")}};
    EXPECT_EQ(get("/checkout/assets/checkout.js", "", known).status, 304U);
    EXPECT_EQ(get("/checkout/assets/other").status, 404U);
}

TEST_F(CheckoutPagesTest, AnswersOnlyGet) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/checkout/" + world_.id();
    EXPECT_EQ(run_task(world_.io, pages_.handle(request)).status, 405U);
}

TEST(CheckoutPath, FollowsThePublicUrl) {
    PageWorld world;
    world.network.public_url = "https://shop.example/pay";
    CheckoutPages pages(world.service, world.finder, world.feed, world.detected, world.network,
                        world.clock);
    HttpRequest request;
    request.method = "GET";
    request.path = "/checkout/" + world.id();
    request.headers = {{"host", "evil.example"}};
    std::string const body = run_task(world.io, pages.handle(request)).body;
    EXPECT_TRUE(body.contains("href=\"/pay/checkout/assets/checkout.css?v="));
    EXPECT_TRUE(body.contains("data-events=\"/pay/checkout/" + world.id() + "/events"));
    EXPECT_FALSE(body.contains("evil"));
}

}  // namespace
}  // namespace sycee
