#include "admin_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class ExceptionsDesk : public AdminPagesTest {
  protected:
    ExceptionsDesk() {
        log_in();
        world_.state.payment.expires_at = world_.clock.time - 1s;
        page_ = put(20 * kWholeToken);
        token_ = form_token();
    }

    std::string put(Uint128 amount, BlockNumber block = 50) {
        auto const exception = put_on_desk(world_.state, 40 + desk_.exceptions.size(), kTestChain,
                                           kTestToken, Amount(amount), block, world_.clock.time);
        world_.store();
        desk_.exceptions.push_back(exception);
        return "/admin/exceptions/" + to_string(exception.key.merchant_id) + "/exc_11155111_" +
               std::to_string(exception.key.sequence);
    }

    // As in the page of whoever is logged in.
    std::string form_token() {
        std::string const before = "name=\"token\" value=\"";
        std::string const body = get("/admin").body;
        return body.substr(body.find(before) + before.size(), 64);
    }

    HttpResponse decide(std::string const& fields) {
        return post(page_ + "/resolve", "token=" + token_ + "&" + fields);
    }

    // The page that a form's answer leads to.
    std::string follow(HttpResponse const& response) {
        EXPECT_EQ(response.status, 303U) << response.body;
        std::string const location = header(response, "location");
        auto const query = location.find('?');
        return get(location.substr(0, query),
                   query == std::string::npos ? "" : location.substr(query + 1))
            .body;
    }

    // The page that answers a decision that was refused.
    std::string refusal(std::string const& fields) {
        auto const response = decide(fields);
        EXPECT_EQ(response.status, 422U) << fields;
        return response.body;
    }

    void become(std::string const& name, std::uint8_t number) {
        access_.operator_row.id = {make_uuid_v7(world_.clock.time, {number})};
        access_.operator_row.name = name;
    }

    std::string page_;
    std::string token_;
};

TEST_F(ExceptionsDesk, ListsWhatIsOpen) {
    desk_.exceptions[0].booked_at = world_.clock.time - 5h;
    put(3 * kWholeToken);
    desk_.exceptions[1].is_final = false;
    desk_.exceptions[0].resolved = Amount(5 * kWholeToken);
    std::string body = get("/admin/exceptions").body;
    EXPECT_TRUE(body.contains("href=\"" + page_ + "\""));
    EXPECT_TRUE(body.contains("<td data-label=\"Reason\">late</td>"));
    EXPECT_TRUE(body.contains("<td data-label=\"Age\">5 h</td>"));
    EXPECT_TRUE(body.contains("20.000000 USDT<br>15.000000 left"));
    EXPECT_TRUE(body.contains("href=\"/admin/payments/" + world_.id() + "\""));
    EXPECT_TRUE(body.contains("waits for finality"));
    EXPECT_TRUE(body.contains("Tea House"));
    EXPECT_LT(body.find("exc_11155111_41"), body.find("exc_11155111_40"));

    desk_.exceptions[0].resolved = desk_.exceptions[0].amount;
    EXPECT_FALSE(get("/admin/exceptions").body.contains("exc_11155111_40"));
    body = get("/admin/exceptions", "status=all").body;
    EXPECT_TRUE(body.contains("exc_11155111_40"));
    EXPECT_TRUE(body.contains("resolved"));
    desk_.exceptions.clear();
    EXPECT_TRUE(get("/admin/exceptions").body.contains("Nothing is waiting"));
}

TEST_F(ExceptionsDesk, ThePagesOfTheListFollowOneAnother) {
    for (int i = 0; i < 55; ++i)
        put(1);
    std::string const body = get("/admin/exceptions").body;
    auto const begin = body.find("?after=");
    ASSERT_NE(begin, std::string::npos);
    std::string const cursor = body.substr(begin + 1, body.find('"', begin) - begin - 1);
    std::string const older = get("/admin/exceptions", cursor).body;
    EXPECT_FALSE(body.contains("exc_11155111_45<"));
    EXPECT_TRUE(older.contains("exc_11155111_45<"));
    EXPECT_FALSE(older.contains("Older"));
    EXPECT_EQ(get("/admin/exceptions", "after=%22%3E").status, 200U);
}

