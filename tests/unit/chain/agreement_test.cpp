// Pins: nothing is agreed that fewer than the quorum say, whoever speaks, however often.
#include <sycee/base/assert.hpp>
#include <sycee/chain/agreement.hpp>

#include "chain_fixture.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

void vote(Agreement& agreement, std::size_t endpoint, BlockNumber first, BlockNumber last,
          std::uint8_t branch = 0, BlockNumber fork = 0) {
    for (BlockNumber number = first; number <= last; ++number)
        agreement.vote(endpoint, block(number, branch, fork));
}

TEST(Agreement, a_quorum_is_of_the_endpoints) {
    EXPECT_THROW(Agreement(3, 0), InvariantViolation);
    EXPECT_THROW(Agreement(3, 4), InvariantViolation);
    EXPECT_THROW(Agreement(0, 0), InvariantViolation);
    EXPECT_EQ(Agreement(3, 3).quorum(), 3U);
}

TEST(Agreement, goes_as_far_as_the_quorum_does) {
    auto const ours = chain_to(10, 4);
    Agreement agreement(3, 2);
    EXPECT_EQ(agreement.agreed_to(ours), 4U);
    vote(agreement, 0, 5, 10);
    EXPECT_EQ(agreement.agreed_to(ours), 4U);  // one voice
    vote(agreement, 0, 5, 10);
    EXPECT_EQ(agreement.agreed_to(ours), 4U);  // twice the same one
    vote(agreement, 2, 5, 7);
    EXPECT_EQ(agreement.agreed_to(ours), 7U);
    vote(agreement, 1, 8, 9);
    EXPECT_EQ(agreement.agreed_to(ours), 9U);  // another second one
}

TEST(Agreement, stops_at_a_gap) {
    auto const ours = chain_to(10, 4);
    Agreement agreement(2, 2);
    vote(agreement, 0, 5, 10);
    vote(agreement, 1, 5, 6);
    vote(agreement, 1, 8, 10);
    EXPECT_EQ(agreement.agreed_to(ours), 6U);
    agreement.vote(1, block(7));
    EXPECT_EQ(agreement.agreed_to(ours), 10U);
}

TEST(Agreement, counts_the_logs_and_not_the_hash_alone) {
    auto const ours = chain_to(5, 4);
    Agreement agreement(2, 2);
    agreement.vote(0, block(5));
    agreement.vote(1, block(5, 0, 0, 1));  // the same block with other logs
    EXPECT_EQ(agreement.agreed_to(ours), 4U);
    EXPECT_EQ(agreement.disagreeing(ours), 1U);
    EXPECT_TRUE(agreement.agrees(0, block(5)));
    EXPECT_FALSE(agreement.agrees(1, block(5)));
    agreement.vote(1, block(5));
    EXPECT_EQ(agreement.agreed_to(ours), 5U);
    EXPECT_EQ(agreement.disagreeing(ours), 0U);
}

TEST(Agreement, a_later_word_takes_the_place_of_the_earlier) {
    auto const ours = chain_to(6, 4);
    Agreement agreement(2, 2);
    vote(agreement, 0, 5, 6);
    vote(agreement, 1, 5, 6);
    EXPECT_EQ(agreement.agreed_to(ours), 6U);
    agreement.vote(1, block(6, 1, 5));
    EXPECT_EQ(agreement.agreed_to(ours), 5U);
    EXPECT_EQ(agreement.disagreeing(ours), 1U);
}

TEST(Agreement, sees_where_a_node_leaves_its_own_branch) {
    Agreement agreement(1, 1);
    EXPECT_TRUE(agreement.extends(0, block(5)));  // nothing said before
    agreement.vote(0, block(5));
    EXPECT_TRUE(agreement.extends(0, block(6)));
    EXPECT_FALSE(agreement.extends(0, block(6, 1, 4)));
    EXPECT_TRUE(agreement.extends(0, block(9, 1, 4)));
}

TEST(Agreement, withdrawn_and_forgotten_words_do_not_count) {
    auto const ours = chain_to(10, 4);
    Agreement agreement(1, 1);
    vote(agreement, 0, 5, 10);
    agreement.withdraw(0, 8);
    EXPECT_EQ(agreement.agreed_to(ours), 8U);
    agreement.forget_below(6);
    EXPECT_FALSE(agreement.agrees(0, block(5)));
    EXPECT_TRUE(agreement.agrees(0, block(6)));
    EXPECT_EQ(agreement.agreed_to(ours), 4U);
    EXPECT_EQ(agreement.agreed_to(chain_to(10, 5)), 8U);
}

TEST(Agreement, of_another_branch_is_none_with_ours) {
    auto ours = chain_to(8, 4);
    Agreement agreement(3, 2);
    for (std::size_t endpoint : {0U, 1U})
        vote(agreement, endpoint, 5, 9, 1, 6);
    vote(agreement, 2, 5, 8);
    EXPECT_EQ(agreement.agreed_to(ours), 6U);
    EXPECT_EQ(agreement.disagreeing(ours), 2U);
    ours.roll_back_to(6);
    for (BlockNumber number = 7; number <= 9; ++number)
        ours.append(block(number, 1, 6));
    EXPECT_EQ(agreement.agreed_to(ours), 9U);
    EXPECT_EQ(agreement.disagreeing(ours), 1U);
}

TEST(AgreedFinalized, counts_the_nodes_that_name_a_block_of_ours) {
    HeaderChain const ours = chain_to(9, 4);
    auto const named = [&ours](BlockNumber number) { return ours.at(number)->header; };
    BlockNumber const before = ours.finalized();
    EXPECT_EQ(agreed_finalized(ours, {}, 1), before);
    EXPECT_EQ(agreed_finalized(ours, {named(7)}, 1), 7U);
    EXPECT_EQ(agreed_finalized(ours, {named(7)}, 2), before);
    EXPECT_EQ(agreed_finalized(ours, {named(7), named(9)}, 1), 9U);
    EXPECT_EQ(agreed_finalized(ours, {named(9), named(7), named(8)}, 2), 8U);
    BlockHeader foreign = named(9);
    foreign.hash[31] ^= 1;
    EXPECT_EQ(agreed_finalized(ours, {foreign, named(7)}, 1), 7U);
    EXPECT_EQ(agreed_finalized(ours, {foreign, named(7)}, 2), before);
}

}  // namespace
}  // namespace sycee
