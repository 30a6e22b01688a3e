// Pins the dashboard's statements: what a month and a day show, where they lead, and their files.
#include "admin_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class AdminStatements : public AdminPagesTest {
  protected:
    AdminStatements() {
        log_in();
        StatementAccount account{.chain_id = kTestChain,
                                 .token = world_.network.chains[0].tokens[0].contract,
                                 .opening = Amount(100 * kWholeToken)};
        account.settlements = {2, Amount(100 * kWholeToken), Amount(kWholeToken / 2),
                               Amount(99 * kWholeToken + kWholeToken / 2)};
        account.reversed = {1, Amount(10 * kWholeToken), Amount(), Amount(10 * kWholeToken)};
        account.closing = Amount(189 * kWholeToken + kWholeToken / 2);
        account.unapplied_received = Amount(7 * kWholeToken);
        account.unapplied_closing = Amount(7 * kWholeToken);
        statements_.accounts = {account};
        StatementBatch batch{.chain_id = kTestChain,
                             .batch = {.batch_number = 42, .token = account.token}};
        batch.first_block = 101;
        batch.last_block = 109;
        for (std::uint64_t i = 0; i < 60; ++i) {
            ++batch.batch.batch_number;
            statements_.batch_rows.push_back(batch);
        }
    }

    std::string page_of(StatementPeriod const& period) const {
        return "/admin/statements/" + to_string(world_.state.payment.merchant_id) + "/" +
               period.name;
    }

    StatementPeriod today() const { return day_of(world_.clock.time); }
    StatementPeriod month() const { return month_of(world_.clock.time); }
};

TEST_F(AdminStatements, lead_from_the_merchants_to_their_months_and_days) {
    std::string const list = get("/admin/statements").body;
    EXPECT_TRUE(list.contains("Tea House"));
    for (auto const& period : {today(), month(), period_before(month())})
        EXPECT_TRUE(list.contains("href=\"" + page_of(period) + "\"")) << period.name;

    statements_.day_rows = {{.day = today(),
                             .chain_id = kTestChain,
                             .token = statements_.accounts[0].token,
                             .batch_count = 3,
                             .settlement_count = 17,
                             .net = Amount(850 * kWholeToken),
                             .closing = Amount(950 * kWholeToken)}};
    std::string const body = get(page_of(month())).body;
    EXPECT_TRUE(body.contains("href=\"" + page_of(today()) + "\""));
    EXPECT_TRUE(body.contains("href=\"" + page_of(today()) + ".csv\""));
    EXPECT_TRUE(body.contains("href=\"" + page_of(month()) + ".csv\""));
    EXPECT_TRUE(body.contains("href=\"" + page_of(period_before(month())) + "\" rel=\"prev\""));
    EXPECT_FALSE(body.contains("rel=\"next\"")) << "it has not begun";
    EXPECT_TRUE(body.contains("850.000000"));
    EXPECT_TRUE(body.contains("not over yet"));
    // The day's bar is the whole height; the balance before it is 100 of 950.
    EXPECT_TRUE(body.contains("Settled each day, net, at most 850.000000 USDT"));
    EXPECT_TRUE(body.contains("y=\"0\" width=\"14\" height=\"100\" rx=\"2\"><title>" +
                              today().name + ": 850.000000"));
    EXPECT_TRUE(body.contains("y=\"90\" width=\"14\" height=\"10\" rx=\"2\"><title>" +
                              month().name + "-01: 100.000000"));
    EXPECT_TRUE(get(page_of(period_before(month()))).body.contains("✓ over"));
}

TEST_F(AdminStatements, show_balances_movements_and_what_is_not_revenue) {
    std::string const body = get(page_of(today())).body;
    for (char const* part : {"Opening balance", "100.000000", "Settlements", "0.500000",
                             "99.500000", "Settlements reversed", "−10.000000", "Closing balance",
                             "189.500000", "not revenue", "7.000000", "101 – 109"}) {
        EXPECT_TRUE(body.contains(part)) << part;
    }
    EXPECT_FALSE(body.contains("Credited at the desk")) << "there was nothing of it";
    EXPECT_TRUE(body.contains(">43<"));
    EXPECT_FALSE(body.contains(">93<"));
    std::string const next = "after=" + std::string("bat_") + std::to_string(kTestChain) + "_92";
    EXPECT_TRUE(body.contains(next));
    EXPECT_TRUE(get(page_of(today()), next).body.contains(">93<"));
}

