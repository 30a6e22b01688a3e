#include "admin_fixture.hpp"

namespace sycee {
namespace {

class FindPageTest : public AdminPagesTest {
  protected:
    FindPageTest() {
        log_in();
        world_.process(110);
    }

    std::string find() {
        return get("/admin/find", "transaction=" + to_hex0x(world_.transaction)).body;
    }
};

TEST_F(FindPageTest, IsThereForOperatorsAlone) {
    std::string const body = get("/admin/find").body;
    EXPECT_TRUE(body.contains("href=\"/admin/find\" aria-current=\"page\">Find<"));
    EXPECT_TRUE(body.contains("action=\"/admin/find\""));
    EXPECT_TRUE(get("/admin/exceptions").body.contains("<a href=\"/admin/find\">Find a"));
    cookie_.clear();
    EXPECT_EQ(get("/admin/find").status, 303U);
    EXPECT_EQ(get("/admin/find", "transaction=" + to_hex0x(world_.transaction)).status, 303U);
    EXPECT_EQ(world_.chain.questions, 0);
}

TEST_F(FindPageTest, ShowsWhatEachChainHas) {
    world_.send(kTestToken, Amount(20 * kWholeToken));
    world_.book(20, CreditStage::unapplied).unapplied_reason = UnappliedReason::late;
    world_.store();
    world_.other_chain.fault = "the node is away";
    std::string const body = find();
    EXPECT_TRUE(body.contains("<h2>Sepolia (11155111)</h2><p>In block 105.</p>"));
    EXPECT_TRUE(body.contains("<h2>Base (8453)</h2><p>Could not be asked: the node is away.</p>"));
    EXPECT_TRUE(body.contains("<dt>Amount</dt><dd>20.000000 USDT</dd>"));
    EXPECT_TRUE(body.contains("Booked: unapplied (late); it is on the exceptions desk"));
    EXPECT_TRUE(body.contains("href=\"/admin/payments/" + world_.id() + "\""));
    EXPECT_TRUE(body.contains("/exc_11155111_41\""));
    EXPECT_TRUE(body.contains("Tea House"));
}

TEST_F(FindPageTest, SaysWhatCanBeDoneWithWhatCreditsNothing) {
    world_.send(test_address(0xdd), Amount(5));
    world_.include_transaction().native = {world_.state.payment.deposit_address, Amount(7)};
    std::string body = find();
    EXPECT_TRUE(body.contains("A token that is not configured: it credits nothing."));
    EXPECT_TRUE(body.contains("The chain&#39;s own coin: it credits nothing."));
    world_.include_transaction().receipt.logs.clear();
    world_.include_transaction().native = {};
    body = find();
    EXPECT_TRUE(body.contains("Nothing of it went to a deposit address."));
    EXPECT_TRUE(body.contains("Does not have this transaction."));
}

TEST_F(FindPageTest, RefusesNonsenseAndKeepsIt) {
    auto const page = get("/admin/find", "transaction=%22%3E%3Cscript%3E");
    EXPECT_EQ(page.status, 400U);
    EXPECT_TRUE(page.body.contains("The transaction must be 0x and 64 hex digits"));
    EXPECT_TRUE(page.body.contains("value=\"&quot;&gt;&lt;script&gt;\""));
    EXPECT_FALSE(page.body.contains("<script"));
    EXPECT_EQ(get("/admin/find", "transaction=%ff").status, 200U);
    EXPECT_EQ(world_.chain.questions, 0);
}

}  // namespace
}  // namespace sycee
