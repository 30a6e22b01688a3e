#include <sycee/net/http_server.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>
#include <sycee/webhook/signature.hpp>

#include "run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

namespace sycee {
namespace {

constexpr char const* kBody = R"({"type":"payment.settled"})";

// A shop on the loopback that keeps what it is sent.
class Shop {
  public:
    Shop()
        : server_(io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                  [this](HttpRequest const& request) { return answer(request); }) {
        delivery.told.event.id = EventId{.uuid = {.bytes = {1, 2, 3}}};
        delivery.url = url("http");
        delivery.sealed_secret = box_.seal(secret_);
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
        return run_task(io_, sender.send(delivery, kBody, now));
    }

    std::string signature() const {
        return sign_webhook(secret_, to_string(delivery.told.event.id), now, kBody).value();
    }

    PendingDelivery delivery;
    Timestamp now = timestamp_from_seconds(1'700'000'000);
    HttpResponse reply = text_response(204, "text/plain", "");
    std::vector<HttpRequest> received;

  private:
    Task<HttpResponse> answer(HttpRequest const& request) {
        received.push_back(request);
        co_return reply;
    }

    boost::asio::io_context io_;
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

TEST(HttpWebhookSender, AnyStatusIsAnAnswerAndRedirectsAreNotFollowed) {
    Shop shop;
    shop.reply = text_response(500, "text/plain", "no");
    EXPECT_EQ(shop.send(true).status, 500u);
    shop.reply = text_response(302, "text/plain", "").with("location", shop.url("http"));
    EXPECT_EQ(shop.send(true).status, 302u);
    EXPECT_EQ(shop.received.size(), 2u);
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
    shop.delivery.sealed_secret = SecretBox(Bytes32{8}).seal(Secret("whsec_x"));
    EXPECT_EQ(shop.send(true).error, "the signing secret can't be used");
    shop.delivery.url = "ftp://127.0.0.1/";
    EXPECT_EQ(shop.send(true).status, 0u);
    EXPECT_TRUE(shop.received.empty());
}

}  // namespace
}  // namespace sycee
