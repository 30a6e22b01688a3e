// Pins: what a shop can change of a payment that is there, how it cancels one, and by what it finds
// them again.
#include "api_fixture.hpp"

#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class ChangePayment : public MerchantApiTest {
  protected:
    ChangePayment() {
        id_ = add_payment(1, merchant_);
        Payment& payment = state().payment;
        payment.options = {{31'337, Address{{0x22}}, Amount(50'000'000), Amount{}}};
        payment.expires_at = kNow + 1h;
        payment.description = "Two T-shirts";
        payment.metadata = {{"size", "L"}, {"colour", "red"}};
        path_ = "/v1/payments/" + to_string(id_);
    }
    PaymentState& state() { return payments_.states.front(); }
    HttpResponse change(std::string body, std::string if_match = "", std::string below = "") {
        auto made = post(std::move(body));
        made.path = path_ + below;
        if (!if_match.empty()) made.headers.emplace_back("if-match", std::move(if_match));
        return send(made);
    }
    HttpResponse cancel(std::string body = "{}") { return change(std::move(body), "", "/cancel"); }
    std::string code(HttpResponse const& response) { return problem(response).at("code"); }

    PaymentId id_;
    std::string path_;
};

TEST_F(ChangePayment, ReplacesWordsKeyByKey) {
    auto const answer = change(R"({"metadata": {"size": "XL", "fit": "", "colour": null}})");
    ASSERT_EQ(answer.status, 200U) << answer.body;
    Json const json = Json::parse(answer.body);
    EXPECT_EQ(json.at("metadata"), Json({{"size", "XL"}, {"fit", ""}}));
    EXPECT_EQ(json.at("description"), "Two T-shirts");
    EXPECT_EQ(header(answer, "content-location"), path_);

    EXPECT_EQ(Json::parse(change(R"({"description": "Three"})").body).at("description"), "Three");
    auto const none = Json::parse(change(R"({"description": "", "metadata": null})").body);
    EXPECT_TRUE(none.at("description").is_null());
    EXPECT_EQ(none.at("metadata"), json.at("metadata"));
    EXPECT_EQ(change("{}").status, 200U);
}

TEST_F(ChangePayment, RefusesWhatACreationRefuses) {
    std::string const long_text(501, 'x');
    std::string const long_key(41, 'k');
    std::string many = "{\"metadata\": {";
    for (int i = 0; i < 49; ++i)
        many += (i == 0 ? "\"k" : ", \"k") + std::to_string(i) + "\": \"v\"";
    for (auto const& [body, field] : std::vector<std::pair<std::string, std::string>>{
             {R"({"description": ")" + long_text + R"("})", "description"},
             {R"({"description": "a\u0000b"})", "description"},
             {R"({"description": 5})", "description"},
             {R"({"metadata": {")" + long_key + R"(": "x"}})", "metadata"},
             {R"({"metadata": {"a/b": ")" + long_text + R"("}})", "metadata/a/b"},
             {R"({"metadata": {"": "x"}})", "metadata"},
             {R"({"metadata": {"size": 40}})", "metadata/size"},
             {R"({"metadata": []})", "metadata"},
             {many + "}}", "metadata"},
             {R"({"reference": "order-2"})", "reference"},
             {R"({"amount": "1"})", "amount"}}) {
        auto const answer = change(body);
        EXPECT_EQ(answer.status, 400U) << body;
        EXPECT_EQ(problem(answer).at("errors")[0].at("field"), field) << body;
    }
    EXPECT_EQ(state().payment.metadata.size(), 2U);
    EXPECT_EQ(state().payment.description, "Two T-shirts");
}

TEST_F(ChangePayment, ChangesOnlyWhatTheShopHasRead) {
    auto const read = send(request("GET", path_));
    auto const tag = header(read, "etag");
    auto const first = change(R"({"description": "Three"})", tag);
    ASSERT_EQ(first.status, 200U);
    EXPECT_NE(header(first, "etag"), tag);
    EXPECT_EQ(header(first, "etag"), header(send(request("GET", path_)), "etag"));
    for (auto const& stale : {tag, std::string("\"\""), "W/" + header(first, "etag")}) {
        auto const answer = change(R"({"description": "Four"})", stale);
        EXPECT_EQ(answer.status, 412U) << stale;
        EXPECT_EQ(code(answer), "precondition_failed");
    }
    EXPECT_EQ(state().payment.description, "Three");
    EXPECT_EQ(change(R"({"description": "Four"})", "\"x\", " + header(first, "etag")).status, 200U);
    EXPECT_EQ(change(R"({"description": "Five"})", "*").status, 200U);
    // Wrong, and not what was read: what is not read any more is said first.
    EXPECT_EQ(change(R"({"metadata": {"": "x"}})", tag).status, 412U);
}

TEST_F(ChangePayment, CancelsOnceAndSaysSoEachTime) {
    auto const answer = cancel(R"({"reason": "the customer went away"})");
    ASSERT_EQ(answer.status, 200U) << answer.body;
    Json const json = Json::parse(answer.body);
    EXPECT_EQ(json.at("status"), "canceled");
    EXPECT_EQ(json.at("canceled_at"), to_rfc3339(kNow));
    EXPECT_EQ(send(request("GET", path_)).body, answer.body);
    ASSERT_EQ(payments_.cancellations.size(), 1U);
    auto const& commit = payments_.cancellations[0];
    EXPECT_EQ(commit.reason, "the customer went away");
    auto const& record = std::get<Cancellation>(commit.entries.at(0).record);
    EXPECT_EQ(record.ends_at, kNow - 1s);
    EXPECT_TRUE(record.decided_by.starts_with("key_"));
    EXPECT_EQ(commit.events.at(0).type, "payment.canceled");

    clock_.time += 1min;
    EXPECT_EQ(cancel().body, answer.body);
    auto bare = request("POST", path_ + "/cancel");
    EXPECT_EQ(send(bare).body, answer.body);
    EXPECT_EQ(payments_.cancellations.size(), 1U);
}

TEST_F(ChangePayment, CancelsNothingThatCameOrIsOver) {
    PaymentState const before = state();
    put_on_desk(state(), 7, 31'337, Address{{0x22}}, Amount(1), 90, kNow);
    auto answer = cancel();
    EXPECT_EQ(answer.status, 409U);
    EXPECT_EQ(code(answer), "payment_not_open");
    state() = before;
    registry_.set(31'337,
                  {.head_time = kNow + 1h + 1s, .agreed = 110, .finalized = 100, .rule = {}});
    answer = cancel();
    EXPECT_EQ(answer.status, 409U);
    EXPECT_EQ(code(answer), "payment_expired");
    registry_.lose(31'337);
    EXPECT_EQ(cancel().status, 503U);
    EXPECT_TRUE(payments_.cancellations.empty());
    EXPECT_FALSE(state().canceled);
}

TEST_F(ChangePayment, CancelsByWhatIsThereWhereSomebodyWasFaster) {
    // A follower commits between the reading and the writing.
    payments_.before_commit = [this] {
        put_on_desk(state(), 7, 31'337, Address{{0x22}}, Amount(1), 90, kNow);
    };
    auto const answer = cancel();
    EXPECT_EQ(answer.status, 409U);
    EXPECT_EQ(code(answer), "payment_not_open");
    state().credits.clear();
    // Another cancellation does.
    payments_.before_commit = [this] {
        state().canceled = Canceled{31'337, 9, {}, kNow - 1s, kNow - 1min};
    };
    auto const second = cancel();
    EXPECT_EQ(second.status, 200U) << second.body;
    EXPECT_EQ(Json::parse(second.body).at("canceled_at"), to_rfc3339(kNow - 1min));
    EXPECT_TRUE(payments_.cancellations.empty());
}

TEST_F(ChangePayment, ReadsTheReasonStrictly) {
    for (auto const* body : {R"({"reason": ""})", R"({"reason": " "})", R"({"reason": 1})",
                             R"({"why": "x"})", R"({"reason": "a\u0007"})"}) {
        EXPECT_EQ(cancel(body).status, 400U) << body;
    }
    EXPECT_EQ(cancel("[]").status, 400U);
    EXPECT_EQ(cancel("").status, 400U);  // said to be JSON, and none
    EXPECT_FALSE(state().canceled);
}

TEST_F(ChangePayment, IsNotThereForOthers) {
    auto const theirs = add_payment(2, other_merchant_);
    for (std::string const& id : {to_string(theirs), to_string(merchant_), std::string("pay_x")}) {
        for (auto const* below : {"", "/cancel"}) {
            auto made = post("{}");
            made.path = "/v1/payments/" + id + below;
            EXPECT_EQ(send(made).status, 404U) << made.path;
        }
    }
    EXPECT_FALSE(payments_.states.back().canceled);
    EXPECT_TRUE(payments_.cancellations.empty());
}

TEST_F(ChangePayment, ShowsWhatIsOnTheDeskAndWhy) {
    put_on_desk(state(), 7, 31'337, Address{{0x22}}, Amount(2'000'000), 90, kNow + 2h);
    state().credits[0].unapplied_reason = UnappliedReason::late;
    Json json = Json::parse(send(request("GET", path_)).body);
    EXPECT_EQ(json.at("late"), true);
    EXPECT_EQ(json.at("overpaid"), false);
    EXPECT_EQ(json.at("underpaid"), false);
    EXPECT_EQ(json.at("transfers")[0].at("late"), true);
    EXPECT_EQ(json.at("transfers")[0].at("unapplied_reason"), "late");
    EXPECT_EQ(json.at("transfers")[0].at("exception"), "exc_31337_7");

    Credit& credit = state().credits[0];
    credit.first_seen_time = kNow;
    credit.stage = CreditStage::settled;
    credit.unapplied_reason.reset();
    credit.gross = Amount(50'000'000);
    json = Json::parse(send(request("GET", path_)).body);
    EXPECT_EQ(json.at("overpaid"), true);
    EXPECT_EQ(json.at("late"), false);
    EXPECT_EQ(json.at("transfers")[0].at("unapplied_reason"), "overpaid");
}

TEST_F(ChangePayment, FindsByFilters) {
    auto const find = [&](std::string const& query) {
        auto const answer = send(request("GET", "/v1/payments", query));
        EXPECT_EQ(answer.status, 200U) << query << answer.body;
        return Json::parse(answer.body);
    };
    PaymentId const second = add_payment(2, merchant_);
    payments_.states.back().payment.reference = "order 2";
    payments_.states.back().payment.metadata = {{"size", "L"}};
    payments_.states.back().canceled = Canceled{31'337, 9, {}, kNow, kNow};
    EXPECT_EQ(find("reference=order%202").at("data").size(), 1U);
    EXPECT_EQ(find("metadata%5Bsize%5D=L").at("data").size(), 2U);
    EXPECT_EQ(find("metadata[size]=L&metadata[colour]=red").at("data")[0].at("id"), to_string(id_));
    EXPECT_EQ(find("status=canceled").at("data")[0].at("id"), to_string(second));
    EXPECT_EQ(find("status=open").at("data")[0].at("id"), to_string(id_));
    EXPECT_EQ(find("status=settled").at("data").size(), 0U);
    find("created_after=2026-11-26T10:00:00Z&created_before=2026-11-27T10:00:00.250Z");
    EXPECT_EQ(payments_.asked_filter.created_after, timestamp_from_seconds(1'795'687'200));
    EXPECT_EQ(payments_.asked_filter.created_before, timestamp_from_seconds(1'795'773'600) + 250ms);

    std::string six;
    for (int i = 0; i < 6; ++i)
        six += "metadata[k" + std::to_string(i) + "]=v&";
    for (auto const& [query, field] : std::vector<std::pair<std::string, std::string>>{
             {"status=paid", "status"},
             {"status=", "status"},
             {"reference=", "reference"},
             {"reference=" + std::string(501, 'x'), "reference"},
             {"reference=%00", "reference"},
             {"reference=%ff", "reference"},
             {"created_after=yesterday", "created_after"},
             {"created_after=2026-02-30T00:00:00Z", "created_after"},
             {"created_before=2026-11-26T10:00:00%2B01:00", "created_before"},
             {"created_before=1795687200", "created_before"},
             {"metadata=L", "metadata"},
             {"metadata[]=L", "metadata[]"},
             {"metadata[size]=", "metadata[size]"},
             {"metadata[%ff]=x", "metadata[\xef\xbf\xbd]"},
             {"metadata[size]=L&metadata[size]=M", "metadata[size]"},
             {six, "metadata[k5]"}}) {
        auto const answer = send(request("GET", "/v1/payments", query));
        EXPECT_EQ(answer.status, 400U) << query;
        EXPECT_EQ(problem(answer).at("errors")[0].at("field"), field) << query;
    }
}

// However few of very many fit, a request looks at so many and says where to go on.
TEST_F(ChangePayment, LooksAtNoMoreThanSoManyForAStatus) {
    payments_.states.clear();
    for (std::uint16_t i = 0; i < 1'500; ++i) {
        PaymentState one;
        one.payment.merchant_id = merchant_;
        one.payment.id.uuid = make_uuid_v7(
            kNow, {0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)});
        one.payment.currency = "USD";
        one.payment.price = Amount(5'000);
        if (i == 100 || i == 1'200) one.canceled = Canceled{31'337, i, {}, kNow, kNow};
        payments_.states.push_back(one);
    }
    std::ranges::sort(payments_.states, {}, [](PaymentState const& one) { return one.payment.id; });
    std::vector<std::string> seen;
    std::string query = "status=canceled&limit=5";
    unsigned pages = 0;
    for (bool more = true; more && pages < 10; ++pages) {
        Json const json = Json::parse(send(request("GET", "/v1/payments", query)).body);
        for (auto const& one : json.at("data"))
            seen.push_back(one.at("id"));
        more = json.at("has_more");
        EXPECT_EQ(json.at("next_cursor").is_null(), !more);
        if (more)
            query = "status=canceled&limit=5&after=" + json.at("next_cursor").get<std::string>();
    }
    EXPECT_EQ(pages, 2U);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 2U);
}

}  // namespace
}  // namespace sycee
