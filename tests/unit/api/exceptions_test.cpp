#include "api_fixture.hpp"

namespace sycee {
namespace {

Address const kUsdt{{0x22}};

class ExceptionsApiTest : public MerchantApiTest {
  protected:
    ExceptionsApiTest() {
        origin_ = add_order(1, merchant_);
        other_order_ = add_order(2, merchant_);
        foreign_order_ = add_order(3, other_merchant_);
        mine_ = put(0, 20'000'000);
    }

    PaymentId add_order(std::uint8_t number, MerchantId merchant_id) {
        auto const id = add_payment(number, merchant_id);
        Payment& payment = payments_.states.back().payment;
        payment.options = {{31'337, kUsdt, Amount(50'000'000), Amount{}}};
        payment.expires_at = kNow - std::chrono::seconds(1);
        return id;
    }

    // Puts base units that came to the n-th payment on the desk.
    std::string put(std::size_t payment, std::uint64_t amount) {
        auto& state = payments_.states[payment];
        auto const exception = put_on_desk(state, 40 + desk_.exceptions.size(), 31'337, kUsdt,
                                           Amount(amount), 50, kNow);
        desk_.exceptions.push_back(exception);
        return "exc_31337_" + std::to_string(exception.key.sequence);
    }

    HttpResponse read(std::string const& id) {
        return send(request("GET", "/v1/exceptions/" + id));
    }

    HttpResponse resolve(std::string const& id, std::string body, std::string const& key = "") {
        auto made = post(std::move(body));
        if (!key.empty()) made.headers.emplace_back("idempotency-key", key);
        made.path = "/v1/exceptions/" + id + "/resolve";
        return send(made);
    }

    PaymentId origin_;
    PaymentId other_order_;
    PaymentId foreign_order_;
    std::string mine_;
};

TEST_F(ExceptionsApiTest, ShowsAnException) {
    auto const response = read(mine_);
    ASSERT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(header(response, "cache-control"), "private, no-cache");
    Json const json = Json::parse(response.body);
    EXPECT_EQ(json.at("id"), mine_);
    EXPECT_EQ(json.at("object"), "exception");
    EXPECT_EQ(json.at("payment"), to_string(origin_));
    EXPECT_EQ(json.at("reason"), "late");
    EXPECT_EQ(json.at("amount"), "20.000000");
    EXPECT_EQ(json.at("amount_base_units"), "20000000");
    EXPECT_EQ(json.at("resolved"), "0.000000");
    EXPECT_EQ(json.at("left"), "20.000000");
    EXPECT_EQ(json.at("token"), "USDT");
    EXPECT_EQ(json.at("contract"), to_string(kUsdt));
    EXPECT_EQ(json.at("chain_id"), 31'337);
    EXPECT_EQ(json.at("network"), "Test chain");
    EXPECT_EQ(json.at("decimals"), 6);
    EXPECT_EQ(json.at("final"), true);
    EXPECT_EQ(json.at("decisions"), Json::array());
    EXPECT_EQ(json.at("booked_at"), to_rfc3339(kNow));
    Json const& transfer = json.at("transfer");
    EXPECT_EQ(transfer.at("block_number"), 50);
    EXPECT_TRUE(transfer.at("transaction_hash").get<std::string>().starts_with("0xcdcd"));
    for (auto const* name : {"block_hash", "sender", "recipient", "ordinal", "log_index"})
        EXPECT_TRUE(transfer.contains(name)) << name;
}

TEST_F(ExceptionsApiTest, DecidesOnceForAnIdempotencyKey) {
    std::string const body = R"({"kind": "write_off", "amount": "5", "reason": "dust"})";
    payments_.keep_fault = std::make_exception_ptr(Unavailable("the database is away"));
    EXPECT_EQ(resolve(mine_, body, "dust-1").status, 503U);
    payments_.keep_fault = nullptr;
    auto const told = resolve(mine_, body, "dust-1");
    ASSERT_EQ(told.status, 200U) << told.body;
    EXPECT_EQ(Json::parse(told.body).at("resolved"), "5.000000");
    EXPECT_EQ(resolve(mine_, body, "dust-1").body, told.body);
    EXPECT_EQ(desk_.commits.size(), 1U);
    // With a key of its own it is another decision.
    EXPECT_EQ(Json::parse(resolve(mine_, body, "dust-2").body).at("resolved"), "10.000000");
}

TEST_F(ExceptionsApiTest, ShowsNobodyAnotherMerchantsException) {
    auto const foreign = put(2, 5'000'000);
    std::optional<Json> first;
    for (auto const& id : {foreign,
                           std::string("exc_31337_999"),
                           std::string("exc_1_40"),
                           std::string("x"),
                           std::string(),
                           std::string("exc_"),
                           std::string("exc_31337"),
                           std::string("exc_31337_"),
                           std::string("exc__40"),
                           std::string("exc_031337_40"),
                           std::string("exc_31337_040"),
                           std::string("exc_31337_+40"),
                           std::string("exc_31337_-40"),
                           std::string("exc_31337_40x"),
                           std::string("exc_31337_40 "),
                           "EXC" + mine_.substr(3),
                           std::string("exc_31337_18446744073709551616"),
                           std::string("exc_31337_9223372036854775808"),
                           std::string("exc_31337_0"),
                           std::string("exc_31337_40_1"),
                           to_string(origin_)}) {
        auto const response = read(id);
        EXPECT_EQ(response.status, 404U) << id;
        auto json = problem(response);
        json.erase("request_id");
        if (!first) first = json;
        EXPECT_EQ(json, *first) << id;
        if (id.empty()) continue;
        auto const decided = resolve(id, R"({"kind": "write_off", "reason": "mine now"})");
        EXPECT_EQ(decided.status, 404U) << id;
        EXPECT_EQ(problem(decided).at("code"), "not_found");
    }
    EXPECT_TRUE(desk_.commits.empty());
    Json const list = Json::parse(send(request("GET", "/v1/exceptions", "status=all")).body);
    ASSERT_EQ(list.at("data").size(), 1U);
    EXPECT_EQ(list.at("data")[0].at("id"), mine_);
}

TEST_F(ExceptionsApiTest, ListsNewestFirstPageByPage) {
    std::vector<std::string> expected{mine_};
    for (int i = 0; i < 4; ++i)
        expected.insert(expected.begin(), put(0, 1'000'000));
    std::vector<std::string> seen;
    std::string query = "limit=2";
    for (int page = 0; page < 3; ++page) {
        auto const response = send(request("GET", "/v1/exceptions", query));
        ASSERT_EQ(response.status, 200U) << response.body;
        Json const json = Json::parse(response.body);
        EXPECT_EQ(json.at("object"), "list");
        for (auto const& exception : json.at("data"))
            seen.push_back(exception.at("id"));
        EXPECT_EQ(json.at("has_more"), page < 2);
        EXPECT_EQ(json.at("next_cursor"), page < 2 ? Json(seen.back()) : Json(nullptr));
        query = "limit=2&after=" + seen.back();
    }
    EXPECT_EQ(seen, expected);
}

TEST_F(ExceptionsApiTest, ListsWhatIsOpenUnlessAskedForAll) {
    put(1, 3'000'000);
    desk_.exceptions[0].resolved = desk_.exceptions[0].amount;
    auto const count = [this](std::string query) {
        return Json::parse(send(request("GET", "/v1/exceptions", std::move(query))).body)
            .at("data")
            .size();
    };
    EXPECT_EQ(count(""), 1U);
    EXPECT_EQ(count("status=open"), 1U);
    EXPECT_EQ(count("status=all"), 2U);
    EXPECT_EQ(count("status=all&payment=" + to_string(origin_)), 1U);
    EXPECT_EQ(count("payment=" + to_string(origin_)), 0U);
    EXPECT_EQ(count("status=all&payment=" + to_string(foreign_order_)), 0U);
    for (DeskFilter const& filter : desk_.filters)
        EXPECT_EQ(filter.merchant_id, merchant_);
}

TEST_F(ExceptionsApiTest, ReadsThePageParametersStrictly) {
    for (auto const& [query, field] : std::vector<std::pair<std::string, std::string>>{
             {"limit=0", "limit"},
             {"limit=101", "limit"},
             {"status=closed", "status"},
             {"status=", "status"},
             {"status=open&status=all", "status"},
             {"payment=pay_x", "payment"},
             {"payment=" + to_string(merchant_), "payment"},
             {"after=" + to_string(origin_), "after"},
             {"after=exc_1_x", "after"},
             {"merchant_id=" + to_string(other_merchant_), "merchant_id"}}) {
        auto const response = send(request("GET", "/v1/exceptions", query));
        EXPECT_EQ(response.status, 400U) << query;
        auto const json = problem(response);
        ASSERT_EQ(json.at("errors").size(), 1U) << query;
        EXPECT_EQ(json.at("errors")[0].at("field"), field);
    }
    EXPECT_TRUE(desk_.filters.empty());
}

TEST_F(ExceptionsApiTest, BooksADecisionUnderTheKeysId) {
    auto const response =
        resolve(mine_, R"({"kind": "write_off", "amount": "7.5", "reason": "the payer said so"})");
    ASSERT_EQ(response.status, 200U) << response.body;
    Json const json = Json::parse(response.body);
    EXPECT_EQ(json.at("id"), mine_);
    EXPECT_EQ(json.at("resolved"), "7.500000");
    EXPECT_EQ(json.at("left"), "12.500000");
    EXPECT_FALSE(json.contains("waiting_for_approval"));
    ASSERT_EQ(json.at("decisions").size(), 1U);
    Json const& decision = json.at("decisions")[0];
    EXPECT_EQ(decision.at("kind"), "write_off");
    EXPECT_EQ(decision.at("amount"), "7.500000");
    EXPECT_EQ(decision.at("amount_base_units"), "7500000");
    EXPECT_EQ(decision.at("target_payment"), nullptr);
    EXPECT_EQ(decision.at("reason"), "the payer said so");
    EXPECT_EQ(decision.at("decided_by"), to_string(id_of<ApiKeyId>(1)));
    EXPECT_EQ(decision.at("approved_by"), nullptr);
    EXPECT_EQ(decision.at("decided_at"), to_rfc3339(kNow));
    EXPECT_EQ(decision.at("record"), 101);
    ASSERT_EQ(desk_.resolutions.size(), 1U);
    Resolution const& booked = desk_.resolutions[0];
    EXPECT_EQ(booked.kind, ResolutionKind::write_off);
    EXPECT_EQ(booked.amount, Amount(7'500'000));
    EXPECT_EQ(booked.decided_by, to_string(id_of<ApiKeyId>(1)));
    EXPECT_EQ(booked.approved_by, "");
    EXPECT_EQ(desk_.commits[0].reason, "the payer said so");
    ASSERT_EQ(desk_.commits[0].events.size(), 1U);
    EXPECT_EQ(desk_.commits[0].events[0].type, "payment.exception_resolved");

    // Without an amount: all that is left.
    EXPECT_EQ(resolve(mine_, R"({"kind": "refund", "amount": null, "reason": "asked"})").status,
              200U);
    EXPECT_EQ(desk_.exceptions[0].resolved, desk_.exceptions[0].amount);
    auto const again = resolve(mine_, R"({"kind": "refund", "reason": "asked again"})");
    EXPECT_EQ(again.status, 409U);
    EXPECT_EQ(desk_.commits.size(), 2U);
}

TEST_F(ExceptionsApiTest, PaysItsOwnPaymentOrAnotherOne) {
    EXPECT_EQ(
        resolve(mine_, R"({"kind": "accept", "amount": "5", "reason": "close enough"})").status,
        200U);
    ASSERT_EQ(desk_.resolutions.size(), 1U);
    EXPECT_EQ(desk_.resolutions[0].target_payment_id, origin_);
    auto const credited =
        resolve(mine_, R"({"kind": "credit", "amount": "15", "reason": "wrong order", )"
                       R"("target_payment": ")" +
                           to_string(other_order_) + "\"}");
    EXPECT_EQ(credited.status, 200U) << credited.body;
    ASSERT_EQ(desk_.resolutions.size(), 2U);
    EXPECT_EQ(desk_.resolutions[1].target_payment_id, other_order_);
    EXPECT_EQ(desk_.resolutions[1].fee, Amount(150'000));
    Json const decided = Json::parse(credited.body).at("decisions");
    ASSERT_EQ(decided.size(), 2U);
    EXPECT_EQ(decided[0].at("target_payment"), to_string(origin_));
    EXPECT_EQ(decided[1].at("target_payment"), to_string(other_order_));
}

struct BadDecision {
    char const* body;
    char const* field;
    char const* detail;  // a part of it
};

BadDecision const kBadDecisions[] = {
    {R"({"reason": "x"})", "kind", "required"},
    {R"({"kind": "", "reason": "x"})", "kind", "must be accept"},
    {R"({"kind": "Accept", "reason": "x"})", "kind", "must be accept"},
    {R"({"kind": "steal", "reason": "x"})", "kind", "must be accept"},
    {R"({"kind": 1, "reason": "x"})", "kind", "string"},
    {R"({"kind": "write_off"})", "reason", "required"},
    {R"({"kind": "write_off", "reason": null})", "reason", "required"},
    {R"({"kind": "write_off", "reason": ""})", "reason", "missing"},
    {R"({"kind": "write_off", "reason": " \n "})", "reason", "missing"},
    {R"({"kind": "write_off", "reason": "a\u0000b"})", "reason", "control"},
    {R"({"kind": "write_off", "reason": ["x"]})", "reason", "array"},
    {R"({"kind": "write_off", "reason": "x", "amount": 5})", "amount", "string"},
    {R"({"kind": "write_off", "reason": "x", "amount": "1.0000001"})", "amount", "6"},
    {R"({"kind": "write_off", "reason": "x", "amount": "20.000001"})", "amount",
     "more than the 20.000000 that are left"},
    {R"({"kind": "write_off", "reason": "x", "amount": "99999999999999999999999999999999999999"})",
     "amount", "too large"},
    {R"({"kind": "write_off", "reason": "x", "amount": "0"})", "amount", "above zero"},
    {R"({"kind": "write_off", "reason": "x", "amount": "-1"})", "amount", "-1"},
    {R"({"kind": "write_off", "reason": "x", "amount": "1e1"})", "amount", "1e1"},
    {R"({"kind": "write_off", "reason": "x", "amount": ""})", "amount", "decimal"},
    {R"({"kind": "credit", "reason": "x"})", "target_payment", "missing"},
    {R"({"kind": "credit", "reason": "x", "target_payment": "order-1"})", "target_payment",
     "must be the id"},
    {R"({"kind": "credit", "reason": "x", "target_payment": "pay_00000000000000000000000000"})",
     "target_payment", "not a payment of this merchant"},
    {R"({"kind": "write_off", "reason": "x", "approved_by": "me"})", "approved_by", "not a field"},
    {R"({"kind": "write_off", "reason": "x", "decided_by": "me"})", "decided_by", "not a field"},
    {R"({"kind": "write_off", "kind": "refund", "reason": "x"})", "kind", "twice"},
};

TEST_F(ExceptionsApiTest, NamesTheFieldThatIsWrongAndBooksNothing) {
    for (auto const& bad : kBadDecisions) {
        auto const response = resolve(mine_, bad.body);
        EXPECT_EQ(response.status, 400U) << bad.body << response.body;
        auto const json = problem(response);
        ASSERT_TRUE(json.contains("errors")) << response.body;
        auto const& errors = json.at("errors");
        auto const named = std::ranges::find_if(
            errors, [&bad](Json const& error) { return error.at("field") == bad.field; });
        ASSERT_NE(named, errors.end()) << bad.body << response.body;
        EXPECT_EQ(named->at("pointer"), "/" + std::string(bad.field));
        EXPECT_NE(named->at("detail").get<std::string>().find(bad.detail), std::string::npos)
            << bad.body << " -> " << response.body;
    }
    std::string const long_reason =
        R"({"kind": "write_off", "reason": ")" + std::string(501, 'x') + "\"}";
    EXPECT_EQ(problem(resolve(mine_, long_reason)).at("errors")[0].at("field"), "reason");
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsApiTest, CreditsNoPaymentOfAnotherMerchantAndNotTheSameOne) {
    for (PaymentId const target : {foreign_order_, origin_}) {
        auto const response =
            resolve(mine_, R"({"kind": "credit", "reason": "x", "target_payment": ")" +
                               to_string(target) + "\"}");
        EXPECT_EQ(response.status, 400U);
        EXPECT_EQ(problem(response).at("errors")[0].at("field"), "target_payment");
    }
    auto const needless =
        resolve(mine_, R"({"kind": "refund", "reason": "x", "target_payment": ")" +
                           to_string(other_order_) + "\"}");
    EXPECT_EQ(problem(needless).at("errors")[0].at("field"), "target_payment");
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsApiTest, DecidesNothingThatIsNotFinal) {
    auto& credit = payments_.states[0].credits[0];
    credit.transfer.block_number = 101;
    desk_.exceptions[0].is_final = false;
    EXPECT_EQ(Json::parse(read(mine_).body).at("final"), false);
    auto const response = resolve(mine_, R"({"kind": "write_off", "reason": "x"})");
    EXPECT_EQ(response.status, 409U);
    auto const json = problem(response);
    EXPECT_EQ(json.at("code"), "conflict");
    EXPECT_NE(json.at("detail").get<std::string>().find("not final yet"), std::string::npos);
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsApiTest, SoMuchMoneyWaitsForASecondOperator) {
    auto const large = put(1, 2'000'000'000);
    auto const response = resolve(large, R"({"kind": "write_off", "reason": "a mistake"})");
    ASSERT_EQ(response.status, 202U) << response.body;
    Json const json = Json::parse(response.body);
    EXPECT_EQ(json.at("id"), large);
    EXPECT_EQ(json.at("waiting_for_approval"), true);
    EXPECT_EQ(json.at("left"), "2000.000000");
    ASSERT_EQ(desk_.waiting.size(), 1U);
    EXPECT_EQ(json.at("resolution_request"), to_string(desk_.waiting[0].id));
    EXPECT_EQ(desk_.waiting[0].requested_by, to_string(id_of<ApiKeyId>(1)));
    EXPECT_EQ(desk_.waiting[0].reason, "a mistake");
    EXPECT_TRUE(desk_.commits.empty());

    // What nobody could book must not wait either.
    EXPECT_EQ(resolve(large, R"({"kind": "credit", "reason": "x"})").status, 400U);
    EXPECT_EQ(resolve(large, R"({"kind": "accept", "reason": "x"})").status, 400U);
    EXPECT_EQ(desk_.waiting.size(), 1U);
}

TEST_F(ExceptionsApiTest, WantsPlainJsonAndKnowsItsMethods) {
    auto made = post(R"({"kind": "write_off", "reason": "x"})", "text/plain");
    made.path = "/v1/exceptions/" + mine_ + "/resolve";
    EXPECT_EQ(send(made).status, 415U);
    EXPECT_EQ(problem(resolve(mine_, "{")).at("code"), "malformed_json");
    EXPECT_EQ(problem(resolve(mine_, "[]")).at("code"), "invalid_request");
    for (auto const& [method, path, allow] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"POST", "/v1/exceptions", "GET, HEAD"},
             {"DELETE", "/v1/exceptions/" + mine_, "GET, HEAD"},
             {"GET", "/v1/exceptions/" + mine_ + "/resolve", "POST"}}) {
        auto const response = send(request(method, path));
        EXPECT_EQ(response.status, 405U) << path;
        EXPECT_EQ(header(response, "allow"), allow);
    }
    for (auto const* path : {"/v1/exceptionsx", "/v1/exceptions/a/b", "/v1/exceptions/a/b/resolve",
                             "/v1/resolve", "/v1/exceptions/a/approve"}) {
        EXPECT_EQ(send(request("POST", path)).status, 404U) << path;
    }
    EXPECT_EQ(send(request("HEAD", "/v1/exceptions/" + mine_)).status, 200U);
    auto keyless = request("POST", "/v1/exceptions/" + mine_ + "/resolve");
    keyless.headers.clear();
    EXPECT_EQ(send(keyless).status, 401U);
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsApiTest, SaysWhenTheOutcomeIsUnknown) {
    desk_.fault = std::make_exception_ptr(Unavailable("connection to 10.0.0.5 lost"));
    auto const response = resolve(mine_, R"({"kind": "write_off", "reason": "x"})");
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(problem(response).at("code"), "unavailable");
    EXPECT_EQ(response.body.find("10.0.0.5"), std::string::npos);
}

}  // namespace
}  // namespace sycee
