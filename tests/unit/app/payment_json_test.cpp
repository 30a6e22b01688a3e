#include <sycee/app/amount_text.hpp>
#include <sycee/app/payment_json.hpp>

#include "../checkout/page_fakes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sycee {
namespace {

nlohmann::ordered_json json_of(PageWorld const& world) {
    return payment_json(world.state, world.service.status(world.state), world.network);
}

TEST(PaymentJson, ShowsWhatTheDeskGaveToThePayment) {
    PageWorld world;
    EXPECT_EQ(json_of(world).at("desk_credits"), nlohmann::ordered_json::array());
    world.state.desk_credits = {
        {kTestChain, kTestToken, Amount(20 * kWholeToken), {}, 43, false, 41},
        {kTestChain, kTestToken, Amount(30 * kWholeToken), {}, 44, true, 42}};
    auto const json = json_of(world);
    EXPECT_EQ(json.at("status"), "settled");
    ASSERT_EQ(json.at("desk_credits").size(), 2U);
    auto const& credit = json.at("desk_credits")[0];
    EXPECT_EQ(credit.at("chain_id"), kTestChain);
    EXPECT_EQ(credit.at("token"), "USDT");
    EXPECT_EQ(credit.at("amount"), "20.000000");
    EXPECT_EQ(credit.at("amount_base_units"), "20000000");
    EXPECT_EQ(credit.at("kind"), "credit");
    EXPECT_EQ(credit.at("exception"), "exc_11155111_41");
    EXPECT_EQ(credit.at("record"), 43);
    EXPECT_EQ(json.at("desk_credits")[1].at("kind"), "accept");
}

TEST(PaymentJson, TellsAnOpenAmountOnceItIsPaid) {
    PageWorld world;
    EXPECT_EQ(json_of(world).at("amount"), "50.00");
    EXPECT_EQ(json_of(world).at("minimum_amount"), nullptr);
    EXPECT_EQ(amount_text(world.state), "50.00 USD");
    world.state.payment.open_amount = true;
    world.credit(90, CreditStage::authorized);
    auto json = json_of(world);
    EXPECT_EQ(json.at("status"), "authorized");
    EXPECT_EQ(json.at("amount"), nullptr);
    EXPECT_EQ(json.at("minimum_amount"), "50.00");
    std::string const uri = json.at("options")[0].at("uri");
    EXPECT_TRUE(uri.contains("/transfer?address=") && !uri.contains("uint256")) << uri;
    EXPECT_EQ(amount_text(world.state), "from 50.00 USD");
    world.state.credits.clear();
    world.credit(90, CreditStage::settled);
    json = json_of(world);
    EXPECT_EQ(json.at("amount"), "90.00");
    EXPECT_EQ(json.at("minimum_amount"), "50.00");
    EXPECT_EQ(amount_text(world.state), "90.00 USD");
}

TEST(PaymentJson, ShowsTheNewestHundredOfAList) {
    PageWorld world;
    for (std::uint64_t sequence = 1; sequence <= 101; ++sequence) {
        world.state.desk_credits.push_back(
            {kTestChain, kTestToken, Amount(1), {}, sequence, false, 1});
        world.credit(1, CreditStage::authorized);
        world.state.credits.back().transfer.key.ordinal = static_cast<std::uint32_t>(sequence);
    }
    auto const json = json_of(world);
    EXPECT_EQ(json.at("transfer_count"), 101);
    for (auto const* name : {"transfers", "desk_credits"})
        EXPECT_EQ(json.at(name).size(), 100U) << name;
    EXPECT_EQ(json.at("transfers")[0].at("ordinal"), 2);
    EXPECT_EQ(json.at("desk_credits")[99].at("record"), 101);
}

}  // namespace
}  // namespace sycee