TEST_F(ExceptionsDesk, EveryPageSaysHowManyAreOpen) {
    for (auto const* path : {"/admin", "/admin/exceptions", "/admin/chains", "/admin/nothing"})
        EXPECT_TRUE(get(path).body.contains("<span class=\"count\">1<")) << path;
    for (int i = 0; i < 120; ++i)
        put(1);
    EXPECT_TRUE(get("/admin").body.contains("<span class=\"count\">99+<"));
    desk_.exceptions.clear();
    EXPECT_FALSE(get("/admin").body.contains("class=\"count\""));
}

TEST_F(ExceptionsDesk, APaymentLeadsToItsExceptions) {
    std::string const body = get("/admin/payments/" + world_.id()).body;
    EXPECT_TRUE(body.contains("On the exceptions desk"));
    EXPECT_TRUE(body.contains("href=\"" + page_ + "\""));
}

TEST_F(ExceptionsDesk, ShowsAnExceptionWithItsFourDecisions) {
    std::string const body = get(page_).body;
    EXPECT_TRUE(body.contains("It came after the payment had expired."));
    EXPECT_TRUE(body.contains("<dt>Left to decide</dt><dd>20.000000 USDT</dd>"));
    EXPECT_TRUE(body.contains("<dt>Payment still needs</dt><dd>50.000000 USDT</dd>"));
    for (auto const* kind : {"accept", "credit", "write_off", "refund"}) {
        EXPECT_TRUE(body.contains("name=\"kind\" value=\"" + std::string(kind) + "\"")) << kind;
    }
    EXPECT_TRUE(body.contains("action=\"" + page_ + "/resolve\""));
    EXPECT_TRUE(body.contains("maxlength=\"500\" required></textarea>"));
    EXPECT_FALSE(body.contains("<script"));
    for (auto const* path :
         {"/admin/exceptions/x/y", "/admin/exceptions/", "/admin/exceptions/exc_11155111_40"}) {
        EXPECT_EQ(get(path).status, 404U) << path;
    }
    std::string const foreign = to_string(MerchantId{make_uuid_v7(world_.clock.time, {55})});
    EXPECT_EQ(get("/admin/exceptions/" + foreign + "/exc_11155111_40").status, 404U);
}

TEST_F(ExceptionsDesk, SuggestsAllOfItForAnOpenAmount) {
    world_.state.payment.open_amount = true;
    world_.state.payment.options[0].amount = Amount(kWholeToken);
    world_.state.payment.price = Amount(100);
    world_.store();
    std::string const body = get(page_).body;
    EXPECT_TRUE(body.contains("<dt>Payment still needs</dt><dd>at least 1.000000 USDT</dd>"));
    EXPECT_FALSE(body.contains("name=\"amount\" value=\"1.000000\""));
    std::string const payment = get("/admin/payments/" + world_.id()).body;
    EXPECT_TRUE(payment.contains("<h1>from 1.00 USD</h1>"));
    EXPECT_TRUE(payment.contains("<dt>Open amount</dt><dd>at least 1.00 USD</dd>"));
}

TEST_F(ExceptionsDesk, OffersNoDecisionThatCantBeMade) {
    desk_.exceptions[0].is_final = false;
    std::string body = get(page_).body;
    EXPECT_TRUE(body.contains("waits for finality"));
    EXPECT_FALSE(body.contains("name=\"kind\""));
    desk_.exceptions[0].is_final = true;
    world_.credit(50, CreditStage::settled);
    body = get(page_).body;
    EXPECT_TRUE(body.contains("This payment is paid already."));
    EXPECT_FALSE(body.contains("value=\"accept\""));
    EXPECT_TRUE(body.contains("value=\"write_off\""));
    desk_.exceptions[0].resolved = desk_.exceptions[0].amount;
    EXPECT_TRUE(get(page_).body.contains("All of it is resolved."));
}

