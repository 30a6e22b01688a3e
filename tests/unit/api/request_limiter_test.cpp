#include "../../../src/api/request_limiter.hpp"

#include "api_fixture.hpp"

namespace sycee {
namespace {

using std::chrono::seconds;

TEST(RequestLimiter, AKeyHasItsRequestsOfAMinuteAndThenWaitsForItsEnd) {
    RequestLimiter limiter(2);
    auto const key = id_of<ApiKeyId>(1);
    auto const first = limiter.take(key, kNow);
    EXPECT_TRUE(first.is_allowed);
    EXPECT_EQ(first.remaining, 1U);
    EXPECT_EQ(first.reset_in, seconds(60));
    EXPECT_TRUE(limiter.take(key, kNow + seconds(10)).is_allowed);
    auto const third = limiter.take(key, kNow + std::chrono::milliseconds(59'500));
    EXPECT_FALSE(third.is_allowed);
    EXPECT_EQ(third.remaining, 0U);
    EXPECT_EQ(third.reset_in, seconds(1));
    EXPECT_TRUE(limiter.take(id_of<ApiKeyId>(2), kNow).is_allowed);
    EXPECT_TRUE(limiter.take(key, kNow + seconds(60)).is_allowed);
}

TEST(RequestLimiter, AClockThatIsSetBackClosesNoKeyOut) {
    RequestLimiter limiter(1);
    auto const key = id_of<ApiKeyId>(1);
    limiter.take(key, kNow);
    EXPECT_FALSE(limiter.take(key, kNow).is_allowed);
    EXPECT_TRUE(limiter.take(key, kNow - std::chrono::hours(1)).is_allowed);
}

class LimitedApi : public MerchantApiTest {
  protected:
    MerchantApi limited_{services_, metrics_, {.requests_per_minute = 2}};
};

TEST_F(LimitedApi, EachAnswerSaysWhatIsLeftAndThenWhenToComeBack) {
    auto const ask = [this] { return run_task(limited_.handle(request("GET", "/v1/payments"))); };
    EXPECT_EQ(header(ask(), "ratelimit"), R"("key";r=1;t=60)");
    auto const last = ask();
    EXPECT_EQ(last.status, 200U);
    EXPECT_EQ(header(last, "ratelimit-policy"), R"("key";q=2;w=60)");
    auto const refused = ask();
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(problem(refused).at("code"), "rate_limited");
    EXPECT_EQ(header(refused, "retry-after"), "60");
    EXPECT_EQ(header(refused, "ratelimit"), R"("key";r=0;t=60)");
    clock_.time = kNow + seconds(60);
    EXPECT_EQ(ask().status, 200U);
    key_ = "sk_live_wrong";
    EXPECT_EQ(header(ask(), "ratelimit"), "");
}

TEST_F(MerchantApiTest, AnAnswerThatIsStillTheSameIsNotSentAgain) {
    auto const id = add_payment(1, merchant_);
    auto asked = request("GET", "/v1/payments/" + to_string(id));
    auto const first = send(asked);
    auto const tag = header(first, "etag");
    EXPECT_EQ(tag.size(), 34U);
    EXPECT_EQ(header(first, "cache-control"), "private, no-cache");
    asked.headers.emplace_back("if-none-match", "\"other\", W/" + tag);
    auto const same = send(asked);
    EXPECT_EQ(same.status, 304U);
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(header(same, "etag"), tag);
    EXPECT_EQ(header(same, "content-type"), "");
    payments_.states[0].payment.reference = "changed";
    auto const changed = send(asked);
    EXPECT_EQ(changed.status, 200U);
    EXPECT_NE(header(changed, "etag"), tag);
    EXPECT_EQ(header(send(post("{}")), "etag"), "");
}

}  // namespace
}  // namespace sycee
