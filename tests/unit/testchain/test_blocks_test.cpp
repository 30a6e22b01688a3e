// Pins: the test chain is a chain. Its blocks link, their time goes on, their logs are complete,
// what was told stays, and a reorg takes away what it says, above what is final.
#include <sycee/chain/block_logs.hpp>
#include <sycee/chain/header_chain.hpp>
#include <sycee/testchain/test_blocks.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Address const kToken{Bytes20{0x7e}};

class TestBlocks : public ::testing::Test {
  protected:
    TestTransfer& add(std::uint8_t number, BlockNumber block,
                      std::optional<BlockNumber> gone_at = {}) {
        transfers.push_back({.merchant_id = {},
                             .transaction_hash = Bytes32{number},
                             .token = kToken,
                             .sender = Address{Bytes20{1}},
                             .recipient = Address{Bytes20{2}},
                             .amount = Amount(1'000U + number),
                             .block_number = block,
                             .gone_at = gone_at});
        return transfers.back();
    }
    // Only what is asked for, as TestChainPort gives it.
    std::vector<TestTransfer> around(BlockNumber number) const {
        std::vector<TestTransfer> found;
        for (auto const& transfer : transfers) {
            if (transfer.block_number >= first_around(number) && transfer.block_number <= number)
                found.push_back(transfer);
        }
        return found;
    }
    BlockWithLogs block(BlockNumber number, BlockNumber head) const {
        auto at = state;
        at.head = head;
        return test_block(at, number, around(number));
    }

    TestChainState state{.seed = Bytes32{5}, .genesis = timestamp_from_seconds(1'800'000'000)};
    std::vector<TestTransfer> transfers;
};

TEST_F(TestBlocks, link_and_go_on_in_time) {
    add(1, 3);
    add(2, 3);
    add(3, 5, 7);
    for (BlockNumber head = 1; head < 12; ++head) {
        for (BlockNumber number = 1; number <= head; ++number) {
            auto const one = block(number, head).header;
            auto const before = block(number - 1, head).header;
            EXPECT_EQ(one.number, number);
            EXPECT_EQ(one.parent_hash, before.hash) << number << " at " << head;
            EXPECT_EQ(one.time - before.time, 2s);
            EXPECT_NE(one.hash, before.hash);
            EXPECT_EQ(number_in(one.hash), number);
        }
    }
    EXPECT_EQ(block(0, 0).header.time, state.genesis);
}

TEST_F(TestBlocks, have_their_transfers_and_are_complete) {
    add(1, 3);
    add(2, 3).amount = Amount::max();
    add(3, 4);
    auto const two = block(3, 9);
    ASSERT_EQ(two.logs.size(), 2U);
    EXPECT_TRUE(check_complete(two));
    auto const decoded = decode_transfers(kTestChainId, two.header, std::vector{kToken}, two.logs);
    ASSERT_EQ(decoded.transfers.size(), 2U);
    EXPECT_EQ(decoded.malformed, 0U);
    EXPECT_EQ(decoded.transfers[0].amount, Amount(1'001));
    EXPECT_EQ(decoded.transfers[1].amount, Amount::max());
    EXPECT_EQ(decoded.transfers[1].key.transaction_hash, Bytes32{2});
    EXPECT_EQ(decoded.transfers[1].recipient, Address{Bytes20{2}});
    EXPECT_EQ(decoded.transfers[1].sender, Address{Bytes20{1}});
    EXPECT_TRUE(check_complete(block(2, 9)));
    EXPECT_TRUE(block(2, 9).logs.empty());
}

TEST_F(TestBlocks, stay_as_they_were_when_blocks_are_added) {
    add(1, 3);
    auto const before = block(3, 3).header;
    add(2, 4);
    add(3, 5, 6);
    for (BlockNumber head = 3; head < 20; ++head)
        EXPECT_EQ(block(3, head).header, before) << head;
}

TEST_F(TestBlocks, a_reorg_takes_the_transfer_away_and_leaves_the_others) {
    add(1, 5, 7);
    add(2, 5);
    add(3, 6);
    add(4, 7);
    auto const hashes = [this](BlockNumber head) {
        std::vector<BlockHash> all;
        for (BlockNumber number = 0; number <= head; ++number)
            all.push_back(block(number, head).header.hash);
        return all;
    };
    auto const before = hashes(6);
    auto const after = hashes(7);
    for (BlockNumber number = 0; number <= 6; ++number)
        EXPECT_EQ(before[number] == after[number], number < 5) << number;
    EXPECT_EQ(block(5, 6).logs.size(), 2U);
    ASSERT_EQ(block(5, 7).logs.size(), 1U);
    EXPECT_EQ(block(5, 7).logs[0].transaction_hash, Bytes32{2});
    EXPECT_EQ(block(6, 7).logs.size(), 1U);
    EXPECT_EQ(block(7, 7).logs.size(), 1U);
    EXPECT_EQ(block(7, 7).header.parent_hash, after[6]);
    // And that is how it stays.
    auto const later = hashes(15);
    EXPECT_TRUE(std::equal(after.begin(), after.end(), later.begin()));
}

TEST_F(TestBlocks, another_seed_is_another_chain) {
    auto const one = block(3, 3).header.hash;
    state.seed = Bytes32{6};
    EXPECT_NE(block(3, 3).header.hash, one);
}

// Whoever follows it head by head, or in leaps, is never told of two chains below what is final.
TEST_F(TestBlocks, nothing_final_ever_changes) {
    std::mt19937 random(20'261'126);
    for (int round = 0; round < 50; ++round) {
        transfers.clear();
        std::vector<BlockHash> final_hashes;
        auto at = state;
        for (at.head = 10; at.head < 60;) {
            for (BlockNumber number = final_hashes.size(); number <= at.finalized(); ++number)
                final_hashes.push_back(block(number, at.head).header.hash);
            for (BlockNumber number = 0; number < final_hashes.size(); ++number)
                ASSERT_EQ(block(number, at.head).header.hash, final_hashes[number]);
            for (BlockNumber number = 1; number <= at.head; ++number) {
                ASSERT_EQ(block(number, at.head).header.parent_hash,
                          block(number - 1, at.head).header.hash);
            }
            auto const added = static_cast<std::uint8_t>(transfers.size() + 1);
            if (random() % 2 == 0) add(added, at.head + 1);
            if (random() % 2 == 0) {
                BlockNumber const depth = 1 + random() % kDeepestTestReorg;
                add(static_cast<std::uint8_t>(added + 100), at.head + 1, at.head + 1 + depth);
            }
            at.head += 1 + random() % 5;
        }
    }
}

TEST(TestChainTime, gives_the_first_block_after_a_moment) {
    TestChainState const state{.seed = {}, .genesis = timestamp_from_seconds(1'000), .head = 5};
    EXPECT_EQ(state.first_after(timestamp_from_seconds(999)), 0U);
    EXPECT_EQ(state.first_after(timestamp_from_seconds(1'000)), 1U);
    EXPECT_EQ(state.first_after(timestamp_from_seconds(1'001)), 1U);
    EXPECT_EQ(state.first_after(timestamp_from_seconds(1'002)), 2U);
    for (std::int64_t second = 1'000; second < 1'020; ++second) {
        auto const moment = timestamp_from_seconds(second);
        auto const block = state.first_after(moment);
        EXPECT_GT(state.time_of(block), moment);
        EXPECT_LE(state.time_of(block - 1), moment);
    }
}

}  // namespace
}  // namespace sycee