TEST_F(ExceptionsDesk, BooksADecisionUnderTheOperatorsId) {
    auto const response =
        decide("kind=write_off&amount=+7.5&reason=the+payer%0D%0Agave+up+%3Cscript%3E%0D%0A");
    std::string const location = header(response, "location");
    EXPECT_TRUE(location.starts_with(page_ + "?said=good&text=Booked"));
    std::string const body = follow(response);
    EXPECT_TRUE(body.contains("<p class=\"notice\" role=\"status\">Booked: write off.</p>"));
    EXPECT_TRUE(body.contains("<dt>Left to decide</dt><dd>12.500000 USDT</dd>"));
    ASSERT_EQ(desk_.resolutions.size(), 1U);
    EXPECT_EQ(desk_.resolutions[0].decided_by, to_string(access_.operator_row.id));
    EXPECT_EQ(desk_.resolutions[0].amount, Amount(7'500'000));
    EXPECT_EQ(desk_.commits[0].reason, "the payer\ngave up <script>");

    EXPECT_TRUE(follow(decide("kind=accept&amount=10&reason=x")).contains("Booked: accept."));
    EXPECT_TRUE(follow(decide("kind=refund&amount=2.5&reason=x")).contains("Booked: refund."));
    EXPECT_EQ(desk_.exceptions[0].resolved, desk_.exceptions[0].amount);
    EXPECT_TRUE(refusal("kind=refund&amount=1&reason=x").contains("resolved already"));
    EXPECT_EQ(desk_.commits.size(), 3U);
}

TEST_F(ExceptionsDesk, CreditsAnotherPayment) {
    PaymentId const first = world_.state.payment.id;
    world_.state.payment.id = {make_uuid_v7(world_.clock.time + 1s, {3})};
    world_.state.credits.clear();
    world_.store();
    std::string const body =
        follow(decide("kind=credit&amount=20&reason=x&target=+" + world_.id()));
    EXPECT_TRUE(body.contains("Booked: credit."));
    ASSERT_EQ(desk_.resolutions.size(), 1U);
    EXPECT_EQ(desk_.resolutions[0].target_payment_id, world_.state.payment.id);
    EXPECT_EQ(desk_.resolutions[0].payment_id, first);
}

TEST_F(ExceptionsDesk, RefusesAndSaysWhy) {
    std::vector<std::pair<std::string, std::string>> const refused{
        {"kind=write_off&amount=5", "The reason is missing"},
        {"kind=write_off&amount=5&reason=", "The reason is missing"},
        {"kind=write_off&amount=5&reason=%20%0A", "The reason is missing"},
        {"kind=write_off&amount=5&reason=a%00b", "The reason must not contain control"},
        {"kind=write_off&amount=5&reason=a%ff", "The reason must be text in UTF-8"},
        {"kind=write_off&amount=5&reason=%ed%a0%80", "The reason must be text in UTF-8"},
        {"kind=write_off&amount=5&reason=" + std::string(501, 'x'), "The reason must have at most"},
        {"kind=write_off&amount=&reason=x", "The amount must be a decimal"},
        {"kind=write_off&reason=x", "The amount must be a decimal"},
        {"kind=write_off&amount=1.0000001&reason=x", "The amount must have at most 6"},
        {"kind=write_off&amount=20.000001&reason=x",
         "The amount is more than the 20.000000 USDT that are left"},
        {"kind=write_off&amount=0&reason=x", "The amount must be above zero"},
        {"kind=write_off&amount=-1&reason=x", "The amount must be a decimal"},
        {"kind=steal&amount=1&reason=x", "not one of the four decisions"},
        {"amount=1&reason=x", "not one of the four decisions"},
        {"kind=credit&amount=1&reason=x", "must be named by its id"},
        {"kind=credit&amount=1&reason=x&target=%3Cscript%3E", "must be named by its id"},
        {"kind=credit&amount=1&reason=x&target=pay_00000000000000000000000000",
         "is not a payment of this merchant"},
        {"kind=credit&amount=1&reason=x&target=" + world_.id(), "is the payment itself"}};
    for (auto const& [fields, words] : refused) {
        std::string const body = refusal(fields);
        EXPECT_TRUE(body.contains("<p class=\"problem\" role=\"status\">Nothing was booked."))
            << fields;
        EXPECT_TRUE(body.contains(words)) << fields;
    }
    EXPECT_TRUE(desk_.commits.empty());
    EXPECT_TRUE(desk_.waiting.empty());
}

