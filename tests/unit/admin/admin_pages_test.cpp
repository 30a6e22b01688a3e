#include "admin_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

std::string const kHostile = "\"'><script>alert(1)</script>&";

BalanceRow balance(MerchantId merchant, Account account, Uint128 amount, bool negative = false) {
    return {.merchant_id = merchant,
            .merchant_name = "Tea House",
            .chain_id = kTestChain,
            .token = kTestToken,
            .account = account,
            .balance = {.magnitude = Amount(amount), .negative = negative}};
}

class AdminBodies : public AdminPagesTest {
  protected:
    AdminBodies() { log_in(); }

    void book(Record record) {
        auto& records = reports_.payment_timeline.records;
        JournalEntry entry;
        entry.merchant_id = world_.state.payment.merchant_id;
        entry.chain_id = kTestChain;
        entry.sequence = records.size() + 1;
        entry.booked_at = world_.clock.time;
        entry.record = std::move(record);
        entry.hash = hash_of(entry);
        bool const batch = std::holds_alternative<SettlementBatch>(entry.record);
        (batch ? reports_.payment_timeline.batches : records).push_back(std::move(entry));
    }
};

TEST_F(AdminBodies, ListsPaymentsNewestFirst) {
    std::string const first = world_.id();
    world_.state.payment.id = {make_uuid_v7(world_.clock.time + 1s, {3})};
    world_.state.payment.reference = "order-1002";
    world_.store();
    std::string const body = get("/admin").body;
    EXPECT_LT(body.find("order-1002"), body.find("order-1001"));
    EXPECT_TRUE(body.contains("50.00 USD"));
    EXPECT_TRUE(body.contains("Tea House"));
    EXPECT_TRUE(body.contains("<span class=\"badge open\">open</span>"));
    EXPECT_TRUE(body.contains("href=\"/admin/payments/" + first + "\""));
    EXPECT_FALSE(body.contains("Older"));
}

TEST_F(AdminBodies, ThePagesOfTheListFollowOneAnother) {
    for (std::uint8_t i = 0; i < 60; ++i) {
        world_.state.payment.id = {
            make_uuid_v7(world_.clock.time + std::chrono::seconds{i + 1}, {})};
        world_.state.payment.reference = "number-" + std::to_string(i);
        world_.store();
    }
    std::string const body = get("/admin").body;
    auto const begin = body.find("?after=");
    ASSERT_NE(begin, std::string::npos);
    std::string const cursor = body.substr(begin + 1, body.find('"', begin) - begin - 1);
    std::string const older = get("/admin", cursor).body;
    EXPECT_TRUE(body.contains("number-10<"));
    EXPECT_FALSE(body.contains("number-9<"));
    EXPECT_TRUE(older.contains("number-9<"));
    EXPECT_TRUE(older.contains("order-1001"));
    EXPECT_FALSE(older.contains("Older"));
    EXPECT_EQ(get("/admin", "after=%22%3E").status, 200U);
}

