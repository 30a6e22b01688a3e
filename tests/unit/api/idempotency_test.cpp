#include "../../../src/api/idempotency.hpp"

#include "api_fixture.hpp"

namespace sycee {
namespace {

constexpr char const* kBody = R"({"amount": "50.00", "currency": "USD"})";

class Idempotency : public MerchantApiTest {
  protected:
    HttpResponse create(std::string key, std::string body = kBody) {
        auto made = post(std::move(body));
        made.headers.emplace_back("idempotency-key", std::move(key));
        return send(made);
    }
};

TEST_F(Idempotency, TheSameRequestAgainIsAnsweredAlikeAndCreatesNothing) {
    auto const first = create("order-1001/1");
    auto const second = create("order-1001/1");
    EXPECT_EQ(first.status, 201U) << first.body;
    EXPECT_EQ(second.status, 201U);
    EXPECT_EQ(second.body, first.body);
    EXPECT_EQ(header(second, "location"), header(first, "location"));
    EXPECT_EQ(header(first, "idempotent-replayed"), "");
    EXPECT_EQ(header(second, "idempotent-replayed"), "true");
    EXPECT_EQ(payments_.states.size(), 1U);
}

TEST_F(Idempotency, AKeyInQuotesIsTheSameKeyAsWithout) {
    auto const first = create(R"("8e03978e-40d5-43dd-bc93-6894a57f9324")");
    auto const second = create("8e03978e-40d5-43dd-bc93-6894a57f9324");
    EXPECT_EQ(second.body, first.body);
    EXPECT_EQ(create(R"("a\"b")").status, 201U);
    EXPECT_EQ(create("a\"b").body, create(R"("a\"b")").body);
    EXPECT_EQ(payments_.states.size(), 2U);
}

TEST_F(Idempotency, AnotherRequestWithTheKeyIsRefused) {
    create("once");
    auto const other = create("once", R"({"amount": "51.00", "currency": "USD"})");
    EXPECT_EQ(other.status, 422U);
    EXPECT_EQ(problem(other).at("code"), "idempotency_key_reused");
    EXPECT_EQ(payments_.states.size(), 1U);
}

TEST_F(Idempotency, WhatWasRefusedMayBeSentAnewWithItsKey) {
    EXPECT_EQ(create("once", R"({"amount": "0", "currency": "USD"})").status, 400U);
    payments_.fault = std::make_exception_ptr(Unavailable("the database is away"));
    EXPECT_EQ(create("once").status, 503U);
    payments_.fault = nullptr;
    EXPECT_EQ(create("once").status, 201U);
    EXPECT_EQ(payments_.states.size(), 1U);
}

TEST_F(Idempotency, KeysAreOfAMerchant) {
    auto const mine = create("once");
    key_ = add_key(2, other_merchant_);
    auto const theirs = create("once", R"({"amount": "51.00", "currency": "USD"})");
    EXPECT_EQ(theirs.status, 201U);
    EXPECT_NE(theirs.body, mine.body);
    // Any key of the merchant's.
    key_ = add_key(3, merchant_);
    EXPECT_EQ(create("once").body, mine.body);
}

TEST_F(Idempotency, WithoutAKeyEachRequestCreates) {
    send(post(kBody));
    send(post(kBody));
    EXPECT_EQ(payments_.states.size(), 2U);
    EXPECT_TRUE(payments_.keys.empty());
}

TEST_F(Idempotency, ReadingTakesNoKey) {
    auto read = request("GET", "/v1/payments");
    read.headers.emplace_back("idempotency-key", "once");
    EXPECT_EQ(send(read).status, 200U);
    EXPECT_TRUE(payments_.keys.empty());
}

TEST_F(Idempotency, AKeyThatIsNoneIsRefused) {
    for (std::string const& key :
         {std::string(), std::string("\"\""), std::string(256, 'k'), std::string("two words"),
          std::string("\"open"), std::string(R"("a"b")"), std::string(R"("a\b")"),
          std::string("caf\xc3\xa9"), std::string("\"a\", \"b\"")}) {
        auto const response = create(key);
        EXPECT_EQ(response.status, 400U) << key;
        EXPECT_TRUE(
            problem(response).at("detail").get<std::string>().starts_with("Idempotency-Key: "));
    }
    auto twice = post(kBody);
    twice.headers.emplace_back("idempotency-key", "a");
    twice.headers.emplace_back("idempotency-key", "a");
    EXPECT_EQ(send(twice).status, 400U);
    EXPECT_EQ(create(std::string(255, 'k')).status, 201U);
    EXPECT_EQ(payments_.states.size(), 1U);
}

TEST(RunningKeys, AKeyIsHeldByOneRequestAtATime) {
    RunningKeys keys;
    RunningKeys::Name const name{MerchantId{}, "once"};
    {
        RunningKeys::Hold const first(keys, name);
        EXPECT_TRUE(first);
        EXPECT_FALSE(RunningKeys::Hold(keys, name));
        // That it was refused leaves the first one's hold alone.
        EXPECT_FALSE(RunningKeys::Hold(keys, name));
        EXPECT_TRUE(RunningKeys::Hold(keys, {MerchantId{}, "another"}));
    }
    EXPECT_TRUE(RunningKeys::Hold(keys, name));
}

}  // namespace
}  // namespace sycee
