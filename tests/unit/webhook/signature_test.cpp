#include <sycee/crypto/base64.hpp>
#include <sycee/webhook/signature.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace sycee {
namespace {

std::string secret_of(std::size_t bytes) {
    return "whsec_" + to_base64(std::vector<std::uint8_t>(bytes, 7));
}

// The vector of the Standard Webhooks specification.
TEST(SignWebhook, GivesThePublishedVector) {
    auto const signature = sign_webhook(
        Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_from_seconds(1614265330), R"({"test": 2432232314})");
    ASSERT_TRUE(signature);
    EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SignWebhook, CountsWholeSeconds) {
    Secret const secret(secret_of(24));
    auto const early =
        sign_webhook(secret, "evt_1", Timestamp{std::chrono::milliseconds{5000}}, "{}");
    auto const late =
        sign_webhook(secret, "evt_1", Timestamp{std::chrono::milliseconds{5999}}, "{}");
    auto const next =
        sign_webhook(secret, "evt_1", Timestamp{std::chrono::milliseconds{6000}}, "{}");
    EXPECT_EQ(early, late);
    EXPECT_NE(early, next);
}

TEST(WebhookSecret, TakesTwentyFourToSixtyFourBytes) {
    for (std::size_t const bytes : {24u, 32u, 64u}) {
        EXPECT_TRUE(check_webhook_secret(Secret(secret_of(bytes)))) << bytes;
    }
    for (std::size_t const bytes : {0u, 1u, 23u, 65u}) {
        EXPECT_FALSE(check_webhook_secret(Secret(secret_of(bytes)))) << bytes;
    }
}

TEST(WebhookSecret, RefusalsDoNotQuoteIt) {
    for (auto const* text :
         {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "}) {
        auto const checked = check_webhook_secret(Secret(text));
        ASSERT_FALSE(checked) << text;
        EXPECT_FALSE(to_string(checked.error()).contains("MfKQ")) << text;
        EXPECT_FALSE(sign_webhook(Secret(text), "evt_1", Timestamp{}, "{}")) << text;
    }
}

}  // namespace
}  // namespace sycee
