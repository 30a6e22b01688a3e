#include <sycee/net/http_server.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>
#include <sycee/webhook/signature.hpp>

#include "run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace sycee {
namespace {

constexpr char const* kBody = R"({"type":"payment.settled"})";

// A shop on the loopback that keeps what it is sent.
class Shop {
    boost::asio::io_context io_;  // outlives what is kept of connections

  public:
    Shop()
        : server_(io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                  [this](HttpRequest const& request) { return answer(request); }) {
        delivery.told.event.id = EventId{.uuid = {.bytes = {1, 2, 3}}};
        delivery.url = url("http");
        delivery.sealed_secrets = {box_.seal(secret_)};
    }

    std::string url(std::string const& scheme) const {
        return scheme + "://127.0.0.1:" + std::to_string(server_.port()) + "/hook?shop=1";
    }

    WebhookAnswer send(bool allow_private_addresses) {
        HttpWebhookSender sender(io_.get_executor(), box_,
                                 {.allow_private_addresses = allow_private_addresses});
        if (!serving_) {
            serving_ = true;
            boost::asio::co_spawn(io_, server_.run(), [](std::exception_ptr) {});
        }
        return run_task(io_, sender.send(delivery, kBody, now, kept));
    }

    // A new secret, with the one before it still valid.
    void rotate(std::string const& secret) {
        delivery.sealed_secrets.insert(delivery.sealed_secrets.begin(), box_.seal(Secret(secret)));
        secret_ = Secret(secret);
    }

    std::string signature() const {
        return sign_webhook(secret_, to_string(delivery.told.event.id), now, kBody).value();
    }

    std::uint16_t port() const { return server_.port(); }