TEST_F(ExceptionsDesk, DecidesNothingThatIsNotFinal) {
    page_ = put(5 * kWholeToken, 101);
    EXPECT_TRUE(refusal("kind=write_off&amount=5&reason=x").contains("is not final yet"));
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsDesk, AFormNeedsTheSessionItsTokenAndOurOrigin) {
    std::string const fields = "kind=write_off&amount=5&reason=x";
    for (auto const* action : {"/resolve", "/approve", "/reject"}) {
        std::string const path = page_ + action;
        EXPECT_EQ(post(path, fields).status, 403U);
        EXPECT_EQ(post(path, fields + "&token=" + std::string(64, '0')).status, 403U);
        EXPECT_EQ(post(path, fields + "&token=").status, 403U);
        EXPECT_EQ(
            post(path, fields + "&token=" + token_, {{"origin", "https://evil.example"}}).status,
            403U);
        EXPECT_EQ(post(path, fields + "&token=" + token_, {}).status, 403U);
        EXPECT_EQ(get(path, fields + "&token=" + token_).status, 404U);
    }
    std::string const cookie = cookie_;
    cookie_.clear();
    auto const stranger = decide(fields);
    EXPECT_EQ(stranger.status, 303U);
    EXPECT_EQ(header(stranger, "location"), "/admin/login");
    // Another session's token is none of ours.
    log_in();
    EXPECT_EQ(decide(fields).status, 403U);
    cookie_ = cookie;
    EXPECT_TRUE(desk_.commits.empty());
    EXPECT_EQ(decide(fields).status, 303U);
    EXPECT_EQ(desk_.commits.size(), 1U);
}

TEST_F(ExceptionsDesk, NobodyElsePutsWordsIntoANotice) {
    auto const response = decide("kind=write_off&amount=5&reason=x");
    std::string const location = header(response, "location");
    std::string const query = location.substr(location.find('?') + 1);
    EXPECT_TRUE(get(page_, query).body.contains("Booked: write off."));
    std::string forged = query;
    forged.replace(forged.find("Booked"), 6, "Evil12");
    EXPECT_FALSE(get(page_, forged).body.contains("Evil12"));
    forged = query;
    forged.replace(forged.find("said=good"), 9, "said=bad");
    EXPECT_FALSE(get(page_, forged).body.contains("Booked: write off."));
    EXPECT_FALSE(get(page_, "said=good&text=Send+money&seal=").body.contains("Send money"));
    std::string const elsewhere = put(1);
    EXPECT_FALSE(get(elsewhere, query).body.contains("Booked: write off."));
    cookie_.clear();
    log_in();
    EXPECT_FALSE(get(page_, query).body.contains("Booked: write off."));
}

