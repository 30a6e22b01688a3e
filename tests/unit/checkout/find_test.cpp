// Pins what a payer is told who asks where a transfer went, and that nobody learns anything about
// another payment by it.
#include <sycee/checkout/checkout_pages.hpp>

#include "page_fakes.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class FindTransfer : public testing::Test {
  protected:
    FindTransfer() { world_.process(110); }

    HttpResponse get(std::string const& path, std::string const& query = "") {
        HttpRequest request;
        request.method = "GET";
        request.path = path;
        request.query = query;
        return run_task(world_.io, pages_.handle(request));
    }
    HttpResponse find(std::string const& transaction) {
        return get("/checkout/" + world_.id() + "/find", "transaction=" + transaction);
    }
    // The page's words about the transaction.
    std::string words() {
        world_.clock.time += 1min;
        auto const page = find(to_hex0x(world_.transaction));
        EXPECT_EQ(page.status, 200U);
        return page.body;
    }
    void send_listed(Uint128 tokens) { world_.send(kTestToken, Amount(tokens * kWholeToken)); }
    static std::string retry_after(HttpResponse const& response) {
        for (auto const& [name, value] : response.headers) {
            if (name == "retry-after") return value;
        }
        return "";
    }

    PageWorld world_;
    CheckoutPages pages_{world_.service,  world_.finder,  world_.feed,
                         world_.detected, world_.network, world_.clock};
};

constexpr char const* kWayIn = "Paid, but nothing shows here?";
constexpr char const* kForShop = "When you contact the shop, name these";

TEST_F(FindTransfer, IsOfferedUntilSomethingIsSeen) {
    std::string const page = "/checkout/" + world_.id();
    EXPECT_TRUE(get(page).body.contains(kWayIn));
    EXPECT_TRUE(get(page).body.contains("action=\"" + page + "/find\""));
    EXPECT_TRUE(get(page).body.contains("<a href=\"" + page + "/find\">"));
    world_.credit(50, CreditStage::authorized);
    EXPECT_FALSE(get(page).body.contains(kWayIn));
    EXPECT_TRUE(get(page).body.contains("<div data-swap=\"missed\"></div>"));
    world_.state.credits.clear();
    world_.lose_a_transfer();
    EXPECT_TRUE(get(page).body.contains(kWayIn));
    world_.state.reversed_transfers.clear();
    world_.state.payment.expires_at = world_.clock.time - 1s;
    world_.store();
    EXPECT_TRUE(get(page).body.contains(kWayIn));
}

TEST_F(FindTransfer, SaysThatItCounts) {
    send_listed(50);
    auto& booked = world_.book(50, CreditStage::settled);
    std::string body = words();
    EXPECT_TRUE(body.contains("<h2>It arrived and counts</h2>"));
    EXPECT_TRUE(body.contains("50.00 USDT arrived on Sepolia and counts for this payment."));
    EXPECT_FALSE(body.contains(kForShop));
    EXPECT_TRUE(body.contains("href=\"/checkout/" + world_.id() + "\""));
    booked.excess = Amount(10 * kWholeToken);
    world_.store();
    body = words();
    EXPECT_TRUE(body.contains("10.00 USDT of it are more than was due"));
    EXPECT_TRUE(body.contains(kForShop));
    EXPECT_TRUE(body.contains("<dt>Order</dt><dd>order-1001</dd>"));
    booked.resolved = booked.excess;
    world_.store();
    EXPECT_FALSE(words().contains(kForShop));
}

TEST_F(FindTransfer, SaysThatItIsOnItsWay) {
    send_listed(50);
    world_.process(104);
    std::string body = words();
    EXPECT_TRUE(body.contains("<h2>It is in a block</h2>"));
    EXPECT_TRUE(body.contains("Look again"));
    world_.process(110);
    world_.book(50, CreditStage::authorized);
    body = words();
    EXPECT_TRUE(body.contains("<h2>It arrived and is being confirmed</h2>"));
    EXPECT_FALSE(body.contains(kForShop));
}

TEST_F(FindTransfer, SaysWhyItDoesNotCount) {
    send_listed(50);
    auto& booked = world_.book(50, CreditStage::unapplied);
    for (auto const& [reason, title] : std::vector<std::pair<UnappliedReason, std::string>>{
             {UnappliedReason::late, "It came too late"},
             {UnappliedReason::already_paid, "This payment was paid already"},
             {UnappliedReason::underpaid, "Less than was due came in time"}}) {
        booked.unapplied_reason = reason;
        world_.store();
        std::string const body = words();
        EXPECT_TRUE(body.contains("<h2>" + title + "</h2>")) << title;
        EXPECT_TRUE(body.contains("50.00 USDT arrived on Sepolia")) << title;
        EXPECT_TRUE(body.contains("kept safe")) << title;
        EXPECT_TRUE(body.contains(kForShop)) << title;
    }
    booked.resolved = booked.excess;
    world_.store();
    EXPECT_TRUE(words().contains("<h2>The shop has decided about it</h2>"));
}

TEST_F(FindTransfer, KnowsBeforeTheBooksThatItWillNotCount) {
    send_listed(50);
    world_.process(104);
    world_.state.payment.expires_at = world_.clock.time - 1s;
    world_.store();
    EXPECT_TRUE(words().contains("<h2>It came too late</h2>"));
    world_.state.payment.expires_at = world_.clock.time + 1h;
    world_.credit(50, CreditStage::settled);
    EXPECT_TRUE(words().contains("<h2>This payment was paid already</h2>"));
}

