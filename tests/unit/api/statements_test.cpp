// Pins GET /v1/statements: whose they are, what may be asked for, and the two forms of the answer.
#include "api_fixture.hpp"

namespace sycee {
namespace {

class StatementsApiTest : public MerchantApiTest {
  protected:
    StatementsApiTest() {
        for (std::uint64_t i = 1; i <= 3; ++i)
            statements_.line_rows.push_back(statement_line(31'337, Address{{0x22}}, i));
    }

    HttpResponse get(std::string const& path, std::string const& query = "") {
        return send(request("GET", path, query));
    }
    std::vector<std::string> wrong_fields(HttpResponse const& response) {
        EXPECT_EQ(response.status, 400U);
        std::vector<std::string> fields;
        for (auto const& error : problem(response).at("errors")) {
            EXPECT_FALSE(error.contains("pointer"));
            fields.push_back(error.at("field"));
        }
        return fields;
    }
};

class TakenStream final : public HttpStream {
  public:
    std::string text;
    Task<void> send(std::string chunk) override {
        text += chunk;
        co_return;
    }
};

std::string body_of(HttpResponse const& response) {
    TakenStream stream;
    run_task(response.stream(stream));
    return stream.text;
}

TEST_F(StatementsApiTest, a_statement_is_the_callers_own) {
    auto const response = get("/v1/statements/2027-01-14", "chain_id=31337&token=USDT");
    ASSERT_EQ(response.status, 200U);
    EXPECT_EQ(header(response, "content-type"), "application/json");
    auto const json = Json::parse(response.body);
    EXPECT_EQ(json.at("object"), "statement");
    EXPECT_EQ(json.at("merchant"), to_string(merchant_));
    EXPECT_EQ(json.at("complete"), true);
    ASSERT_TRUE(statements_.asked);
    EXPECT_EQ(statements_.asked->merchant_id, merchant_);
    EXPECT_EQ(statements_.asked->period.name, "2027-01-14");
    EXPECT_EQ(statements_.asked->chain_id, 31'337U);
    EXPECT_EQ(statements_.asked->tokens, std::vector{Address{{0x22}}});
}

TEST_F(StatementsApiTest, csv_is_asked_for_by_the_query_or_the_header) {
    auto wants = [this](std::string const& accept, std::string const& query) {
        auto asked = request("GET", "/v1/statements/2027-01", query);
        asked.headers.emplace_back("accept", accept);
        auto const response = send(asked);
        EXPECT_EQ(response.status, 200U);
        return header(response, "content-type").substr(0, 8);
    };
    EXPECT_EQ(wants("text/csv", ""), "text/csv");
    EXPECT_EQ(wants("application/xml, Text/CSV; q=0.8", ""), "text/csv");
    EXPECT_EQ(wants("*/*", "format=csv"), "text/csv");
    EXPECT_EQ(wants("text/csv", "format=json"), "applicat");
    EXPECT_EQ(wants("text/csv;q=0.0, */*", ""), "applicat");
    EXPECT_EQ(wants("*/*", ""), "applicat");
    EXPECT_EQ(wants("", ""), "applicat");

    auto const response = get("/v1/statements/2027-01", "format=csv");
    EXPECT_EQ(header(response, "content-disposition"),
              "attachment; filename=\"sycee-statement-2027-01.csv\"");
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    std::string const body = body_of(response);
    EXPECT_TRUE(body.starts_with("type,chain_id,"));
    EXPECT_EQ(std::ranges::count(body, '\n'), 4);
}

TEST_F(StatementsApiTest, lines_and_batches_are_paged) {
    auto const first = Json::parse(get("/v1/statements/2027-01/lines", "limit=2").body);
    EXPECT_EQ(first.at("object"), "list");
    EXPECT_EQ(first.at("data").size(), 2U);
    EXPECT_EQ(first.at("has_more"), true);
    EXPECT_EQ(first.at("next_cursor"), "lin_31337_2");
    auto const second =
        Json::parse(get("/v1/statements/2027-01/lines", "limit=2&after=lin_31337_2").body);
    EXPECT_EQ(second.at("data").size(), 1U);
    EXPECT_EQ(second.at("data").at(0).at("record"), 3U);
    EXPECT_EQ(second.at("has_more"), false);
    EXPECT_TRUE(second.at("next_cursor").is_null());

    StatementBatch batch{.chain_id = 31'337, .batch = {.batch_number = 7}};
    batch.batch.token = Address{{0x22}};
    statements_.batch_rows = {batch};
    auto const batches = Json::parse(get("/v1/statements/2027-01/batches").body);
    EXPECT_EQ(batches.at("data").at(0).at("number"), 7U);
    EXPECT_EQ(statements_.asked_limit, 10U);
    EXPECT_TRUE(Json::parse(get("/v1/statements/2027-01/batches", "after=bat_31337_7").body)
                    .at("data")
                    .empty());
}

TEST_F(StatementsApiTest, what_is_wrong_is_named) {
    using Fields = std::vector<std::string>;
    EXPECT_EQ(wrong_fields(get("/v1/statements/yesterday")), Fields{"period"});
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-02-29/lines")), Fields{"period"});
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-01-16")), Fields{"period"});
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-02", "format=xml&chain_id=0&token=EUR&x=1")),
              (Fields{"period", "format", "chain_id", "token", "x"}));
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-01", "after=lin_1_1&limit=1")),
              (Fields{"after", "limit"}));
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-01/lines", "after=bat_1_1&limit=101")),
              (Fields{"after", "limit"}));
    EXPECT_EQ(wrong_fields(get("/v1/statements/2027-01/batches", "after=lin_1_1&format=csv")),
              (Fields{"after", "format"}));
    EXPECT_FALSE(statements_.asked);
}

TEST_F(StatementsApiTest, there_is_nothing_else_below_it) {
    for (char const* path : {"/v1/statements", "/v1/statements/2027-01/x",
                             "/v1/statements/2027-01/lines/1", "/v1/statements//lines"}) {
        EXPECT_NE(get(path).status, 200U) << path;
    }
    auto const posted = send(request("POST", "/v1/statements/2027-01"));
    EXPECT_EQ(posted.status, 405U);
    EXPECT_EQ(header(posted, "allow"), "GET, HEAD");
    auto anonymous = request("GET", "/v1/statements/2027-01");
    anonymous.headers.clear();
    EXPECT_EQ(send(anonymous).status, 401U);
    EXPECT_FALSE(statements_.asked);
}

TEST_F(StatementsApiTest, totals_are_the_callers_own_in_two_forms) {
    auto const query = parse_totals_days("2027-01-14", "2027-01-15", clock_.now()).value();
    statements_.total_rows = {{.day = query.first,
                               .chain_id = 31'337,
                               .token = Address{{0x22}},
                               .stage = TotalStage::settled,
                               .count = 3,
                               .amount = Amount(7)}};
    auto const response = get("/v1/totals", "from=2027-01-14&to=2027-01-15");
    ASSERT_EQ(response.status, 200U);
    auto const json = Json::parse(response.body);
    EXPECT_EQ(json.at("merchant"), to_string(merchant_));
    EXPECT_EQ(json.at("data").at(0).at("stage"), "settled");
    ASSERT_TRUE(statements_.asked_totals);
    EXPECT_EQ(statements_.asked_totals->merchant_id, merchant_);
    EXPECT_EQ(statements_.asked_totals->first, query.first);
    auto const csv = get("/v1/totals", "from=2027-01-14&to=2027-01-15&format=csv");
    EXPECT_EQ(header(csv, "content-type"), "text/csv; charset=utf-8; header=present");
    EXPECT_EQ(header(csv, "content-disposition"),
              "attachment; filename=\"sycee-totals-2027-01-14-2027-01-15.csv\"");
    EXPECT_EQ(std::ranges::count(csv.body, '\n'), 2);
    EXPECT_EQ(get("/v1/totals").status, 200U);
}

TEST_F(StatementsApiTest, what_is_wrong_with_the_days_of_totals_is_named) {
    using Fields = std::vector<std::string>;
    EXPECT_EQ(wrong_fields(get("/v1/totals", "from=2027-01")), Fields{"from"});
    EXPECT_EQ(wrong_fields(get("/v1/totals", "to=2999-01-01")), Fields{"to"});
    EXPECT_EQ(wrong_fields(get("/v1/totals", "from=&to=x&format=xml&limit=1")),
              (Fields{"from", "format", "limit"}));
    EXPECT_FALSE(statements_.asked_totals);
    EXPECT_EQ(send(request("POST", "/v1/totals")).status, 405U);
}

}  // namespace
}  // namespace sycee
