// Pins the refunds of a payment's page: what the forms do, what the page shows then, and that
// another operator has to answer what waits.
#include "admin_fixture.hpp"

namespace sycee {
namespace {

constexpr char const* kShopper = "0x52908400098527886E0F7030069857D2E4169EE7";
constexpr char const* kPassword = "correct+horse+battery";

class RefundForms : public AdminPagesTest {
  protected:
    RefundForms() {
        log_in();
        Credit& credit = world_.book(50, CreditStage::settled);
        credit.gross = Amount(50 * kWholeToken);
        world_.store();
        std::string const before = "name=\"token\" value=\"";
        std::string const body = get("/admin").body;
        token_ = body.substr(body.find(before) + before.size(), 64);
    }

    std::string page() const { return "/admin/payments/" + world_.id(); }
    // What the page says that the form leads to.
    std::string send(std::string const& action, std::string const& fields) {
        auto const response = post(page() + "/refunds/" + action, "token=" + token_ + "&" + fields);
        EXPECT_EQ(response.status, 303U) << response.body;
        std::string const location = header(response, "location");
        auto const query = location.find('?');
        EXPECT_EQ(location.substr(0, query), page());
        return get(page(), query == std::string::npos ? "" : location.substr(query + 1)).body;
    }
    std::string create(std::string const& amount, std::string const& recipient = kShopper,
                       std::string const& password = kPassword) {
        return send("create", "of=11155111%2F" + to_string(kTestToken) + "&amount=" + amount +
                                  "&recipient=" + recipient +
                                  "&reason=it+did+not+fit&password=" + password);
    }