TEST_F(AdminStatements, have_all_lines_in_a_file) {
    statements_.line_rows = {statement_line(kTestChain, statements_.accounts[0].token, 1)};
    auto const response = get(page_of(month()) + ".csv");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(header(response, "content-disposition"),
              "attachment; filename=\"sycee-statement-" + month().name + ".csv\"");
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    EXPECT_EQ(header(response, "x-content-type-options"), "nosniff");
    EXPECT_TRUE(response.stream);
    EXPECT_TRUE(response.body.empty());
}

TEST_F(AdminStatements, are_for_operators_and_of_merchants_that_there_are) {
    MerchantId unknown;
    unknown.uuid.bytes[15] = 9;
    auto const& next = period_after(month());
    for (auto const& path : std::vector<std::string>{
             page_of(next), "/admin/statements/" + to_string(unknown) + "/" + month().name,
             page_of(month()) + "/x", "/admin/statements/x", "/admin/statements/x/2026-11",
             "/admin/statementsx/" + month().name, page_of(month()) + ".csv.csv"}) {
        EXPECT_EQ(get(path).status, 404U) << path;
    }
    cookie_.clear();
    for (std::string const& path :
         {std::string("/admin/statements"), page_of(month()), page_of(month()) + ".csv"})
        EXPECT_EQ(header(get(path), "location"), "/admin/login") << path;
}

TEST_F(AdminStatements, lead_to_daily_totals_with_a_chart) {
    EXPECT_TRUE(get("/admin/statements").body.contains("href=\"/admin/statements/totals\""));
    Address const token = statements_.accounts[0].token;
    auto const yesterday = period_before(today());
    statements_.total_rows = {
        {yesterday, kTestChain, token, TotalStage::settled, 3, Amount(100 * kWholeToken), {}},
        {today(), kTestChain, token, TotalStage::cleared, 2, Amount(40 * kWholeToken),
         Amount(kWholeToken / 2)},
        {today(), kTestChain, token, TotalStage::settled, 1, Amount(50 * kWholeToken), {}}};
    std::string const days = "from=" + yesterday.name + "&to=" + today().name;
    std::string const body = get("/admin/statements/totals", days).body;
    EXPECT_EQ(statements_.asked_totals->merchant_id, std::nullopt);
    EXPECT_EQ(statements_.asked_totals->first, yesterday);
    EXPECT_TRUE(body.contains("Settled each day, at most 100.000000 USDT"));
    EXPECT_TRUE(body.contains("height=\"50\" rx=\"2\"><title>" + today().name + ": 50.000000"));
    EXPECT_FALSE(body.contains("Authorized each day")) << "there was nothing of it";
    EXPECT_TRUE(body.contains(">0.500000<"));
    std::string const merchant = to_string(world_.state.payment.merchant_id);
    get("/admin/statements/totals", days + "&merchant=" + merchant);
    EXPECT_EQ(statements_.asked_totals->merchant_id, world_.state.payment.merchant_id);
    auto const file = get("/admin/statements/totals.csv", days);
    EXPECT_EQ(
        header(file, "content-disposition"),
        "attachment; filename=\"sycee-totals-" + yesterday.name + "-" + today().name + ".csv\"");
    EXPECT_EQ(std::ranges::count(file.body, '\n'), 4);
}

TEST_F(AdminStatements, of_days_or_merchants_that_can_not_be_say_so) {
    for (std::string const query :
         {"from=2027", "to=2999-01-01", "merchant=x", "merchant=mer_01hf7yat00ej09t06a40fxc2dk"}) {
        auto const response = get("/admin/statements/totals", query);
        EXPECT_EQ(response.status, 400U) << query;
        EXPECT_TRUE(response.body.contains("role=\"alert\"")) << query;
    }
    EXPECT_FALSE(statements_.asked_totals);
}

}  // namespace
}  // namespace sycee