TEST_F(ExceptionsDesk, SoMuchMoneyNeedsASecondOperator) {
    page_ = put(2'000 * kWholeToken);
    std::string const first = to_string(access_.operator_row.id);
    std::string body = follow(decide("kind=write_off&amount=2000&reason=a+mistake"));
    EXPECT_TRUE(body.contains("needs a second operator"));
    EXPECT_TRUE(body.contains("You asked for this."));
    EXPECT_FALSE(body.contains("Approve and book"));
    EXPECT_TRUE(desk_.commits.empty());
    ASSERT_EQ(desk_.waiting.size(), 1U);
    EXPECT_TRUE(get("/admin/exceptions").body.contains("Waiting for a second operator"));
    std::string const request = "&request=" + to_string(desk_.waiting[0].id);

    // The same person, in this session or another one.
    for (auto const* action : {"/approve", "/reject"}) {
        body = follow(post(page_ + action, "token=" + token_ + request));
        EXPECT_TRUE(body.contains("needs another operator")) << action;
    }
    cookie_.clear();
    log_in();
    token_ = form_token();
    body = follow(post(page_ + "/approve", "token=" + token_ + request));
    EXPECT_TRUE(body.contains("needs another operator"));
    EXPECT_TRUE(desk_.commits.empty());
    EXPECT_EQ(desk_.waiting.size(), 1U);

    become("second", 8);
    body = get(page_).body;
    EXPECT_TRUE(body.contains("Approve and book"));
    EXPECT_TRUE(body.contains("a mistake"));
    body = follow(post(page_ + "/approve", "token=" + token_ + request));
    EXPECT_TRUE(body.contains("Approved and booked: write off."));
    ASSERT_EQ(desk_.resolutions.size(), 1U);
    EXPECT_EQ(desk_.resolutions[0].decided_by, first);
    EXPECT_EQ(desk_.resolutions[0].approved_by, to_string(access_.operator_row.id));
    EXPECT_TRUE(desk_.waiting.empty());
    body = follow(post(page_ + "/approve", "token=" + token_ + request));
    EXPECT_TRUE(body.contains("is answered already"));
    EXPECT_EQ(desk_.commits.size(), 1U);
}

TEST_F(ExceptionsDesk, ManySmallDecisionsNeedASecondOperatorAsOneLargeDoes) {
    page_ = put(2'000 * kWholeToken);
    follow(decide("kind=write_off&amount=900&reason=x"));
    EXPECT_EQ(desk_.resolutions.size(), 1U);
    follow(decide("kind=write_off&amount=900&reason=x"));
    EXPECT_EQ(desk_.resolutions.size(), 1U);
    EXPECT_EQ(desk_.waiting.size(), 1U);
    // One question at a time.
    std::string const body = refusal("kind=refund&amount=900&reason=x");
    EXPECT_TRUE(body.contains("waits for a second operator already"));
    EXPECT_EQ(desk_.waiting.size(), 1U);
}

TEST_F(ExceptionsDesk, ASecondOperatorMayReject) {
    std::string const small = page_;
    page_ = put(2'000 * kWholeToken);
    follow(decide("kind=refund&amount=2000&reason=x"));
    ASSERT_EQ(desk_.waiting.size(), 1U);
    std::string const request = "&request=" + to_string(desk_.waiting[0].id);
    become("second", 8);
    // Under another exception's address it is no request at all.
    std::string body = follow(post(small + "/approve", "token=" + token_ + request));
    EXPECT_TRUE(body.contains("never was"));
    for (auto const* garbage : {"", "&request=", "&request=req_x", "&request=%3Cscript%3E"}) {
        body = follow(post(page_ + "/reject", "token=" + token_ + garbage));
        EXPECT_TRUE(body.contains("never was")) << garbage;
    }
    EXPECT_EQ(desk_.waiting.size(), 1U);
    body = follow(post(page_ + "/reject", "token=" + token_ + request));
    EXPECT_TRUE(body.contains("Rejected: nothing was booked."));
    EXPECT_TRUE(desk_.waiting.empty());
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsDesk, SaysWhenTheOutcomeIsUnknown) {
    desk_.fault = std::make_exception_ptr(Unavailable("connection to 10.0.0.5 lost"));
    std::string const body = follow(decide("kind=write_off&amount=5&reason=x"));
    EXPECT_TRUE(body.contains("could not say whether that was booked"));
    EXPECT_FALSE(body.contains("10.0.0.5"));
}

TEST_F(ExceptionsDesk, AFormOfNothingLeadsBackToo) {
    EXPECT_EQ(header(post("/admin/exceptions/x/resolve", "token=" + token_), "location"),
              "/admin/exceptions");
    EXPECT_EQ(header(post("/admin/exceptions/", "token=" + token_), "location"),
              "/admin/exceptions");
    EXPECT_TRUE(follow(post(page_ + "/burn", "token=" + token_)).contains("no such form"));
    std::string const foreign = to_string(MerchantId{make_uuid_v7(world_.clock.time, {55})});
    auto const response = post("/admin/exceptions/" + foreign + "/exc_11155111_40/resolve",
                               "token=" + token_ + "&kind=write_off&amount=1&reason=x");
    EXPECT_EQ(response.status, 404U);
    EXPECT_TRUE(desk_.commits.empty());
}

TEST_F(ExceptionsDesk, ARefusedFormKeepsWhatWasEntered) {
    std::string const body =
        refusal("kind=credit&amount=+20.5&target=pay_x&reason=a+%3Cb%3E%0D%0Areason");
    EXPECT_TRUE(body.contains("name=\"amount\" value=\"20.5\""));
    EXPECT_TRUE(body.contains("name=\"target\" value=\"pay_x\""));
    EXPECT_TRUE(body.contains("required>a &lt;b&gt;\nreason</textarea>"));
    // The other forms are as they were.
    EXPECT_TRUE(body.contains("name=\"amount\" value=\"20.000000\""));
    EXPECT_TRUE(body.contains("required></textarea>"));
    EXPECT_TRUE(body.contains("name=\"token\" value=\"" + token_ + "\""));
    EXPECT_TRUE(body.contains("<span class=\"count\">1<"));
    EXPECT_TRUE(desk_.commits.empty());
    EXPECT_TRUE(refusal("kind=write_off&amount=99&reason=a%ff").contains("required></textarea>"));
}

TEST_F(ExceptionsDesk, ShowsWhatWasDecidedByWhomAndWhy) {
    EXPECT_FALSE(get(page_).body.contains("<h2>Decided</h2>"));
    follow(decide("kind=write_off&amount=5&reason=a+%3Ctip%3E"));
    desk_.exceptions[0].decisions[0].approved_by = "opr_second";
    std::string const body = get(page_).body;
    EXPECT_TRUE(body.contains("<h2>Decided</h2>"));
    EXPECT_TRUE(body.contains("<dt>Decision</dt><dd>write off</dd>"));
    EXPECT_TRUE(body.contains("<dt>Reason</dt><dd>a &lt;tip&gt;</dd>"));
    EXPECT_TRUE(body.contains(to_string(access_.operator_row.id)));
    EXPECT_TRUE(body.contains("opr_second"));
    EXPECT_FALSE(body.contains("<dt>Pays</dt>"));
}

TEST_F(ExceptionsDesk, APaymentsTimelineHasTheReason) {
    JournalEntry entry{
        .chain_id = kTestChain,
        .sequence = 44,
        .record = Resolution{.decided_by = "opr_first", .approved_by = "opr_second"}};
    reports_.payment_timeline.records = {entry};
    std::string const path = "/admin/payments/" + world_.id();
    EXPECT_FALSE(get(path).body.contains("<dt>Reason</dt>"));
    reports_.payment_timeline.reasons[{kTestChain, 44}] = "a <tip>";
    std::string const body = get(path).body;
    EXPECT_TRUE(body.contains("<dt>Reason</dt><dd>a &lt;tip&gt;</dd>"));
    EXPECT_TRUE(body.contains("opr_first"));
    EXPECT_TRUE(body.contains("opr_second"));
}

}  // namespace
}  // namespace sycee
