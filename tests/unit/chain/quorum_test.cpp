// Pins: what counts as a quorum's word for a block, and for a final one.
#include <sycee/chain/agreement.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

ProcessedBlock block(BlockNumber number, std::uint8_t branch, std::uint8_t logs = 0) {
    ProcessedBlock made;
    made.header.number = number;
    made.header.hash[0] = static_cast<std::uint8_t>(number);
    made.header.hash[1] = branch;
    made.header.parent_hash[0] = static_cast<std::uint8_t>(number - 1);
    made.header.parent_hash[1] = number == 11 ? 0 : branch;
    made.logs_digest[0] = logs;
    return made;
}

HeaderChain ours(std::uint8_t branch, BlockNumber head) {
    HeaderChain chain({block(10, 0)}, 10);
    for (BlockNumber number = 11; number <= head; ++number)
        chain.append(block(number, branch));
    return chain;
}

TEST(Quorum, a_quorum_outvotes_what_we_read) {
    Agreement agreement(3, 2);
    auto const chain = ours(0, 12);
    agreement.vote(0, block(11, 0));
    agreement.vote(1, block(11, 0, 7));
    EXPECT_FALSE(agreement.outvoted(chain));
    EXPECT_TRUE(agreement.is_disputed(block(11, 0)));
    agreement.vote(2, block(11, 0, 7));
    ASSERT_TRUE(agreement.outvoted(chain));
    EXPECT_EQ(*agreement.outvoted(chain), block(11, 0, 7));
}

TEST(Quorum, another_branch_is_no_dispute_about_logs) {
    Agreement agreement(2, 2);
    agreement.vote(0, block(11, 1, 7));
    EXPECT_FALSE(agreement.is_disputed(block(11, 0)));
}

TEST(Quorum, knows_the_last_word_of_a_node) {
    Agreement agreement(1, 1);
    EXPECT_FALSE(agreement.last_vote(0, 20));
    agreement.vote(0, block(11, 0));
    agreement.vote(0, block(13, 0));
    EXPECT_EQ(agreement.last_vote(0, 20)->number, 13U);
    EXPECT_EQ(agreement.last_vote(0, 12)->number, 11U);
}

TEST(AgreedFinalized, counts_only_blocks_of_ours) {
    auto const chain = ours(0, 14);
    auto const header = [](BlockNumber number, std::uint8_t branch) {
        return block(number, branch).header;
    };
    EXPECT_EQ(agreed_finalized(chain, {header(13, 0), header(12, 0)}, 2), 12U);
    EXPECT_EQ(agreed_finalized(chain, {header(13, 0), header(12, 1)}, 2), 10U);
    EXPECT_EQ(agreed_finalized(chain, {header(13, 0), header(20, 0)}, 2), 10U);
    EXPECT_EQ(agreed_finalized(chain, {header(13, 0)}, 2), 10U);
}

}  // namespace
}  // namespace sycee