TEST_F(FindTransfer, SaysThatTokenOrNetworkIsAnotherOne) {
    send_listed(50);
    world_.book(50, CreditStage::authorized);
    auto& options = world_.state.payment.options;
    options[0].token = test_address(0xcc);
    world_.store();
    EXPECT_TRUE(words().contains("<h2>It is another token</h2>"));
    options.erase(options.begin());
    world_.store();
    std::string const body = words();
    EXPECT_TRUE(body.contains("<h2>It came over another network</h2>"));
    EXPECT_TRUE(body.contains("kept safe"));
}

TEST_F(FindTransfer, SaysThatItCanNotBeCredited) {
    world_.send(test_address(0xdd), Amount(50 * kWholeToken));
    std::string body = words();
    EXPECT_TRUE(body.contains("<h2>A token that this shop does not accept</h2>"));
    EXPECT_TRUE(body.contains(to_string(test_address(0xdd))));
    EXPECT_TRUE(body.contains("holds the key of this address and can send it back"));
    EXPECT_TRUE(body.contains(kForShop));
    world_.include_transaction().receipt.logs.clear();
    world_.include_transaction().native = {world_.state.payment.deposit_address,
                                           Amount(1'500'000'000'000'000'000)};
    body = words();
    EXPECT_TRUE(body.contains("<h2>It is the network&#39;s own coin</h2>"));
    EXPECT_TRUE(body.contains("1.5 of the chain&#39;s own coin"));
    EXPECT_TRUE(body.contains(kForShop));
}

TEST_F(FindTransfer, SaysThatNothingArrived) {
    send_listed(0);
    EXPECT_TRUE(words().contains("<h2>Nothing arrived</h2>"));
    // Beside something that did arrive, it is not worth a word.
    send_listed(50);
    EXPECT_FALSE(words().contains("<h2>Nothing arrived</h2>"));
    auto& receipt = world_.include_transaction().receipt;
    receipt.logs.clear();
    receipt.succeeded = false;
    EXPECT_TRUE(words().contains("<h2>This transaction failed</h2>"));
}

TEST_F(FindTransfer, SaysThatItShouldHaveBeenBooked) {
    send_listed(50);
    std::string const body = words();
    EXPECT_TRUE(body.contains("<h2>It arrived, and is missing here</h2>"));
    EXPECT_TRUE(body.contains(kForShop));
}

TEST_F(FindTransfer, SaysThatNoNetworkHasItOrThatOneCouldNotBeAsked) {
    std::string body = words();
    EXPECT_TRUE(body.contains("<h2>No network has this transaction yet</h2>"));
    EXPECT_TRUE(body.contains("We asked Sepolia and Base."));
    EXPECT_TRUE(body.contains("Look again"));
    world_.other_chain.fault = "connection to 10.0.0.5 refused";
    body = words();
    EXPECT_TRUE(body.contains("Base could not be asked just now."));
    EXPECT_TRUE(body.contains("The transaction is not on Sepolia."));
    EXPECT_FALSE(body.contains("10.0.0.5"));
    world_.chain.fault = "away";
    EXPECT_TRUE(words().contains("Sepolia and Base could not be asked just now."));
}

TEST_F(FindTransfer, TellsNothingOfAnotherPayment) {
    Address const elsewhere = test_address(0x31);
    PaymentState other = world_.state;
    other.payment.id = {make_uuid_v7(world_.clock.time, {9})};
    other.payment.deposit_address = elsewhere;
    other.payment.reference = "their-order";
    world_.payments.states[other.payment.id] = other;
    world_.books.addresses.push_back({elsewhere, {other.payment.merchant_id, other.payment.id}});
    auto& receipt = world_.include_transaction().receipt;
    receipt.logs.push_back(
        transfer_log(receipt, world_.transaction, kTestToken, elsewhere, Amount(77'000'000)));
    std::string const theirs = words();
    receipt.logs.clear();
    EXPECT_EQ(words(), theirs);
    EXPECT_TRUE(theirs.contains("<h2>It did not go to this payment</h2>"));
    for (std::string const& secret : {to_string(elsewhere), to_string(other.payment.id),
                                      std::string("their-order"), std::string("77.00")}) {
        EXPECT_FALSE(theirs.contains(secret)) << secret;
    }
}

TEST_F(FindTransfer, RefusesNonsensePlainlyAndAsksNobody) {
    for (std::string const& nonsense :
         {std::string("x"), std::string("%3Cscript%3Ealert(1)%3C/script%3E"), std::string("%ff%00"),
          std::string("0x1234"), std::string(3'000, 'a')}) {
        auto const page = find(nonsense);
        EXPECT_EQ(page.status, 400U) << nonsense;
        EXPECT_TRUE(page.body.contains("That is not the hash of one transaction")) << nonsense;
        EXPECT_FALSE(page.body.contains("<script")) << nonsense;
        EXPECT_FALSE(page.body.contains("alert")) << nonsense;
    }
    EXPECT_EQ(find("").status, 200U);
    EXPECT_EQ(get("/checkout/pay_00000000000000000000000000/find").status, 404U);
    EXPECT_EQ(get("/checkout/" + world_.id() + "/find/x").status, 404U);
    EXPECT_EQ(world_.chain.questions, 0);
}

TEST_F(FindTransfer, IsNotAskedTooOften) {
    std::string const hash = to_hex0x(world_.transaction);
    for (int i = 0; i < 6; ++i)
        EXPECT_EQ(find(hash).status, 200U);
    world_.clock.time += 20s;
    auto const refused = find(hash);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(retry_after(refused), "40");
    EXPECT_TRUE(refused.body.contains("try again in 40 seconds"));
    EXPECT_EQ(world_.chain.questions, 6);
    world_.clock.time += 40s;
    EXPECT_EQ(find(hash).status, 200U);
}

}  // namespace
}  // namespace sycee