    PendingDelivery delivery;
    Timestamp now = timestamp_from_seconds(1'700'000'000);
    std::unique_ptr<WebhookPort::Kept> kept;
    HttpResponse reply = text_response(204, "text/plain", "");
    std::vector<HttpRequest> received;

  private:
    Task<HttpResponse> answer(HttpRequest const& request) {
        received.push_back(request);
        co_return reply;
    }

    SecretBox box_{Bytes32{9}};
    Secret secret_{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    HttpServer server_;
    bool serving_ = false;
};

TEST(HttpWebhookSender, PostsTheSignedEvent) {
    Shop shop;
    auto const sent = shop.send(true);
    EXPECT_EQ(sent.status, 204u) << sent.error;
    EXPECT_EQ(sent.error, "");
    ASSERT_EQ(shop.received.size(), 1u);
    auto const& request = shop.received[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/hook?shop=1");
    EXPECT_EQ(request.body, kBody);
    EXPECT_EQ(request.header("content-type"), "application/json");
    EXPECT_EQ(request.header("user-agent"), "Sycee/0.1");
    EXPECT_EQ(request.header("webhook-id"), to_string(shop.delivery.told.event.id));
    EXPECT_EQ(request.header("webhook-timestamp"), "1700000000");
    EXPECT_EQ(request.header("webhook-signature"), shop.signature());
}

TEST(HttpWebhookSender, KeepsAClientForTheSameUrlAndNoneThatFailed) {
    Shop shop;
    EXPECT_EQ(shop.send(true).status, 204u);
    auto const* const first = shop.kept.get();
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(shop.send(true).status, 204u);
    EXPECT_EQ(shop.kept.get(), first);
    shop.delivery.url += "&again=1";
    EXPECT_EQ(shop.send(true).status, 204u);
    EXPECT_EQ(shop.received.back().target, "/hook?shop=1&again=1");
    // Nothing is kept of one that failed.
    shop.delivery.url = "http://127.0.0.1:1/";
    EXPECT_EQ(shop.send(true).status, 0u);
    EXPECT_EQ(shop.kept, nullptr);
}

TEST(HttpWebhookSender, AnyStatusIsAnAnswerAndRedirectsAreNotFollowed) {
    Shop shop;
    shop.reply = text_response(500, "text/plain", "no");
    EXPECT_EQ(shop.send(true).status, 500u);
    shop.reply = text_response(302, "text/plain", "").with("location", shop.url("http"));
    EXPECT_EQ(shop.send(true).status, 302u);
    EXPECT_EQ(shop.received.size(), 2u);
}

TEST(HttpWebhookSender, SignsWithEverySecretThatIsValid) {
    Shop shop;
    auto const before = shop.signature();
    shop.rotate("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    EXPECT_EQ(shop.send(true).status, 204u);
    EXPECT_EQ(shop.received.at(0).header("webhook-signature"), shop.signature() + " " + before);
}

TEST(HttpWebhookSender, GivesBackTheBeginningOfTheAnswerAndThePauseAskedFor) {
    Shop shop;
    shop.reply = text_response(503, "text/html", "<b>\xff\n" + std::string(2'000, 'x'))
                     .with("retry-after", "7");
    auto const sent = shop.send(true);
    EXPECT_EQ(sent.status, 503u);
    EXPECT_EQ(sent.body, "<b>? " + std::string(1024 - 5, 'x'));
    EXPECT_EQ(sent.retry_after, std::chrono::seconds(7));
    shop.reply = text_response(429, "text/plain", std::string(3, '\0'))
                     .with("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT");
    EXPECT_EQ(shop.send(true).retry_after, std::chrono::minutes(1));
    shop.reply = text_response(429, "text/plain", "").with("retry-after", "999999999");
    EXPECT_EQ(shop.send(true).retry_after, std::chrono::hours(24));
    shop.reply = text_response(429, "text/plain", "").with("retry-after", "later");
    EXPECT_EQ(shop.send(true).retry_after, std::nullopt);
}

TEST(HttpWebhookSender, AnAnswerThatIsTooLargeIsNone) {
    Shop shop;
    shop.reply = text_response(200, "text/plain", std::string(65 * 1024, 'x'));
    auto const sent = shop.send(true);
    EXPECT_EQ(sent.status, 0u);
    EXPECT_NE(sent.error, "");
}

TEST(HttpWebhookSender, ReachesNoPrivateAddress) {
    Shop shop;
    for (auto const* scheme : {"http", "https"}) {
        shop.delivery.url = shop.url(scheme);
        auto const sent = shop.send(false);
        EXPECT_EQ(sent.status, 0u) << scheme;
        EXPECT_NE(sent.error, "") << scheme;
        EXPECT_FALSE(sent.error.contains("/hook")) << sent.error;
    }
    // A name is judged by what it resolves to.
    shop.delivery.url = "https://localhost:1/";
    EXPECT_TRUE(shop.send(false).error.contains("not allowed"));
    EXPECT_TRUE(shop.received.empty());
}

// However an address is written, it is looked at as what is connected to.
TEST(HttpWebhookSender, ReachesNoPrivateAddressHoweverItIsWritten) {
    Shop shop;
    std::string const port = ":" + std::to_string(shop.port());
    for (auto const* host : {"127.0.0.1",
                             "127.1",
                             "127.0.1",
                             "127.255.255.254",
                             "2130706433",
                             "0x7f000001",
                             "0x7f.0.0.1",
                             "0x7F.1",
                             "0177.0.0.1",
                             "017700000001",
                             "0177.0.0.01",
                             "127.0.0.1.",
                             "0",
                             "0.0.0.0",
                             "0x0",
                             "localhost",
                             "LOCALHOST",
                             "localhost.",
                             "LocalHost",
                             "ip6-localhost",
                             "[::1]",
                             "[::]",
                             "[0:0:0:0:0:0:0:1]",
                             "[0000::0001]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[::127.0.0.1]",
                             "[0:0:0:0:0:ffff:7f00:0001]",
                             "[64:ff9b::7f00:1]",
                             "[64:ff9b::127.0.0.1]",
                             "[2002:7f00:1::]",
                             "[2001:0:7f00:1::]",
                             "[fe80::1]",
                             "[fe80::1%25lo]",
                             "[fe80::1%lo]",
                             "[fc00::1]",
                             "[fd00:ec2::254]",
                             "[ff02::1]",
                             "[100::1]",
                             "[2001:db8::1]",
                             "10.0.0.1",
                             "10.255.255.255",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.0.1",
                             "192.168.1",
                             "169.254.169.254",
                             "0xa9fea9fe",
                             "2852039166",
                             "0251.0376.0251.0376",
                             "100.64.0.1",
                             "198.18.0.1",
                             "224.0.0.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "4294967295",
                             "user@127.0.0.1",
                             "8.8.8.8@127.0.0.1",
                             "127.0.0.1%00.a.com",
                             "127.0.0.1#@8.8.8.8",
                             "127.0.0.1\\@8.8.8.8",
                             "127。0。0。1",
                             "①②⑦.0.0.1",
                             "8.8.8.8 127.0.0.1"}) {
        shop.delivery.url = "https://" + std::string(host) + port + "/hook";
        auto const sent = shop.send(false);
        EXPECT_EQ(sent.status, 0u) << host;
        EXPECT_NE(sent.error, "") << host;
    }
    EXPECT_TRUE(shop.received.empty());
}

TEST(WebhookDestination, IsRefusedWhereNothingCouldBeDelivered) {
    for (auto const* good :
         {"https://shop.example/hook", "https://8.8.8.8/", "https://localhost/"}) {
        EXPECT_TRUE(webhook_destination(good, false)) << good;
        EXPECT_TRUE(webhook_destination(good, true)) << good;
    }
    for (auto const* private_only : {"http://shop.example/", "https://127.0.0.1/hook",
                                     "https://10.0.0.1:8443/", "https://[::1]/"}) {
        auto const refused = webhook_destination(private_only, false);
        ASSERT_FALSE(refused) << private_only;
        EXPECT_TRUE(to_string(refused.error()).contains("allow_private_addresses = true"));
        EXPECT_TRUE(webhook_destination(private_only, true)) << private_only;
    }
    for (auto const* bad :
         {"", "shop.example", "ws://shop.example/", "wss://shop.example/", "ftp://shop.example/",
          "https://", "https://user:hunter2@shop.example/"}) {
        EXPECT_FALSE(webhook_destination(bad, false)) << bad;
        auto const refused = webhook_destination(bad, true);
        ASSERT_FALSE(refused) << bad;
        EXPECT_FALSE(to_string(refused.error()).contains("hunter2"));
    }
}

TEST(HttpWebhookSender, SendsNothingUnsigned) {
    Shop shop;
    shop.delivery.sealed_secrets = {SecretBox(Bytes32{8}).seal(Secret("whsec_x"))};
    EXPECT_EQ(shop.send(true).error, "the signing secret can't be used");
    shop.delivery.url = "ftp://127.0.0.1/";
    EXPECT_EQ(shop.send(true).status, 0u);
    EXPECT_TRUE(shop.received.empty());
}

}  // namespace
}  // namespace sycee
