// Pins: blocks link without a gap, reorgs are seen however the node shows them, final blocks stay.
#include <sycee/base/assert.hpp>
#include <sycee/chain/header_chain.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

BlockHash hash(BlockNumber number, std::uint8_t branch) {
    BlockHash bytes{};
    bytes[0] = static_cast<std::uint8_t>(number);
    bytes[1] = branch;
    return bytes;
}

// A block of a branch that parts from branch 0 above `fork`.
BlockHeader block(BlockNumber number, std::uint8_t branch = 0, BlockNumber fork = 0) {
    auto const branch_of = [&](BlockNumber at) { return at > fork ? branch : std::uint8_t{0}; };
    return {number, hash(number, branch_of(number)), hash(number - 1, branch_of(number - 1)),
            timestamp_from_seconds(static_cast<std::int64_t>(number))};
}

HeaderChain chain_to(BlockNumber head, BlockNumber finalized = 1) {
    HeaderChain chain({block(1)}, 1);
    for (BlockNumber number = 2; number <= head; ++number)
        chain.append(block(number));
    chain.finalize(finalized);
    return chain;
}

TEST(HeaderChain, takes_only_what_links) {
    auto chain = chain_to(5);
    EXPECT_THROW(chain.append(block(7)), InvariantViolation);
    EXPECT_THROW(chain.append(block(6, 1, 4)), InvariantViolation);
    chain.append(block(6));
    EXPECT_EQ(chain.head().number, 6U);
    EXPECT_THROW(HeaderChain({block(1), block(3)}, 1), InvariantViolation);
    EXPECT_THROW(HeaderChain({}, 0), InvariantViolation);
}

TEST(HeaderChain, rolls_back_to_the_finalized_block_and_no_further) {
    auto chain = chain_to(9, 5);
    EXPECT_EQ(chain.first(), 5U);
    EXPECT_THROW(chain.roll_back_to(4), InvariantViolation);
    chain.roll_back_to(5);
    EXPECT_EQ(chain.head(), block(5));
    chain.append(block(6, 1, 5));
    chain.finalize(3);
    EXPECT_EQ(chain.finalized(), 5U);
}

struct PlanRow {
    char const* name;
    BlockHeader node_head;
    FollowAction action;
    BlockNumber first;
    BlockNumber last;
};

TEST(PlanNext, decides_by_the_node_head) {
    auto const chain = chain_to(10, 4);
    for (PlanRow const& row :
         {PlanRow{"nothing new", block(10), FollowAction::wait, 0, 0},
          PlanRow{"the node lags on our branch", block(8), FollowAction::wait, 0, 0},
          PlanRow{"the node is far behind", block(2, 1, 1), FollowAction::wait, 0, 0},
          PlanRow{"one more", block(11), FollowAction::extend, 11, 11},
          PlanRow{"a gap is closed in steps", block(100), FollowAction::extend, 11, 18},
          PlanRow{"same height, other branch", block(10, 1, 8), FollowAction::find_ancestor, 9, 0},
          PlanRow{"lower, other branch", block(9, 1, 7), FollowAction::find_ancestor, 8, 0},
          PlanRow{"next, other parent", block(11, 1, 8), FollowAction::find_ancestor, 10, 0}}) {
        auto const plan = plan_next(chain, row.node_head, 8);
        EXPECT_EQ(plan.action, row.action) << row.name;
        EXPECT_EQ(plan.first, row.first) << row.name;
        EXPECT_EQ(plan.last, row.last) << row.name;
    }
}

}  // namespace
}  // namespace sycee
