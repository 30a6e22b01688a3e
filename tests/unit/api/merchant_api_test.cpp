#include "api_fixture.hpp"

namespace sycee {
namespace {

TEST_F(MerchantApiTest, CreatesAPayment) {
    auto const response = send(post(R"({"amount": "50.00", "currency": "USD",
        "reference": "order-1001", "metadata": {"size": "L"}, "expires_in": 600,
        "success_url": "https://shop.example/thanks", "description": null})",
                                    "application/json; charset=UTF-8"));
    ASSERT_EQ(response.status, 201U) << response.body;
    Json const json = Json::parse(response.body);
    EXPECT_EQ(header(response, "content-type"), "application/json");
    EXPECT_EQ(header(response, "location"), "/v1/payments/" + json.at("id").get<std::string>());
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    auto const request_id = header(response, "request-id");
    EXPECT_TRUE(request_id.starts_with("req_") && request_id.size() == 30) << request_id;
    EXPECT_EQ(json.at("status"), "open");
    EXPECT_EQ(json.at("reference"), "order-1001");
    EXPECT_TRUE(json.at("description").is_null());
    EXPECT_EQ(json.at("metadata"), Json({{"size", "L"}}));
    EXPECT_EQ(json.at("expires_at"), to_rfc3339(kNow + std::chrono::seconds(600)));
    EXPECT_EQ(json.at("checkout_url"),
              "https://pay.example/checkout/" + json.at("id").get<std::string>());
    ASSERT_EQ(payments_.states.size(), 1U);
    EXPECT_EQ(payments_.states[0].payment.merchant_id, merchant_);
    EXPECT_EQ(payments_.states[0].payment.price, Amount(5'000));

    auto const read = send(request("GET", header(response, "location")));
    EXPECT_EQ(read.status, 200U);
    EXPECT_EQ(read.body, response.body);
}

TEST_F(MerchantApiTest, CreatesAPaymentOfAnOpenAmount) {
    auto const response = send(post(R"({"minimum_amount": "5.00", "currency": "USD"})"));
    ASSERT_EQ(response.status, 201U) << response.body;
    Json const json = Json::parse(response.body);
    EXPECT_TRUE(json.at("amount").is_null());
    EXPECT_EQ(json.at("minimum_amount"), "5.00");
    ASSERT_EQ(payments_.states.size(), 1U);
    Payment const& payment = payments_.states[0].payment;
    EXPECT_TRUE(payment.open_amount);
    EXPECT_EQ(payment.price, Amount(500));
}

TEST_F(MerchantApiTest, BuildsLinksFromTheConfigurationAlone) {
    auto made = post(R"({"amount": "50.00", "currency": "USD"})");
    made.headers.emplace_back("host", "evil.example");
    made.headers.emplace_back("x-forwarded-host", "evil.example");
    auto const response = send(made);
    ASSERT_EQ(response.status, 201U);
    EXPECT_EQ(response.body.find("evil"), std::string::npos);
    EXPECT_TRUE(header(response, "location").starts_with("/v1/payments/pay_"));
}

struct BadField {
    char const* body;
    char const* field;
    char const* pointer;
    char const* detail;  // a part of it
};

BadField const kBadFields[] = {
    BadField{R"({"currency": "USD"})", "amount", "/amount", "required"},
    BadField{R"({"amount": null, "currency": "USD"})", "amount", "/amount", "required"},
    BadField{R"({"amount": 50, "currency": "USD"})", "amount", "/amount",
             "as a string such as \"50.00\""},
    BadField{R"({"amount": 50.00, "currency": "USD"})", "amount", "/amount",
             "as a string such as \"50.00\""},
    BadField{R"({"amount": ["50"], "currency": "USD"})", "amount", "/amount", "array"},
    BadField{R"({"amount": "-1", "currency": "USD"})", "amount", "/amount", "-1"},
    BadField{R"({"amount": "0", "currency": "USD"})", "amount", "/amount", "above zero"},
    BadField{R"({"amount": "1.001", "currency": "USD"})", "amount", "/amount", "2"},
    BadField{R"({"amount": "1e3", "currency": "USD"})", "amount", "/amount", "1e3"},
    BadField{R"({"amount": "", "currency": "USD"})", "amount", "/amount", "decimal"},
    BadField{R"({"minimum_amount": "0.99", "currency": "USD"})", "minimum_amount",
             "/minimum_amount", "at least 1.00"},
    BadField{R"({"minimum_amount": null, "currency": "USD"})", "minimum_amount", "/minimum_amount",
             "required"},
    BadField{R"({"quote": 5})", "quote", "/quote", "string"},
    BadField{R"({"minimum_amount": 5, "currency": "USD"})", "minimum_amount", "/minimum_amount",
             "as a string such as \"5.00\""},
    BadField{R"({"minimum_amount": "5.001", "currency": "USD"})", "minimum_amount",
             "/minimum_amount", "2"},
    BadField{R"({"minimum_amount": "99999999999999.00", "currency": "USD"})", "minimum_amount",
             "/minimum_amount", "too large"},
    BadField{R"({"minimum_amount": "5", "amount": "5", "currency": "USD"})", "amount", "/amount",
             "not a field"},
    BadField{R"({"amount": "1"})", "currency", "/currency", "required"},
    BadField{R"({"amount": "1", "currency": "EUR"})", "currency", "/currency", "EUR"},
    BadField{R"({"amount": "1", "currency": "ääääääääääää"})", "currency", "/currency", "USD"},
    BadField{R"({"amount": "1", "currency": true})", "currency", "/currency", "boolean"},
    BadField{R"({"amount": "1", "currency": "USD", "status": "settled"})", "status", "/status",
             "not a field"},
    BadField{R"({"amount": "1", "currency": "USD", "merchant_id": null})", "merchant_id",
             "/merchant_id", "not a field"},
    BadField{R"({"amount": "1", "currency": "USD", "a/b~c": 1})", "a/b~c", "/a~1b~0c",
             "not a field"},
    BadField{R"({"amount": "1", "currency": "USD", "amount": "2"})", "amount", "/amount", "twice"},
    BadField{R"({"amount": "1", "\u0061mount": "2"})", "amount", "/amount", "twice"},
    BadField{R"({"metadata": {"size": "L", "color": "red", "size": "M"}})", "metadata/size",
             "/metadata/size", "twice"},
    BadField{R"({"list": [0, [], {"a": 1, "a": 2}]})", "list/2/a", "/list/2/a", "twice"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": "600"})", "expires_in",
             "/expires_in", "string"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": 600.0})", "expires_in",
             "/expires_in", "whole number"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": 59})", "expires_in", "/expires_in",
             "60"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": -9223372036854775808})",
             "expires_in", "/expires_in", "60"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": 9223372036854775808})",
             "expires_in", "/expires_in", "too large"},
    BadField{R"({"amount": "1", "currency": "USD", "expires_in": 1e30})", "expires_in",
             "/expires_in", "whole number"},
    BadField{R"({"amount": "1", "currency": "USD", "reference": 1001})", "reference", "/reference",
             "string"},
    BadField{R"({"amount": "1", "currency": "USD", "reference": "a\u0000b"})", "reference",
             "/reference", "control"},
    BadField{R"({"amount": "1", "currency": "USD", "description": {}})", "description",
             "/description", "object"},
    BadField{R"({"amount": "1", "currency": "USD", "metadata": []})", "metadata", "/metadata",
             "object of strings"},
    BadField{R"({"amount": "1", "currency": "USD", "metadata": {"size": 40}})", "metadata/size",
             "/metadata/size", "string"},
    BadField{R"({"amount": "1", "currency": "USD", "metadata": {"size": null}})", "metadata/size",
             "/metadata/size", "string"},
    BadField{R"({"amount": "1", "currency": "USD", "metadata": {"a/b": "x\u0001"}})",
             "metadata/a/b", "/metadata/a~1b", "control"},
    BadField{R"({"amount": "1", "currency": "USD", "success_url": "ftp://shop.example"})",
             "success_url", "/success_url", "http"},
    BadField{R"(["amount"])", "", "", "JSON object"},
    BadField{R"("amount")", "", "", "JSON object"},
    BadField{"null", "", "", "JSON object"},
};

TEST_F(MerchantApiTest, NamesTheFieldThatIsWrongAndCreatesNothing) {
    for (auto const& bad : kBadFields) {
        auto const response = send(post(bad.body));
        EXPECT_EQ(response.status, 400U) << bad.body;
        auto const json = problem(response);
        EXPECT_EQ(json.at("code"), "invalid_request") << bad.body;
        auto const& errors = json.at("errors");
        auto const named = std::ranges::find_if(
            errors, [&bad](Json const& error) { return error.at("field") == bad.field; });
        ASSERT_NE(named, errors.end()) << bad.body << response.body;
        EXPECT_EQ(named->at("pointer"), bad.pointer) << bad.body;
        EXPECT_NE(named->at("detail").get<std::string>().find(bad.detail), std::string::npos)
            << bad.body << " -> " << response.body;
    }
    EXPECT_TRUE(payments_.states.empty());
}

TEST_F(MerchantApiTest, RefusesWhatIsNotJson) {
    std::string const deep = "{\"a\":" + std::string(8, '[') + std::string(8, ']') + "}";
    std::string const very_deep(60'000, '[');
    for (std::string const& body : std::vector<std::string>{
             "", " ", "{", "{}}", "{} {}", "{}x", R"({"amount": "1",})", R"({'amount': '1'})",
             R"({"amount": NaN})", R"({"amount": 01})", R"({"amount": 1e999})", "{\"a\": \"\xff\"}",
             "{\"a\": \"\xc0\xaf\"}", "{\"a\": \"\xed\xa0\x80\"}", R"({"a": "\ud800"})",
             "{\"a\": \"\n\"}", "{// comment\n}", deep, very_deep}) {
        auto const response = send(post(body));
        EXPECT_EQ(response.status, 400U) << body.substr(0, 80);
        EXPECT_EQ(problem(response).at("code"), "malformed_json") << body.substr(0, 80);
    }
    EXPECT_TRUE(payments_.states.empty());
}

TEST_F(MerchantApiTest, ListsEverythingThatIsWrongAtOnce) {
    auto const json = problem(
        send(post(R"({"amount": 50, "expires_in": 1.5, "colour": "red", "metadata": {"a": 1}})")));
    std::vector<std::string> fields;
    for (auto const& error : json.at("errors"))
        fields.push_back(error.at("field"));
    EXPECT_EQ(fields, (std::vector<std::string>{"amount", "currency", "metadata/a", "expires_in",
                                                "colour"}));
    EXPECT_EQ(json.at("detail"), "5 fields are wrong.");
}

TEST_F(MerchantApiTest, KeepsAProblemSmallHoweverMuchIsWrong) {
    Json body;
    for (int i = 0; i < 1'000; ++i)
        body[std::string(90, 'x') + std::to_string(i)] = i;
    body[std::string(20'000, 'y')] = 1;
    auto const response = send(post(body.dump()));
    EXPECT_EQ(problem(response).at("errors").size(), 20U);
    EXPECT_LT(response.body.size(), 10'000U);
}

TEST_F(MerchantApiTest, WantsPlainJson) {
    std::string const body = R"({"amount": "1", "currency": "USD"})";
    for (auto const* type : {"", "text/plain", "application/x-www-form-urlencoded",
                             "application/json-patch+json", "application/json; charset=utf-16"}) {
        auto const response = send(post(body, type));
        EXPECT_EQ(response.status, 415U) << type;
        EXPECT_EQ(problem(response).at("code"), "unsupported_media_type");
    }
    auto compressed = post(body);
    compressed.headers.emplace_back("content-encoding", "gzip");
    EXPECT_EQ(send(compressed).status, 415U);
    EXPECT_TRUE(payments_.states.empty());
    EXPECT_EQ(send(post(body, "Application/JSON ; Charset=\"utf-8\"")).status, 201U);
}

TEST_F(MerchantApiTest, GivesOneAnswerToEveryBadKey) {
    auto const revoked = add_key(2, merchant_);
    api_keys_.keys[id_of<ApiKeyId>(2)].revoked_at = kNow;
    auto const expired = add_key(3, merchant_);
    api_keys_.keys[id_of<ApiKeyId>(3)].expires_at = kNow;
    // From an address that it is not for, too: that is said to whoever has the secret alone.
    add_key(4, merchant_);
    api_keys_.keys[id_of<ApiKeyId>(4)].allowed_addresses = {"192.0.2.1/32"};
    auto const wrong_and_elsewhere = make_api_key(id_of<ApiKeyId>(4), Bytes32{9}).text.reveal();
    auto const unknown = make_api_key(id_of<ApiKeyId>(9), Bytes32{9}).text.reveal();
    auto const wrong_secret = make_api_key(id_of<ApiKeyId>(1), Bytes32{9}).text.reveal();
    std::vector<std::string> const headers{"",
                                           "Bearer",
                                           "Bearer ",
                                           key_,
                                           "Basic " + key_,
                                           "Bearer " + key_ + "x",
                                           "Bearer key",
                                           "Bearer " + revoked,
                                           "Bearer " + expired,
                                           "Bearer " + unknown,
                                           "Bearer " + wrong_and_elsewhere,
                                           "Bearer r" + key_.substr(1),
                                           "Bearer " + wrong_secret};
    std::optional<Json> first;
    for (auto const& value : headers) {
        for (auto const* path : {"/v1/payments", "/v1/nothing"}) {
            auto made = request("POST", path);
            made.headers = {{"authorization", value}};
            auto const response = send(made);
            EXPECT_EQ(response.status, 401U) << value;
            EXPECT_EQ(header(response, "www-authenticate"), "Bearer");
            auto json = problem(response);
            json.erase("request_id");
            if (!first) first = json;
            EXPECT_EQ(json, *first) << value;
        }
    }
    EXPECT_TRUE(payments_.states.empty());
    auto lower_case = request("GET", "/v1/payments");
    lower_case.headers = {{"authorization", "bearer " + key_}};
    EXPECT_EQ(send(lower_case).status, 200U);
}

TEST_F(MerchantApiTest, ShowsNobodyAnotherMerchantsPayment) {
    auto const mine = add_payment(1, merchant_);
    auto const theirs = add_payment(2, other_merchant_);
    EXPECT_EQ(send(request("GET", "/v1/payments/" + to_string(mine))).status, 200U);

    std::optional<Json> first;
    for (auto const& id : {to_string(id_of<PaymentId>(3)), to_string(theirs), std::string("x"),
                           std::string(), to_string(merchant_)}) {
        auto const response = send(request("GET", "/v1/payments/" + id));
        EXPECT_EQ(response.status, 404U) << id;
        auto json = problem(response);
        json.erase("request_id");
        if (!first) first = json;
        EXPECT_EQ(json, *first) << id;
    }

    Json const list = Json::parse(send(request("GET", "/v1/payments")).body);
    ASSERT_EQ(list.at("data").size(), 1U);
    EXPECT_EQ(list.at("data")[0].at("id"), to_string(mine));
    // Another merchant's id as a cursor is a place in time and nothing more.
    Json const after =
        Json::parse(send(request("GET", "/v1/payments", "after=" + to_string(theirs))).body);
    EXPECT_EQ(after.at("data").size(), 1U);
}

TEST_F(MerchantApiTest, ListsNewestFirstPageByPage) {
    for (std::uint8_t i = 1; i <= 5; ++i)
        add_payment(i, merchant_);
    std::vector<std::string> seen;
    std::string query = "limit=2";
    for (int page = 0; page < 3; ++page) {
        auto const response = send(request("GET", "/v1/payments", query));
        ASSERT_EQ(response.status, 200U) << response.body;
        Json const json = Json::parse(response.body);
        EXPECT_EQ(json.at("object"), "list");
        for (auto const& payment : json.at("data"))
            seen.push_back(payment.at("id"));
        EXPECT_EQ(json.at("has_more"), page < 2);
        EXPECT_EQ(json.at("next_cursor"), page < 2 ? Json(seen.back()) : Json(nullptr));
        if (page < 2) query = "after=" + seen.back() + "&limit=2";
    }
    std::vector<std::string> expected;
    for (std::uint8_t i = 5; i >= 1; --i)
        expected.push_back(to_string(id_of<PaymentId>(i)));
    EXPECT_EQ(seen, expected);
}

TEST_F(MerchantApiTest, ReadsThePageParametersStrictly) {
    for (auto const& [query, limit] : std::vector<std::pair<std::string, std::size_t>>{
             {"", 10}, {"limit=1", 1}, {"limit=100", 100}}) {
        EXPECT_EQ(send(request("GET", "/v1/payments", query)).status, 200U) << query;
        EXPECT_EQ(payments_.asked_limit, limit) << query;
    }
    payments_.asked_limit.reset();
    for (auto const& [query, field] : std::vector<std::pair<std::string, std::string>>{
             {"limit=0", "limit"},
             {"limit=101", "limit"},
             {"limit=-1", "limit"},
             {"limit=%2B5", "limit"},
             {"limit=5x", "limit"},
             {"limit=", "limit"},
             {"limit", "limit"},
             {"limit=99999999999999999999999", "limit"},
             {"limit=1&limit=2", "limit"},
             {"after=", "after"},
             {"after=pay_x", "after"},
             {"after=" + to_string(merchant_), "after"},
             {"before=1", "before"},
             {"%ff=1", "\xef\xbf\xbd"},
             {"merchant_id=" + to_string(other_merchant_), "merchant_id"}}) {
        auto const response = send(request("GET", "/v1/payments", query));
        EXPECT_EQ(response.status, 400U) << query;
        auto const json = problem(response);
        ASSERT_EQ(json.at("errors").size(), 1U) << query;
        EXPECT_EQ(json.at("errors")[0].at("field"), field);
        EXPECT_FALSE(json.at("errors")[0].contains("pointer"));
    }
    EXPECT_FALSE(payments_.asked_limit);
}

TEST_F(MerchantApiTest, KnowsItsPathsAndMethods) {
    auto const id = to_string(add_payment(1, merchant_));
    for (auto const* path : {"/v1", "/v1/", "/v1/payment", "/v1/paymentsx", "/v2/payments"}) {
        auto const response = send(request("GET", path));
        EXPECT_EQ(response.status, 404U) << path;
        EXPECT_EQ(problem(response).at("code"), "not_found");
    }
    EXPECT_EQ(send(request("GET", "/v1/payments/" + id + "/records")).status, 404U);
    for (auto const* method : {"PUT", "PATCH", "DELETE", "OPTIONS", "get"}) {
        auto const response = send(request(method, "/v1/payments"));
        EXPECT_EQ(response.status, 405U) << method;
        EXPECT_EQ(header(response, "allow"), "GET, HEAD, POST");
        EXPECT_EQ(problem(response).at("code"), "method_not_allowed");
    }
    auto const response = send(request("POST", "/v1/payments/" + id + "/receipt"));
    EXPECT_EQ(response.status, 405U);
    EXPECT_EQ(header(response, "allow"), "GET, HEAD");
    EXPECT_EQ(send(request("HEAD", "/v1/payments/" + id)).status, 200U);
}

TEST_F(MerchantApiTest, AnswersItsOwnFaultsWithoutTheirDetails) {
    std::string const body = R"({"amount": "1", "currency": "USD"})";
    payments_.fault = std::make_exception_ptr(Unavailable("connection to 10.0.0.5 refused"));
    auto const unavailable = send(post(body));
    EXPECT_EQ(unavailable.status, 503U);
    EXPECT_EQ(header(unavailable, "retry-after"), "1");
    EXPECT_EQ(problem(unavailable).at("code"), "unavailable");
    EXPECT_EQ(unavailable.body.find("10.0.0.5"), std::string::npos);

    payments_.fault = std::make_exception_ptr(std::runtime_error("SELECT secret FROM payments"));
    auto const failed = send(post(body));
    EXPECT_EQ(failed.status, 500U);
    EXPECT_EQ(problem(failed).at("code"), "internal");
    EXPECT_EQ(failed.body.find("SELECT"), std::string::npos);
    EXPECT_NE(metrics_.text().find("sycee_api_requests_total"), std::string::npos);

    // The server cancels a handler that takes too long: that is no fault to report.
    payments_.fault =
        std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
    EXPECT_THROW(send(post(body)), boost::system::system_error);
}

TEST_F(MerchantApiTest, GivesNoAddressThatNobodyWatches) {
    ChainRegistry const none(network_);
    PaymentService unready(payments_, network_, none, clock_);
    MerchantApi api(services_with(unready, checkpoint_service_), metrics_);
    auto const response = run_task(api.handle(post(R"({"amount": "1", "currency": "USD"})")));
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(header(response, "retry-after"), "1");
    EXPECT_TRUE(payments_.states.empty());
}

}  // namespace
}  // namespace sycee
