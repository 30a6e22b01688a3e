// Pins: what an endpoint may be, that its secret is shown when it is made and when it is rotated
// and at no other time, and that no merchant learns of another's.
#include <sycee/app/webhook_json.hpp>

#include "api_fixture.hpp"

namespace sycee {
namespace {

class WebhooksTest : public MerchantApiTest {
  protected:
    HttpResponse call(std::string method, std::string path, std::string body = "",
                      std::string key = "") {
        auto made = request(std::move(method), std::move(path));
        if (!key.empty()) made.headers.emplace_back("idempotency-key", std::move(key));
        if (!body.empty()) made.headers.emplace_back("content-type", "application/json");
        made.body = std::move(body);
        return send(made);
    }
    Json create(std::string const& body = R"({"url": "https://shop.example/hook"})") {
        auto const response = call("POST", kPath, body);
        EXPECT_EQ(response.status, 201U) << response.body;
        return Json::parse(response.body);
    }
    std::string path_of(Json const& endpoint, std::string const& below = "") const {
        return kPath + "/" + endpoint.at("id").get<std::string>() + below;
    }
    DeliveryKey add_delivery(Json const& endpoint, std::uint8_t number, bool has_failed) {
        DeliveryKey const key{merchant_,
                              *parse_id<WebhookEndpointTag>(endpoint.at("id").get<std::string>()),
                              id_of<EventId>(number)};
        DeliveryDetail detail;
        detail.delivery = {
            .key = key, .event_type = std::string(kTestEvent), .created_at = kNow, .attempts = 10};
        if (!has_failed) detail.delivery.delivered_at = kNow;
        detail.told.event.id = key.event_id;
        detail.told.event.type = kTestEvent;
        detail.told.event.created_at = kNow;
        detail.attempts.push_back(
            {.key = key, .attempt = 1, .at = kNow, .status = 500, .answer = "<b>no</b>"});
        webhooks_.delivered[key] = detail;
        return key;
    }

