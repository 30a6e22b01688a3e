// Pins: an operator sees each open difference, books it as lost or accepts it; much money waits for
// another operator.
#include "admin_fixture.hpp"

namespace sycee {
namespace {

class Differences : public AdminPagesTest {
  protected:
    Differences() {
        log_in();
        OpenDifference& difference = losses_.difference;
        difference.id = {make_uuid_v7(world_.clock.time, {3})};
        difference.chain_id = kTestChain;
        difference.block_number = 100;
        difference.found_at = world_.clock.time - std::chrono::hours(5);
        BookedBalance& booked = difference.difference.booked;
        booked.payment = {world_.state.payment.merchant_id, world_.state.payment.id};
        booked.address = world_.state.payment.deposit_address;
        booked.token = kTestToken;
        missing(50);
    }

    // Of so many whole tokens nothing is left.
    void missing(Uint128 tokens) {
        losses_.booked = losses_.difference.difference.booked.amount = Amount(tokens * kWholeToken);
    }
    HttpResponse send(std::string const& action, std::string const& fields) {
        std::string const before = "name=\"token\" value=\"";
        std::string const body = get("/admin").body;
        std::string const token = body.substr(body.find(before) + before.size(), 64);
        return post("/admin/differences/" + to_string(losses_.difference.id) + "/" + action,
                    "token=" + token + "&" + fields);
    }
    // The page that a form's answer leads to.
    std::string answer(std::string const& action, std::string const& fields) {
        auto const response = send(action, fields);
        EXPECT_EQ(response.status, 303U) << response.body;
        std::string const location = header(response, "location");
        auto const query = location.find('?');
        EXPECT_EQ(location.substr(0, query), "/admin/differences");
        return get("/admin/differences",
                   query == std::string::npos ? "" : location.substr(query + 1))
            .body;
    }
    void become(std::string const& name, std::uint8_t number) {
        access_.operator_row.id = {make_uuid_v7(world_.clock.time, {number})};
        access_.operator_row.name = name;
    }
};

TEST_F(Differences, AreShownWithWhatBothSidesSay) {
    std::string const body = get("/admin/differences").body;
    EXPECT_TRUE(body.contains(to_string(losses_.difference.id)));
    EXPECT_TRUE(body.contains("50.000000 USDT"));
    EXPECT_TRUE(body.contains("0.000000 USDT"));
    EXPECT_TRUE(body.contains("Tea House"));
    EXPECT_TRUE(body.contains("5 h ago"));
    EXPECT_TRUE(body.contains("href=\"/admin/payments/" + world_.id() + "\""));
    EXPECT_TRUE(body.contains("/book-loss"));
    // Where more lies there than the books say, nothing is lost.
    losses_.difference.difference.on_chain = Amount(60 * kWholeToken);
    EXPECT_FALSE(get("/admin/differences").body.contains("/book-loss"));
    losses_.open = false;
    EXPECT_TRUE(get("/admin/differences").body.contains("No difference is open"));
}

TEST_F(Differences, AreBookedAsLostForAReason) {
    EXPECT_TRUE(answer("book-loss", "reason=+").contains("The reason is missing"));
    EXPECT_TRUE(losses_.commits.empty());
    EXPECT_TRUE(answer("book-loss", "reason=case+7").contains("Booked: 50.000000 USDT as lost"));
    ASSERT_EQ(losses_.commits.size(), 1U);
    auto const& loss = std::get<TokenLoss>(losses_.commits[0].entries.at(0).record);
    EXPECT_EQ(loss.decided_by, to_string(access_.operator_row.id));
    EXPECT_EQ(loss.approved_by, "");
    EXPECT_EQ(losses_.commits[0].reason, "case 7");
    EXPECT_TRUE(answer("book-loss", "reason=case+7").contains("is closed already"));
}

TEST_F(Differences, OfMuchMoneyWaitForAnotherOperator) {
    missing(1'001);
    EXPECT_TRUE(answer("book-loss", "reason=case+7").contains("needs a second operator"));
    EXPECT_TRUE(losses_.commits.empty());
    ASSERT_EQ(losses_.waiting.size(), 1U);
    std::string const request = "request=" + to_string(losses_.waiting[0].id);
    std::string const body = get("/admin/differences").body;
    EXPECT_TRUE(body.contains("Another operator has to answer"));
    EXPECT_FALSE(body.contains("/book-loss"));
    EXPECT_TRUE(answer("approve", request).contains("needs another operator"));
    std::string const first = to_string(access_.operator_row.id);
    become("second", 8);
    EXPECT_TRUE(get("/admin/differences").body.contains("Approve and book"));
    EXPECT_TRUE(answer("approve", request).contains("Booked: 1001.000000 USDT as lost"));
    auto const& loss = std::get<TokenLoss>(losses_.commits.at(0).entries.at(0).record);
    EXPECT_EQ(loss.decided_by, first);
    EXPECT_EQ(loss.approved_by, to_string(access_.operator_row.id));
    EXPECT_TRUE(answer("reject", request).contains("is answered already"));
}

TEST_F(Differences, AreAcceptedWithoutBookingAnything) {
    EXPECT_TRUE(answer("accept", "reason=known").contains("Accepted: the address is free again"));
    EXPECT_FALSE(losses_.open);
    EXPECT_TRUE(losses_.commits.empty());
}

TEST_F(Differences, AreAnsweredByNoFormOfAnotherPage) {
    std::string const where = "/admin/differences/" + to_string(losses_.difference.id);
    EXPECT_EQ(post(where + "/accept", "token=wrong&reason=x").status, 403U);
    EXPECT_EQ(post(where + "/accept", "reason=x", {{"origin", "https://evil.example"}}).status,
              403U);
    EXPECT_TRUE(losses_.open);
    EXPECT_TRUE(answer("steal", "reason=x").contains("There is no such form"));
    cookie_.clear();
    EXPECT_EQ(get("/admin/differences").status, 303U);
}

}  // namespace
}  // namespace sycee