    std::string token_;
};

TEST_F(RefundForms, PromiseSettledMoneyAndTakeItBack) {
    EXPECT_TRUE(get(page()).body.contains("Up to 50.000000 USDT are settled"));
    std::string body = create("20");
    EXPECT_TRUE(body.contains("Booked. Send the money")) << body;
    EXPECT_TRUE(body.contains(kShopper));
    EXPECT_TRUE(body.contains("frozen"));
    ASSERT_EQ(refunds_.refunds.size(), 1U);
    EXPECT_EQ(refunds_.refunds[0].amount, Amount(20 * kWholeToken));
    EXPECT_EQ(refunds_.refunds[0].decided_by, to_string(access_.operator_row.id));
    std::string const id =
        "refund=ref_11155111_" + std::to_string(refunds_.refunds[0].key.sequence);
    EXPECT_TRUE(send("cancel", id).contains("Nothing was done. The reason is missing."));
    // No node has the transaction: it is looked for.
    body = send("report", id + "&transaction=0x" + std::string(64, 'a'));
    EXPECT_TRUE(body.contains("reported")) << body;
    EXPECT_TRUE(
        send("report", id + "&transaction=x").contains("Nothing was done. The transaction"));
}

TEST_F(RefundForms, GiveALinkForThePayerWhereNobodyIsNamed) {
    std::string const body = create("20", "", "");
    EXPECT_TRUE(body.contains("Booked.")) << body;
    ASSERT_EQ(refunds_.refunds.size(), 1U);
    EXPECT_EQ(refunds_.refunds[0].recipient, Address{});
    std::string const url = refund_service_.claim_url(refunds_.refunds[0]);
    ASSERT_FALSE(url.empty());
    std::string const id =
        "refund=ref_11155111_" + std::to_string(refunds_.refunds[0].key.sequence);
    // Whoever has it says where the money goes: so it is shown for the password alone.
    EXPECT_FALSE(body.contains("/refund/mer_"));
    EXPECT_TRUE(send("link", id).contains("The password is missing"));
    EXPECT_TRUE(send("link", id + "&password=wrong").contains("The password is wrong"));
    auto const shown =
        post(page() + "/refunds/link", "token=" + token_ + "&" + id + "&password=" + kPassword);
    EXPECT_EQ(shown.status, 200U);
    EXPECT_TRUE(shown.body.contains(url)) << shown.body;
    EXPECT_TRUE(send("link", "refund=ref_1_1&password=x").contains("needs no recipient"));
    std::string const named = id + "&recipient=" + kShopper + "&password=";
    EXPECT_FALSE(send("recipient", named + kPassword).contains("/refund/mer_"));
    EXPECT_NE(refunds_.refunds[0].recipient, Address{});
}

// A browser that was left open, or a stolen cookie, must not send money anywhere.
TEST_F(RefundForms, SendMoneyToAnAddressOnlyByThePasswordOfWhoNamesIt) {
    EXPECT_TRUE(create("20", kShopper, "").contains("Nothing was done. The password is missing"));
    EXPECT_TRUE(
        create("20", kShopper, "wrong").contains("Nothing was done. The password is wrong"));
    EXPECT_TRUE(refunds_.refunds.empty());
    create("20", "", "");
    ASSERT_EQ(refunds_.refunds.size(), 1U);
    std::string const named = "refund=ref_11155111_" +
                              std::to_string(refunds_.refunds[0].key.sequence) +
                              "&recipient=" + kShopper;
    EXPECT_TRUE(send("recipient", named).contains("The password is missing"));
    // Guesses are slowed down as those at the login are, and count with them.
    for (int guess = 0; guess < 4; ++guess)
        EXPECT_TRUE(send("recipient", named + "&password=x").contains("The password is wrong"));
    EXPECT_TRUE(send("recipient", named + "&password=" + kPassword).contains("Too many attempts"));
    EXPECT_EQ(post("/admin/login", "name=ops&password=x").status, 429U);
    EXPECT_EQ(refunds_.refunds[0].recipient, Address{});
}

TEST_F(RefundForms, SayWhatIsWrong) {
    EXPECT_TRUE(create("50.000001").contains("is more than the 50.000000 USDT that are settled"));
    EXPECT_TRUE(create("x").contains("Nothing was done. The amount"));
    EXPECT_TRUE(create("1", "0x12").contains("Nothing was done. The recipient"));
    EXPECT_TRUE(send("create", "of=1%2F0x&amount=1").contains("has nothing settled there"));
    EXPECT_TRUE(send("report", "refund=ref_1_1").contains("The refund is not there."));
    EXPECT_TRUE(send("approve", "request=req_x").contains("answered already, or never was"));
    EXPECT_TRUE(send("burn", "refund=ref_1_1").contains("The refund is not there."));
    EXPECT_TRUE(refunds_.commits.empty());
    token_.assign(64, '0');
    EXPECT_EQ(post(page() + "/refunds/create", "token=" + token_).status, 403U);
}

TEST_F(RefundForms, AnswerWhatWaitsForASecondOperator) {
    refunds_.waiting = {{.id = {make_uuid_v7(world_.clock.time, {1})},
                         .merchant_id = world_.state.payment.merchant_id,
                         .chain_id = kTestChain,
                         .payment_id = world_.state.payment.id,
                         .token = kTestToken,
                         .recipient = test_address(0x31),
                         .amount = Amount(30 * kWholeToken),
                         .reason = "a large one",
                         .requested_by = to_string(access_.operator_row.id),
                         .created_at = world_.clock.time}};
    std::string const request = "request=" + to_string(refunds_.waiting[0].id);
    EXPECT_TRUE(get("/admin/exceptions").body.contains("refund of settled money"));
    EXPECT_TRUE(get(page()).body.contains("You asked for this. Another operator has to answer."));
    EXPECT_TRUE(send("approve", request).contains("The password is missing"));
    std::string const confirmed = request + "&password=" + kPassword;
    EXPECT_TRUE(send("approve", confirmed).contains("needs another operator"));
    EXPECT_TRUE(refunds_.refunds.empty());
    refunds_.waiting[0].requested_by = "opr_another";
    EXPECT_TRUE(send("approve", confirmed).contains("Approved and booked."));
    ASSERT_EQ(refunds_.refunds.size(), 1U);
    EXPECT_EQ(refunds_.refunds[0].decided_by, "opr_another");
    EXPECT_EQ(refunds_.refunds[0].approved_by, to_string(access_.operator_row.id));
}

}  // namespace
}  // namespace sycee
