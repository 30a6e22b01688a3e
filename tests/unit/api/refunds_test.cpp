// Pins the refunds of the API: what is asked for, what is answered, and that another merchant's are
// not there.
#include "api_fixture.hpp"

namespace sycee {
namespace {

constexpr char const* kShopper = "0x52908400098527886E0F7030069857D2E4169EE7";

class RefundApi : public MerchantApiTest {
  protected:
    RefundApi() {
        payment_ = add_payment(9, merchant_);
        PaymentState& state = payments_.states.back();
        state.payment.deposit_address = Address{{0x11}};
        Credit credit;
        credit.transfer.key = {31'337, {}, Address{{0x22}}, 0};
        credit.transfer.amount = Amount(50'000'000);
        credit.stage = CreditStage::settled;
        credit.gross = Amount(50'000'000);
        credit.fee = Amount(250'000);
        state.credits = {credit};
    }

    HttpResponse post_json(std::string path, Json const& body, std::string const& key = "") {
        auto made = request("POST", std::move(path));
        if (!key.empty()) made.headers.emplace_back("idempotency-key", key);
        made.headers.emplace_back("content-type", "application/json");
        made.body = body.dump();
        return send(made);
    }
    Json body_of_refund() const {
        return {{"payment", to_string(payment_)},
                {"amount", "20"},
                {"recipient", kShopper},
                {"reason", "it did not fit"}};
    }
    std::string created() {
        auto const response = post_json("/v1/refunds", body_of_refund());
        EXPECT_EQ(response.status, 201U) << response.body;
        return Json::parse(response.body).at("id");
    }
    std::string field_of(Json const& body) {
        auto const response = post_json("/v1/refunds", body);
        EXPECT_EQ(response.status, 400U) << response.body;
        return problem(response).at("errors").at(0).at("field");
    }

    PaymentId payment_;
};

TEST_F(RefundApi, promises_settled_money_to_whom_it_is_said) {
    auto const response = post_json("/v1/refunds", body_of_refund());
    ASSERT_EQ(response.status, 201U) << response.body;
    Json const json = Json::parse(response.body);
    EXPECT_EQ(json.at("id"), "ref_31337_101");
    EXPECT_EQ(header(response, "location"), "/v1/refunds/ref_31337_101");
    EXPECT_EQ(json.at("status"), "frozen");
    EXPECT_EQ(json.at("amount"), "20.000000");
    EXPECT_EQ(json.at("recipient"), kShopper);
    EXPECT_EQ(json.at("reason"), "it did not fit");
    EXPECT_TRUE(json.at("exception").is_null());
    EXPECT_TRUE(json.at("paid").is_null());
    EXPECT_EQ(refunds_.commits.at(0).events.at(0).type, "refund.created");
}

TEST_F(RefundApi, promises_all_that_is_left_where_no_amount_is_said) {
    Json body = body_of_refund();
    body.erase("amount");
    auto const response = post_json("/v1/refunds", body);
    EXPECT_EQ(Json::parse(response.body).at("amount"), "49.750000");
}

TEST_F(RefundApi, names_the_field_that_is_wrong) {
    auto const changed = [this](std::string const& field, Json const& value) {
        Json body = body_of_refund();
        body[field] = value;
        return field_of(body);
    };
    EXPECT_EQ(changed("amount", "49.750001"), "amount");
    EXPECT_EQ(changed("amount", "x"), "amount");
    // Left out, it is all that is left: not by mistake.
    EXPECT_EQ(changed("amount", nullptr), "amount");
    EXPECT_EQ(changed("recipient", nullptr), "recipient");
    EXPECT_EQ(changed("recipient", "0x12"), "recipient");
    EXPECT_EQ(changed("recipient", "0x0000000000000000000000000000000000000000"), "recipient");
    EXPECT_EQ(changed("recipient", to_string(Address{{0x11}})), "recipient");
    EXPECT_EQ(changed("reason", " "), "reason");
    EXPECT_EQ(changed("payment", "pay_x"), "payment");
    EXPECT_EQ(changed("payment", to_string(id_of<PaymentId>(77))), "payment");
    EXPECT_EQ(changed("exception", "exc_31337_2"), "payment");
    EXPECT_EQ(changed("surprise", "x"), "surprise");
    EXPECT_TRUE(refunds_.commits.empty());
}

TEST_F(RefundApi, has_nothing_to_promise_of_what_is_not_settled) {
    payments_.states.back().credits.front().stage = CreditStage::cleared;
    auto const response = post_json("/v1/refunds", body_of_refund());
    EXPECT_EQ(response.status, 409U);
    EXPECT_EQ(problem(response).at("code"), "conflict");
}

TEST_F(RefundApi, lets_a_large_one_wait_for_a_second_operator) {
    payments_.states.back().credits.front().gross = Amount(2'000'000'000);
    Json body = body_of_refund();
    body["amount"] = "1000.000001";
    auto const response = post_json("/v1/refunds", body);
    EXPECT_EQ(response.status, 202U) << response.body;
    EXPECT_EQ(Json::parse(response.body).at("waiting_for_approval"), true);
    EXPECT_EQ(refunds_.waiting.size(), 1U);
    EXPECT_TRUE(refunds_.commits.empty());
}

TEST_F(RefundApi, reads_lists_and_cancels) {
    std::string const id = created();
    EXPECT_EQ(Json::parse(send(request("GET", "/v1/refunds/" + id)).body).at("id"), id);
    auto const list = Json::parse(send(request("GET", "/v1/refunds", "status=open")).body);
    EXPECT_EQ(list.at("data").size(), 1U);
    EXPECT_EQ(list.at("has_more"), false);
    auto const other = Json::parse(
        send(request("GET", "/v1/refunds", "payment=" + to_string(id_of<PaymentId>(77)))).body);
    EXPECT_TRUE(other.at("data").empty());
    EXPECT_EQ(send(request("GET", "/v1/refunds", "status=paid")).status, 400U);
    EXPECT_EQ(send(request("DELETE", "/v1/refunds/" + id)).status, 405U);
    EXPECT_EQ(send(request("GET", "/v1/refunds/ref_31337_7")).status, 404U);
    EXPECT_EQ(send(request("GET", "/v1/refunds/pay_1")).status, 404U);
}

TEST_F(RefundApi, takes_reports_of_what_the_nodes_do_not_have_yet) {
    std::string const path = "/v1/refunds/" + created();
    EXPECT_EQ(post_json(path + "/report", {{"transaction_hash", "0x12"}}).status, 400U);
    EXPECT_EQ(post_json(path + "/report", {{"transaction_hash", std::string(64, 'a')}}).status,
              400U);
    std::string const hash = "0x" + std::string(64, 'a');
    auto const response = post_json(path + "/report", {{"transaction_hash", hash}});
    ASSERT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(Json::parse(response.body).at("status"), "reported");
    EXPECT_EQ(Json::parse(response.body).at("report").at("transaction_hash"), hash);
    EXPECT_EQ(post_json(path + "/recipient", {{"recipient", to_string(Address{{0x33}})}}).status,
              400U);  // it has one
}

TEST_F(RefundApi, has_a_link_for_the_payer_where_it_names_nobody) {
    Json body = body_of_refund();
    body.erase("recipient");
    auto const response = post_json("/v1/refunds", body);
    ASSERT_EQ(response.status, 201U) << response.body;
    Json const refund = Json::parse(response.body);
    EXPECT_TRUE(refund.at("recipient").is_null());
    RefundKey const key{merchant_, 31'337, 101};
    EXPECT_EQ(refund.at("claim_url"),
              "https://pay.example/refund/" + RefundClaims(Bytes32{}).path_of(key));
    std::string const path = "/v1/refunds/" + refund.at("id").get<std::string>();
    EXPECT_EQ(post_json(path + "/recipient", {{"recipient", kShopper}}).status, 200U);
    Json const named = Json::parse(send(request("GET", path)).body);
    EXPECT_EQ(named.at("recipient"), kShopper);
    EXPECT_TRUE(named.at("claim_url").is_null());
}

TEST_F(RefundApi, gives_the_link_to_no_key_that_may_only_read) {
    Json body = body_of_refund();
    body.erase("recipient");
    auto const response = post_json("/v1/refunds", body, "refund-7");
    ASSERT_EQ(response.status, 201U) << response.body;
    Json const refund = Json::parse(response.body);
    std::string const link = refund.at("claim_url");
    auto const& kept = payments_.keys.at({merchant_, "refund-7"}).answer;
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->body.find(link), std::string::npos) << "what is kept is sealed";
    EXPECT_EQ(post_json("/v1/refunds", body, "refund-7").body, response.body);

    auto const read = [&] {
        std::string const path = "/v1/refunds/" + refund.at("id").get<std::string>();
        Json const one = Json::parse(send(request("GET", path)).body);
        Json const list = Json::parse(send(request("GET", "/v1/refunds")).body);
        EXPECT_EQ(list.at("data").at(0).at("claim_url"), one.at("claim_url"));
        return one.at("claim_url");
    };
    EXPECT_EQ(read(), link);
    key_ = add_key(2, merchant_, Scopes{}.add(Scope::refunds_read));
    EXPECT_TRUE(read().is_null());
}

TEST_F(RefundApi, names_the_recipient_of_what_a_second_operator_decides) {
    payments_.states.back().credits.front().gross = Amount(2'000'000'000);
    Json body = body_of_refund();
    body["amount"] = "1000.000001";
    body.erase("recipient");
    EXPECT_EQ(field_of(body), "recipient");
    EXPECT_TRUE(refunds_.waiting.empty());
    body["amount"] = "1000";
    EXPECT_EQ(post_json("/v1/refunds", body).status, 201U);
}

TEST_F(RefundApi, promises_once_for_an_idempotency_key) {
    auto const first = post_json("/v1/refunds", body_of_refund(), "refund-7");
    ASSERT_EQ(first.status, 201U) << first.body;
    auto const again = post_json("/v1/refunds", body_of_refund(), "refund-7");
    EXPECT_EQ(again.status, 201U);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "location"), header(first, "location"));
    EXPECT_EQ(header(again, "idempotent-replayed"), "true");
    EXPECT_EQ(refunds_.commits.size(), 1U);
    Json other = body_of_refund();
    other["amount"] = "21";
    EXPECT_EQ(problem(post_json("/v1/refunds", other, "refund-7")).at("code"),
              "idempotency_key_reused");
    EXPECT_EQ(refunds_.commits.size(), 1U);
}

TEST_F(RefundApi, tells_later_of_a_promise_that_a_crash_left_without_its_answer) {
    payments_.keep_fault = std::make_exception_ptr(Unavailable("the database is away"));
    EXPECT_EQ(post_json("/v1/refunds", body_of_refund(), "refund-7").status, 503U);
    payments_.keep_fault = nullptr;
    EXPECT_EQ(refunds_.commits.size(), 1U);
    auto const told = post_json("/v1/refunds", body_of_refund(), "refund-7");
    EXPECT_EQ(told.status, 201U) << told.body;
    EXPECT_EQ(header(told, "location"), "/v1/refunds/ref_31337_101");
    EXPECT_EQ(Json::parse(told.body).at("amount"), "20.000000");
    EXPECT_EQ(refunds_.commits.size(), 1U);
    EXPECT_EQ(post_json("/v1/refunds", body_of_refund(), "refund-7").body, told.body);
}

TEST_F(RefundApi, asks_a_second_operator_once_for_an_idempotency_key) {
    payments_.states.back().credits.front().gross = Amount(2'000'000'000);
    Json body = body_of_refund();
    body["amount"] = "1000.000001";
    payments_.keep_fault = std::make_exception_ptr(Unavailable("the database is away"));
    EXPECT_EQ(post_json("/v1/refunds", body, "refund-7").status, 503U);
    payments_.keep_fault = nullptr;
    auto const told = post_json("/v1/refunds", body, "refund-7");
    EXPECT_EQ(told.status, 202U) << told.body;
    EXPECT_EQ(Json::parse(told.body).at("id"), to_string(refunds_.waiting.at(0).id));
    EXPECT_EQ(refunds_.waiting.size(), 1U);
}

TEST_F(RefundApi, cancels_once_with_an_idempotency_key_and_without) {
    std::string const path = "/v1/refunds/" + created() + "/cancel";
    payments_.states.back().promises.push_back({.chain_id = 31'337,
                                                .token = Address{{0x22}},
                                                .amount = Amount(20'000'000),
                                                .sequence = 101});
    Json const body{{"reason", "the customer keeps it"}};
    auto const first = post_json(path, body, "cancel-7");
    ASSERT_EQ(first.status, 200U) << first.body;
    EXPECT_EQ(post_json(path, body, "cancel-7").body, first.body);
    auto const again = post_json(path, body);
    EXPECT_EQ(again.status, 200U) << again.body;
    EXPECT_EQ(Json::parse(again.body).at("status"), "canceled");
    EXPECT_EQ(refunds_.commits.size(), 2U);  // the promise and its cancellation
}

TEST_F(RefundApi, shows_nothing_of_another_merchant) {
    std::string const id = created();
    key_ = add_key(2, other_merchant_);
    EXPECT_EQ(send(request("GET", "/v1/refunds/" + id)).status, 404U);
    EXPECT_EQ(post_json("/v1/refunds/" + id + "/cancel", {{"reason", "mine"}}).status, 404U);
    auto const list = Json::parse(send(request("GET", "/v1/refunds")).body);
    EXPECT_TRUE(list.at("data").empty());
}

}  // namespace
}  // namespace sycee