    std::string const kPath = "/v1/webhook-endpoints";
};

TEST_F(WebhooksTest, ShowsTheSecretOnce) {
    auto const created = create();
    auto const secret = created.at("secret").get<std::string>();
    EXPECT_TRUE(secret.starts_with("whsec_"));
    EXPECT_EQ(secret.size(), 6U + 44U);
    EXPECT_EQ(created.at("events"), Json::array({"*"}));
    EXPECT_EQ(created.at("enabled"), true);
    auto const stored = webhooks_.rows.begin()->second;
    EXPECT_EQ(box_.open(stored.sealed_secret)->reveal(), secret);

    for (std::string const& path : {kPath, path_of(created)})
        EXPECT_FALSE(call("GET", path).body.contains("whsec_")) << path;
    EXPECT_FALSE(call("POST", path_of(created), R"({"description": "x"})").body.contains("whsec_"));

    auto const rotated = Json::parse(call("POST", path_of(created, "/rotate-secret")).body);
    EXPECT_NE(rotated.at("secret"), secret);
    EXPECT_EQ(rotated.at("previous_secret_until"), to_rfc3339(kNow + std::chrono::hours(24)));
    EXPECT_FALSE(call("GET", path_of(created)).body.contains("whsec_"));
}

TEST_F(WebhooksTest, CreatesAndRotatesOnceForAnIdempotencyKeyThoughACrashCutTheAnswerOff) {
    std::string const body = R"({"url": "https://shop.example/hook"})";
    auto const lose_the_answer = [&](std::string const& path, std::string const& text,
                                     std::string const& key) {
        payments_.keep_fault = std::make_exception_ptr(Unavailable("the database is away"));
        EXPECT_EQ(call("POST", path, text, key).status, 503U);
        payments_.keep_fault = nullptr;
        return call("POST", path, text, key);
    };
    auto const created = lose_the_answer(kPath, body, "create-1");
    ASSERT_EQ(created.status, 201U) << created.body;
    EXPECT_EQ(webhooks_.rows.size(), 1U);
    Json const endpoint = Json::parse(created.body);
    EXPECT_EQ(header(created, "location"), path_of(endpoint));
    auto const secret = [this] {
        return box_.open(webhooks_.rows.begin()->second.sealed_secret)->reveal();
    };
    EXPECT_EQ(endpoint.at("secret"), secret());
    EXPECT_EQ(call("POST", kPath, body, "create-1").body, created.body);

    auto const rotated = lose_the_answer(path_of(endpoint, "/rotate-secret"), "{}", "rotate-1");
    ASSERT_EQ(rotated.status, 200U) << rotated.body;
    EXPECT_EQ(Json::parse(rotated.body).at("secret"), secret());
    EXPECT_EQ(call("POST", path_of(endpoint, "/rotate-secret"), "{}", "rotate-1").body,
              rotated.body);
    // The one that was shown first is given again as it was, though another one signs by now.
    EXPECT_EQ(call("POST", kPath, body, "create-1").body, created.body);

    auto const test = lose_the_answer(path_of(endpoint, "/test"), "", "test-1");
    EXPECT_EQ(test.status, 202U) << test.body;
    EXPECT_EQ(webhooks_.delivered.size(), 1U);
}

TEST_F(WebhooksTest, NoSecretIsKeptInClearWithAnAnswer) {
    auto const created = call("POST", kPath, R"({"url": "https://shop.example/hook"})", "create-1");
    auto const secret = Json::parse(created.body).at("secret").get<std::string>();
    auto const& kept = payments_.keys.at({merchant_, "create-1"}).answer;
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->body.find(secret), std::string::npos);
    EXPECT_EQ(kept->body.find("whsec_"), std::string::npos);
}

TEST_F(WebhooksTest, KeepsTheOldSecretForAsLongAsIsSaid) {
    auto const created = create();
    auto const rotate = [&](std::string const& body) {
        return call("POST", path_of(created, "/rotate-secret"), body);
    };
    EXPECT_EQ(Json::parse(rotate(R"({"overlap_seconds": 0})").body).at("previous_secret_until"),
              nullptr);
    EXPECT_EQ(rotate(R"({"overlap_seconds": 604800})").status, 200U);
    for (auto const* bad : {R"({"overlap_seconds": -1})", R"({"overlap_seconds": 604801})",
                            R"({"overlap_seconds": "1"})", R"({"overlap": 1})"})
        EXPECT_EQ(rotate(bad).status, 400U) << bad;
}

TEST_F(WebhooksTest, TakesNoEndpointThatNothingCouldBeDeliveredTo) {
    for (auto const& [body, field] : std::vector<std::pair<std::string, std::string>>{
             {R"({})", "url"},
             {R"({"url": 1})", "url"},
             {R"({"url": "http://shop.example"})", "url"},
             {R"({"url": "https://)" + std::string(2'000, 'x') + "\"}", "url"},
             {R"({"url": "https://a.example", "events": []})", "events"},
             {R"({"url": "https://a.example", "events": "*"})", "events"},
             {R"({"url": "https://a.example", "events": [1]})", "events/0"},
             {R"({"url": "https://a.example", "events": ["payment.setled"]})", "events"},
             {R"({"url": "https://a.example", "events": ["webhook.test"]})", "events"},
             {R"({"url": "https://a.example", "events": ["*", "payment.settled"]})", "events"},
             {R"({"url": "https://a.example", "events": ["refund.paid", "refund.paid"]})",
              "events"},
             {R"({"url": "https://a.example", "description": "a\u0000b"})", "description"},
             {R"({"url": "https://a.example", "description": ")" + std::string(501, 'x') + "\"}",
              "description"},
             {R"({"url": "https://a.example", "enabled": false})", "enabled"},
             {R"({"url": "https://a.example", "secret": "whsec_x"})", "secret"}}) {
        auto const response = call("POST", kPath, body);
        ASSERT_EQ(response.status, 400U) << body;
        auto const errors = problem(response).at("errors");
        EXPECT_EQ(errors.at(0).at("field"), field) << body;
        EXPECT_FALSE(response.body.contains("whsec_x"));
    }
    EXPECT_TRUE(webhooks_.rows.empty());
}

TEST_F(WebhooksTest, AMerchantHasAtMostSixteen) {
    for (std::size_t i = 0; i < kMostEndpoints; ++i)
        create();
    auto const refused = call("POST", kPath, R"({"url": "https://shop.example/"})");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_EQ(webhooks_.rows.size(), 16U);
}

TEST_F(WebhooksTest, AreChangedAndDeleted) {
    auto const created = create();
    auto const changed = Json::parse(
        call("POST", path_of(created),
             R"({"events": ["payment.settled"], "description": "orders", "enabled": false})")
            .body);
    EXPECT_EQ(changed.at("url"), "https://shop.example/hook");
    EXPECT_EQ(changed.at("events"), Json::array({"payment.settled"}));
    EXPECT_EQ(changed.at("enabled"), false);
    EXPECT_EQ(changed.at("disabled_reason"), "merchant");
    EXPECT_EQ(call("POST", path_of(created), R"({"url": "ftp://x"})").status, 400U);
    EXPECT_EQ(call("POST", path_of(created, "/test")).status, 409U);
    EXPECT_EQ(
        call("POST", path_of(created, "/redeliver-failed"), R"({"since": "2026-11-26T00:00:00Z"})")
            .status,
        409U);
    auto const again = Json::parse(call("POST", path_of(created), R"({"enabled": true})").body);
    EXPECT_EQ(again.at("disabled_at"), nullptr);
    EXPECT_EQ(call("DELETE", path_of(created)).status, 200U);
    EXPECT_EQ(call("DELETE", path_of(created)).status, 404U);
    EXPECT_EQ(call("GET", path_of(created)).status, 404U);
}

TEST_F(WebhooksTest, ATestIsSentAsAnyEvent) {
    auto const created = create();
    auto const response = call("POST", path_of(created, "/test"));
    ASSERT_EQ(response.status, 202U) << response.body;
    auto const delivery = Json::parse(response.body);
    EXPECT_EQ(delivery.at("status"), "pending");
    auto const body = Json::parse(delivery.at("request_body").get<std::string>());
    EXPECT_EQ(body.at("type"), "webhook.test");
    EXPECT_EQ(header(response, "location"),
              "/v1/webhook-deliveries/" + delivery.at("id").get<std::string>());
}

TEST_F(WebhooksTest, DeliveriesAreListedShownAndSentAgain) {
    auto const created = create();
    for (std::uint8_t number = 1; number <= 5; ++number)
        add_delivery(created, number, number > 3);
    auto const list = [&](std::string const& query) {
        return Json::parse(send(request("GET", path_of(created, "/deliveries"), query)).body);
    };
    EXPECT_EQ(list("").at("data").size(), 5U);
    EXPECT_EQ(list("status=failed").at("data").size(), 2U);
    auto const first = list("limit=2&status=delivered");
    ASSERT_EQ(first.at("data").size(), 2U);
    EXPECT_EQ(first.at("has_more"), true);
    auto const next = list("status=delivered&after=" + first.at("next_cursor").get<std::string>());
    EXPECT_EQ(next.at("data").size(), 1U);
    for (auto const* bad : {"status=gone", "after=whd_x", "limit=0", "page=2"})
        EXPECT_EQ(send(request("GET", path_of(created, "/deliveries"), bad)).status, 400U) << bad;

    std::string const path =
        "/v1/webhook-deliveries/" + first.at("data")[0].at("id").get<std::string>();
    auto const shown = Json::parse(call("GET", path).body);
    EXPECT_EQ(shown.at("attempts")[0].at("answer"), "<b>no</b>");
    auto const again = call("POST", path + "/redeliver");
    EXPECT_EQ(again.status, 202U);
    EXPECT_EQ(Json::parse(again.body).at("status"), "pending");

    auto const all =
        call("POST", path_of(created, "/redeliver-failed"), R"({"since": "2026-01-01T00:00:00Z"})");
    EXPECT_EQ(all.status, 202U) << all.body;
    EXPECT_EQ(Json::parse(all.body).at("redelivering"), 2);
    for (auto const* bad :
         {R"({})", R"({"since": "yesterday"})", R"({"since": "2026-02-30T00:00:00Z"})",
          R"({"since": "2026-01-01T00:00:00Z x"})", R"({"since": 0})"})
        EXPECT_EQ(call("POST", path_of(created, "/redeliver-failed"), bad).status, 400U) << bad;
}

TEST_F(WebhooksTest, OfAnotherMerchantAreNotThere) {
    auto const created = create();
    auto const delivery = delivery_id(add_delivery(created, 1, true));
    key_ = add_key(2, other_merchant_);
    EXPECT_EQ(Json::parse(call("GET", kPath).body).at("data").size(), 0U);
    for (std::string const& id : {created.at("id").get<std::string>(), std::string("we_x"),
                                  to_string(id_of<WebhookEndpointId>(99))}) {
        std::string const path = kPath + "/" + id;
        EXPECT_EQ(call("GET", path).status, 404U) << id;
        EXPECT_EQ(call("POST", path, R"({"enabled": false})").status, 404U) << id;
        EXPECT_EQ(call("DELETE", path).status, 404U) << id;
        EXPECT_EQ(call("POST", path + "/rotate-secret").status, 404U) << id;
        EXPECT_EQ(call("POST", path + "/test").status, 404U) << id;
        EXPECT_EQ(call("GET", path + "/deliveries").status, 404U) << id;
        EXPECT_EQ(
            call("POST", path + "/redeliver-failed", R"({"since": "2026-01-01T00:00:00Z"})").status,
            404U)
            << id;
    }
    for (std::string const& id : {delivery, std::string("whd_x"), std::string("whd_a_b")}) {
        EXPECT_EQ(call("GET", "/v1/webhook-deliveries/" + id).status, 404U) << id;
        EXPECT_EQ(call("POST", "/v1/webhook-deliveries/" + id + "/redeliver").status, 404U) << id;
    }
    EXPECT_EQ(webhooks_.rows.size(), 1U);
}

}  // namespace
}  // namespace sycee
