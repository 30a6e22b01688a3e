// Pins: a key is of one mode; what is simulated is a test payment of one's own, and nothing else is
// there.
#include "api_fixture.hpp"

namespace sycee {
namespace {

class TestModeApi : public MerchantApiTest {
  protected:
    TestModeApi() {
        network_.chains.push_back(test_chain_settings());
        registry_.set(kTestChainId, {.head_time = kNow, .agreed = 20, .finalized = 14, .rule = {}});
        live_key_ = key_;
        key_ = add_test_key(2, other_merchant_);
    }
    std::string add_test_key(std::uint8_t number, MerchantId merchant_id) {
        auto const id = id_of<ApiKeyId>(number);
        auto const key = make_api_key(id, Bytes32{number}, ApiKeyKind::full, false);
        add_key(number, merchant_id);
        api_keys_.keys[id].secret_hash = key.secret_hash;
        api_keys_.keys[id].livemode = false;
        return key.text.reveal();
    }
    Json create() {
        auto const response = send(post(R"({"amount": "50.00", "currency": "USD"})"));
        EXPECT_EQ(response.status, 201U) << response.body;
        return Json::parse(response.body);
    }
    HttpResponse simulate(std::string const& id, std::string body, std::string const& key = "") {
        auto made = post(std::move(body));
        if (!key.empty()) made.headers.emplace_back("idempotency-key", key);
        made.path = "/v1/test/payments/" + id + "/simulate";
        return send(made);
    }
    std::string live_key_;
};

TEST_F(TestModeApi, AKeyIsOfOneMode) {
    EXPECT_TRUE(key_.starts_with("sk_test_")) << key_;
    EXPECT_EQ(send(request("GET", "/v1/payments")).status, 200U);
    auto made = request("GET", "/v1/payments");
    auto renamed = key_;
    renamed.replace(3, 4, "live");
    made.headers = {{"authorization", "Bearer " + renamed}};
    EXPECT_EQ(send(made).status, 401U);
}

TEST_F(TestModeApi, ATestPaymentOffersTheTestChainAndALiveOneNever) {
    auto const test = create();
    EXPECT_EQ(test.at("livemode"), false);
    ASSERT_EQ(test.at("options").size(), 2U);
    for (auto const& option : test.at("options"))
        EXPECT_EQ(option.at("chain_id"), kTestChainId);
    key_ = live_key_;
    auto const live = create();
    EXPECT_EQ(live.at("livemode"), true);
    ASSERT_EQ(live.at("options").size(), 1U);
    EXPECT_EQ(live.at("options")[0].at("chain_id"), 31'337);
}

TEST_F(TestModeApi, ASimulationPutsATransferIntoTheNextBlock) {
    auto const payment = create();
    auto const response = simulate(payment.at("id"), R"({"outcome": "paid"})");
    ASSERT_EQ(response.status, 201U) << response.body;
    auto const json = Json::parse(response.body);
    EXPECT_EQ(json.at("object"), "simulation");
    EXPECT_EQ(json.at("livemode"), false);
    EXPECT_EQ(json.at("payment"), payment.at("id"));
    EXPECT_EQ(json.at("amount"), "50.000000");
    EXPECT_EQ(json.at("token"), "TUSDT");
    EXPECT_EQ(json.at("block_number"), 21);
    EXPECT_EQ(json.at("mined_at"), to_rfc3339(kNow + 21 * kTestBlockTime));
    EXPECT_TRUE(json.at("taken_back_at_block").is_null());
    ASSERT_EQ(test_chain_.transfers.size(), 1U);
    EXPECT_EQ(payment.at("deposit_address"), to_string(test_chain_.transfers[0].recipient));
}

TEST_F(TestModeApi, ASimulationIsDoneOnceForAnIdempotencyKeyThoughACrashCutTheAnswerOff) {
    std::string const id = create().at("id");
    std::string const body = R"({"outcome": "underpaid"})";
    payments_.keep_fault = std::make_exception_ptr(Unavailable("the database is away"));
    EXPECT_EQ(simulate(id, body, "half").status, 503U);
    payments_.keep_fault = nullptr;
    auto const told = simulate(id, body, "half");
    ASSERT_EQ(told.status, 201U) << told.body;
    EXPECT_EQ(Json::parse(told.body).at("amount"), "25.000000");
    EXPECT_EQ(Json::parse(told.body).at("outcome"), "underpaid");
    EXPECT_EQ(simulate(id, body, "half").body, told.body);
    EXPECT_EQ(test_chain_.transfers.size(), 1U);
}

TEST_F(TestModeApi, WhatIsWrongIsNamed) {
    std::string const id = create().at("id");
    for (auto const& [body, field] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "outcome"},
             {R"({"outcome": "stolen"})", "outcome"},
             {R"({"outcome": 1})", "outcome"},
             {R"({"outcome": "underpaid", "amount": "50.00"})", "amount"},
             {R"({"outcome": "paid", "token": "USDT"})", "token"},
             {R"({"outcome": "paid", "amount": "10000000000000.000001"})", "amount"},
             {R"({"outcome": "overpaid", "amount": "300000000000000000000000000000000"})",
              "amount"},
             {R"({"outcome": "paid", "speed": 2})", "speed"}}) {
        auto const response = simulate(id, body);
        EXPECT_EQ(response.status, 400U) << body;
        EXPECT_EQ(problem(response).at("errors")[0].at("field"), field) << body;
    }
    EXPECT_TRUE(test_chain_.transfers.empty());
}

TEST_F(TestModeApi, NothingElseIsThere) {
    std::string const test = create().at("id");
    std::string const body = R"({"outcome": "paid"})";
    auto const own_key = key_;
    key_ = live_key_;
    std::string const live = create().at("id");
    EXPECT_EQ(simulate(live, body).status, 404U);
    EXPECT_EQ(simulate(test, body).status, 404U);
    // With a live key there is nothing, however wrong the request.
    EXPECT_EQ(simulate(live, "{").status, 404U);
    key_ = own_key;
    EXPECT_EQ(simulate(live, body).status, 404U);
    EXPECT_EQ(simulate("x", body).status, 404U);
    key_ = add_test_key(3, id_of<MerchantId>(3));
    EXPECT_EQ(simulate(test, body).status, 404U);
    EXPECT_TRUE(test_chain_.transfers.empty());
}

}  // namespace
}  // namespace sycee