TEST_F(AdminBodies, ShowsTheRecordsWithTheirPostings) {
    Transfer transfer;
    transfer.key = {.chain_id = kTestChain, .token = kTestToken};
    transfer.amount = Amount(50 * kWholeToken);
    transfer.block_number = 4242;
    PaymentId const id = world_.state.payment.id;
    book(Authorization{.payment_id = id, .transfer = transfer, .rule_version = 3});
    book(Clearing{.payment_id = id,
                  .authorization_sequence = 1,
                  .token = kTestToken,
                  .fee_version = 2,
                  .fee_basis_points = 50,
                  .gross = Amount(50 * kWholeToken),
                  .fee = Amount(250'000),
                  .net = Amount(49'750'000),
                  .shortfall = Amount(20'000)});
    book(Settlement{.payment_id = id, .batch_number = 7, .net = Amount(49'750'000)});
    book(SettlementBatch{.batch_number = 7, .token = kTestToken, .net = Amount(49'750'000)});
    book(Unapplied{.payment_id = id,
                   .token = kTestToken,
                   .reason = UnappliedReason::late,
                   .amount = Amount(1)});
    book(Withdrawal{.payment_id = id, .transfer = transfer});
    PaymentId const target{make_uuid_v7(world_.clock.time, {9})};
    book(Resolution{.payment_id = id,
                    .exception_sequence = 12,
                    .token = kTestToken,
                    .kind = ResolutionKind::credit,
                    .target_payment_id = target,
                    .fee_basis_points = 100,
                    .amount = Amount(3'000'000),
                    .fee = Amount(30'000),
                    .decided_by = "opr_one",
                    .approved_by = "opr_two"});
    book(Reversal{.payment_id = id,
                  .reversed_kind = RecordKind::settlement,
                  .reversed_sequence = 1,
                  .postings = mirror(authorization_postings(kTestToken.bytes, Amount(5)))});
    std::string const body = get("/admin/payments/" + world_.id()).body;
    for (auto const* kind : {"authorization", "clearing", "settlement", "settlement_batch",
                             "unapplied", "withdrawal", "resolution", "reversal"}) {
        EXPECT_TRUE(body.contains(std::string("<li class=\"") + kind + "\"")) << kind;
    }
    EXPECT_TRUE(body.contains("<i>debit</i> coins"));
    EXPECT_TRUE(body.contains("<i>credit</i> payer_pending"));
    EXPECT_TRUE(body.contains("50.000000 USDT"));
    EXPECT_TRUE(body.contains("0.250000 USDT (50 bp, version 2)"));
    EXPECT_TRUE(body.contains("<dt>Net</dt><dd>49.750000 USDT</dd>"));
    EXPECT_FALSE(body.contains("base units"));
    EXPECT_TRUE(body.contains("4242"));
    EXPECT_TRUE(body.contains("<dt>By finality rule</dt><dd>version 3</dd>"));
    EXPECT_TRUE(body.contains("accepted by the tolerance</dt><dd>0.020000 USDT</dd>"));
    EXPECT_TRUE(body.contains("<dt>Decision</dt><dd>credit</dd>"));
    EXPECT_TRUE(body.contains("<dt>Amount</dt><dd>3.000000 USDT</dd>"));
    EXPECT_TRUE(body.contains("0.030000 USDT (100 bp)"));
    EXPECT_TRUE(body.contains("href=\"/admin/payments/" + to_string(target) + "\""));
    EXPECT_TRUE(body.contains("opr_one"));
    EXPECT_TRUE(body.contains("opr_two"));
    EXPECT_TRUE(body.contains("<dd>settlement #1</dd>"));
    EXPECT_EQ(get("/admin/payments/pay_00000000000000000000000000").status, 404U);
}

TEST_F(AdminBodies, ShowsTransfersAndDeliveries) {
    world_.credit(50, CreditStage::cleared);
    EventRow event;
    event.event.type = "payment.cleared";
    reports_.payment_timeline.events.push_back(event);
    DeliveryRow delivery;
    delivery.url = "https://shop.example/hook";
    delivery.delivery.event_type = "payment.cleared";
    delivery.delivery.attempts = 1;
    delivery.delivery.next_attempt_at = world_.clock.time + 5s;
    delivery.attempts.push_back({.attempt = 1, .error = "connection refused"});
    delivery.attempts.push_back({.attempt = 2, .status = 500, .answer = "out of <order>"});
    reports_.payment_timeline.deliveries.push_back(delivery);
    std::string const body = get("/admin/payments/" + world_.id()).body;
    EXPECT_TRUE(body.contains("pending"));
    EXPECT_TRUE(body.contains("https://shop.example/hook"));
    EXPECT_TRUE(body.contains("500: out of &lt;order&gt;"));
    EXPECT_TRUE(body.contains("no answer: connection refused"));
    EXPECT_TRUE(body.contains("<td data-label=\"Stage\">cleared</td>"));
}

TEST_F(AdminBodies, EscapesEveryText) {
    auto& payment = world_.state.payment;
    payment.reference = payment.description = kHostile;
    payment.success_url = "javascript:alert(1)" + kHostile;
    payment.metadata = {{kHostile, kHostile}};
    world_.credit(50, CreditStage::cleared);
    reports_.merchant_rows[0].name = kHostile;
    access_.operator_row.name = kHostile;
    world_.network.chains[0].name = kHostile;
    world_.network.chains[0].tokens[0].symbol = kHostile;
    EventRow event;
    event.event.type = kHostile;
    reports_.payment_timeline.events.push_back(event);
    DeliveryRow delivery;
    delivery.delivery.event_type = delivery.url = kHostile;
    delivery.attempts.push_back({.error = kHostile, .answer = kHostile});
    reports_.payment_timeline.deliveries.push_back(delivery);
    reports_.balance_rows = {balance(payment.merchant_id, Account::coins, 1)};
    reports_.balance_rows[0].merchant_name = kHostile;
    ChainStatus chain;
    chain.chain_id = kTestChain;
    chain.stopped_reason = kHostile;
    reports_.chain_rows.push_back(chain);
    auto exception =
        put_on_desk(world_.state, 42, kTestChain, kTestToken, Amount(1), 50, world_.clock.time);
    world_.store();
    exception.reason = kHostile;
    desk_.exceptions.push_back(exception);
    desk_.waiting.push_back({.id = {make_uuid_v7(world_.clock.time, {4})},
                             .exception = exception.key,
                             .kind = ResolutionKind::write_off,
                             .target_payment_id = {},
                             .amount = Amount(1),
                             .reason = kHostile,
                             .requested_by = kHostile,
                             .created_at = world_.clock.time});
    for (auto const& path :
         {std::string("/admin"), "/admin/payments/" + world_.id(),
          std::string("/admin/trial-balance"), std::string("/admin/chains"),
          std::string("/admin/exceptions"), std::string("/admin/statements"),
          "/admin/exceptions/" + to_string(payment.merchant_id) + "/exc_11155111_42"}) {
        std::string const body = get(path).body;
        EXPECT_FALSE(body.contains("<script")) << path;
        EXPECT_FALSE(body.contains("\"'>")) << path;
        EXPECT_FALSE(body.contains("href=\"javascript")) << path;
        EXPECT_TRUE(body.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)")) << path;
    }
    cookie_.clear();
    std::string const again = post("/admin/login", "name=%22%3E%3Cscript%3E&password=x").body;
    EXPECT_TRUE(again.contains("value=\"&quot;&gt;&lt;script&gt;\""));
}

TEST_F(AdminBodies, TheTrialBalanceShowsThatItsSidesMatch) {
    MerchantId const merchant = world_.state.payment.merchant_id;
    reports_.balance_rows = {balance(merchant, Account::merchant_settled, 60'500'000),
                             balance(merchant, Account::operator_fee, 250'000),
                             balance(merchant, Account::coins, 61'000'000),
                             balance(merchant, Account::drawn, 250'000, true)};
    std::string const body = get("/admin/trial-balance").body;
    EXPECT_TRUE(body.contains("in balance"));
    EXPECT_TRUE(body.contains("−0.250000"));
    auto const total = body.find("Total debit");
    EXPECT_NE(body.find("60.750000", total), std::string::npos);
    EXPECT_NE(body.find("60.750000", body.find("Total credit")), std::string::npos);

    reports_.balance_rows[0].balance.magnitude = Amount(60'500'001);
    EXPECT_TRUE(get("/admin/trial-balance").body.contains("does not balance"));
}

TEST_F(AdminBodies, ShowsHowFarEachChainIs) {
    ChainStatus chain;
    chain.chain_id = kTestChain;
    chain.head.number = 1234;
    chain.head.time = world_.clock.time - 7s;
    chain.finalized = 1200;
    world_.network.chains[0].endpoints.resize(3);
    world_.network.chains[0].quorum = 2;
    world_.chains.set(kTestChain,
                      {.head_time = chain.head.time,
                       .agreed = 1230,
                       .finalized = 1200,
                       .rule = {.version = 5,
                                .bands = parse_bands("100:1,10000:12,finalized").value(),
                                .most_not_final = Amount(500 * kWholeToken)}});
    reports_.chain_rows.push_back(chain);
    std::string body = get("/admin/chains").body;
    EXPECT_TRUE(body.contains("<dd>7 s</dd>"));
    EXPECT_TRUE(body.contains("following"));
    EXPECT_TRUE(body.contains("none seen"));
    EXPECT_TRUE(body.contains("not followed yet")) << "Base";
    EXPECT_TRUE(body.contains("<dt>Nodes that must agree</dt><dd>2 of 3 nodes</dd>"));
    EXPECT_TRUE(body.contains("<dt>Agreed</dt><dd>1230, 4 behind the head</dd>"));
    EXPECT_TRUE(
        body.contains("<dd>below 100: 1 block; below 10000: 12 blocks; above: when final "
                      "(rule version 5)</dd>"));
    EXPECT_TRUE(body.contains("at most</dt><dd>500</dd>"));
    world_.chains.lose(kTestChain);
    EXPECT_TRUE(get("/admin/chains").body.contains("not followed at the moment"));

    reports_.chain_rows[0].stopped_reason = "head moved";
    reports_.chain_rows[0].last_reorg_at = world_.clock.time;
    reports_.chain_rows[0].last_reorg_depth = 2;
    body = get("/admin/chains").body;
    EXPECT_TRUE(body.contains("Stopped: head moved"));
    EXPECT_TRUE(body.contains("2 blocks deep"));
    world_.clock.time += 1h;
    reports_.chain_rows[0].stopped_reason.clear();
    EXPECT_TRUE(get("/admin/chains").body.contains("behind"));
}

}  // namespace
}  // namespace sycee
