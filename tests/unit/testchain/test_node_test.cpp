// Pins: the test chain answers as a node does: for what is on its branch, at the block it is asked
// for.
#include <sycee/testchain/test_blocks.hpp>
#include <sycee/testchain/test_node.hpp>

#include <gtest/gtest.h>

#include <memory_test_chain.hpp>
#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Address const kToken{Bytes20{0x7e}};
Address const kOther{Bytes20{0x7f}};
Address const kPayer{Bytes20{1}};
Address const kShop{Bytes20{2}};

class TestNodeTest : public ::testing::Test {
  protected:
    TestNodeTest() {
        settings.id = kTestChainId;
        settings.tokens = {{"TUSDT", kToken, 6, {}}, {"TUSDC", kOther, 18, {}}};
    }
    TestTransfer add(std::uint8_t number, Address token, Amount amount, TestMoment moment = {}) {
        return run_task(chain.add({.merchant_id = {},
                                   .transaction_hash = Bytes32{number},
                                   .token = token,
                                   .sender = kPayer,
                                   .recipient = kShop,
                                   .amount = amount},
                                  moment, 1'000, std::nullopt))
            .value();
    }
    Amount balance(Address token, Address holder) {
        return run_task(node.token_balance(token, holder));
    }

    ChainSettings settings;
    SystemClock clock;
    MemoryTestChain chain;
    TestNode node{settings, chain, clock};
};

TEST_F(TestNodeTest, tells_its_head_and_what_is_final) {
    auto const tips = run_task(node.tips());
    EXPECT_EQ(tips.head.number, 20U);
    EXPECT_EQ(tips.finalized.number, 20 - kTestBlocksToFinal);
    EXPECT_EQ(run_task(node.header(20)), tips.head);
    EXPECT_EQ(run_task(node.header(tips.finalized.number)), tips.finalized);
    EXPECT_FALSE(run_task(node.header(21)));
}

TEST_F(TestNodeTest, gives_blocks_up_to_its_head_and_so_many_at_once) {
    add(1, kToken, Amount(5));
    chain.state.head = 200;
    EXPECT_EQ(run_task(node.blocks(1, 500)).size(), 64U);
    auto const blocks = run_task(node.blocks(19, 22));
    ASSERT_EQ(blocks.size(), 4U);
    EXPECT_EQ(blocks[2].logs.size(), 1U);
    EXPECT_EQ(blocks[3].header.parent_hash, blocks[2].header.hash);
    EXPECT_EQ(run_task(node.blocks(199, 220)).size(), 2U);
    EXPECT_TRUE(run_task(node.blocks(201, 220)).empty());
    EXPECT_TRUE(run_task(node.blocks(0, 0)).at(0).logs.empty());
}

TEST_F(TestNodeTest, gives_a_block_by_its_hash_while_it_is_on_the_branch) {
    add(1, kToken, Amount(5), {.after = {}, .taken_back_after = 2});
    chain.state.head = 22;
    auto const before = run_task(node.blocks(20, 22));
    std::vector<BlockHash> const hashes{before[0].header.hash, before[1].header.hash, Bytes32{}};
    auto found = run_task(node.blocks_again(hashes));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0]->header, before[0].header);
    EXPECT_EQ(found[1]->logs.size(), 1U);
    EXPECT_FALSE(found[2]);
    chain.state.head = 23;
    found = run_task(node.blocks_again(hashes));
    EXPECT_TRUE(found[0]);
    EXPECT_FALSE(found[1]);
}

TEST_F(TestNodeTest, has_a_receipt_for_what_is_mined_and_not_taken_back) {
    auto const stays = add(1, kToken, Amount(5));
    auto const goes = add(2, kToken, Amount(6), {.after = {}, .taken_back_after = 1});
    EXPECT_FALSE(run_task(node.receipt(stays.transaction_hash)));
    chain.state.head = 21;
    auto const receipt = run_task(node.receipt(stays.transaction_hash));
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(receipt->succeeded);
    EXPECT_EQ(receipt->header.number, 21U);
    ASSERT_EQ(receipt->logs.size(), 1U);
    EXPECT_EQ(receipt->logs[0].transaction_hash, stays.transaction_hash);
    EXPECT_TRUE(run_task(node.receipt(goes.transaction_hash)));
    EXPECT_TRUE(run_task(node.native_transfer(stays.transaction_hash))->value.is_zero());
    chain.state.head = 22;
    EXPECT_TRUE(run_task(node.receipt(stays.transaction_hash)));
    EXPECT_FALSE(run_task(node.receipt(goes.transaction_hash)));
    EXPECT_FALSE(run_task(node.receipt(Bytes32{9})));
}

TEST_F(TestNodeTest, knows_balances_at_a_block_of_its_branch) {
    add(1, kToken, Amount(5));                                         // block 21
    add(2, kToken, Amount(70), {.after = {}, .taken_back_after = 2});  // 21, gone at 23
    add(3, kOther, Amount(900));                                       // 21
    chain.state.head = 22;
    add(4, kToken, Amount(3'000));  // 23
    EXPECT_EQ(balance(kToken, kShop), Amount(75));
    EXPECT_EQ(balance(kOther, kShop), Amount(900));
    EXPECT_EQ(balance(kToken, kOther), Amount());
    auto const at_22 = run_task(node.header(22))->hash;
    auto const at_20 = run_task(node.header(20))->hash;
    auto const asked = [this](BlockHash const& hash) {
        return run_task(node.token_balances({{kToken, kShop}, {kOther, kShop}}, hash));
    };
    EXPECT_EQ(asked(at_22), (std::vector{Amount(75), Amount(900)}));
    EXPECT_EQ(asked(at_20), (std::vector{Amount(), Amount()}));
    chain.state.head = 23;
    EXPECT_EQ(balance(kToken, kShop), Amount(3'005));
    EXPECT_THROW(asked(at_22), Unavailable);
    EXPECT_EQ(asked(run_task(node.header(22))->hash), (std::vector{Amount(5), Amount(900)}));
}

TEST_F(TestNodeTest, tells_the_past_of_the_tokens_that_are_asked_for) {
    add(1, kToken, Amount(5));
    add(2, kOther, Amount(6));
    chain.state.head = 30;
    auto const range = run_task(node.transfer_logs({kOther}, 0, 500));
    EXPECT_EQ(range.last, 30U);
    ASSERT_EQ(range.logs.size(), 1U);
    EXPECT_EQ(range.logs[0].transaction_hash, Bytes32{2});
}

TEST_F(TestNodeTest, has_the_tokens_of_the_settings) {
    EXPECT_EQ(run_task(node.chain_id()), kTestChainId);
    EXPECT_EQ(run_task(node.token_decimals(kOther)), 18U);
    EXPECT_EQ(run_task(node.token_symbol(kToken)), "TUSDT");
    EXPECT_THROW(run_task(node.token_decimals(kShop)), std::runtime_error);
}

}  // namespace
}  // namespace sycee
