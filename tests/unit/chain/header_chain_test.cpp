// Pins: blocks link without a gap, reorgs are seen however the node shows them, final blocks stay.
#include <sycee/base/assert.hpp>

#include "chain_fixture.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

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
    EXPECT_EQ(chain.head(), header(5));
    chain.append(block(6, 1, 5));
    chain.finalize(3);
    EXPECT_EQ(chain.finalized(), 5U);
}

TEST(HeaderChain, keeps_what_was_processed_from_the_finalized_block_on) {
    auto chain = chain_to(9, 5);
    EXPECT_EQ(chain.at(4), nullptr);
    EXPECT_EQ(chain.at(10), nullptr);
    for (BlockNumber number = 5; number <= 9; ++number) {
        ASSERT_NE(chain.at(number), nullptr);
        EXPECT_EQ(*chain.at(number), block(number));
    }
    chain.roll_back_to(6);
    EXPECT_EQ(chain.at(7), nullptr);
    chain.append(block(7, 1, 6));
    EXPECT_EQ(*chain.at(7), block(7, 1, 6));
}

TEST(HeaderChain, finality_never_passes_the_head) {
    auto chain = chain_to(5);
    chain.finalize(100);
    EXPECT_EQ(chain.finalized(), 5U);
    EXPECT_EQ(chain.first(), 5U);
    EXPECT_THROW(HeaderChain({block(1)}, 2), InvariantViolation);
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
         {PlanRow{"nothing new", header(10), FollowAction::wait, 0, 0},
          PlanRow{"the node lags on our branch", header(8), FollowAction::wait, 0, 0},
          PlanRow{"the node is far behind", header(2, 1, 1), FollowAction::wait, 0, 0},
          PlanRow{"one more", header(11), FollowAction::extend, 11, 11},
          PlanRow{"a gap is closed in steps", header(100), FollowAction::extend, 11, 18},
          PlanRow{"same height, other branch", header(10, 1, 8), FollowAction::find_ancestor, 9, 0},
          PlanRow{"lower, other branch", header(9, 1, 7), FollowAction::find_ancestor, 8, 0},
          PlanRow{"next, other parent", header(11, 1, 8), FollowAction::find_ancestor, 10, 0}}) {
        auto const plan = plan_next(chain, row.node_head, 8);
        EXPECT_EQ(plan.action, row.action) << row.name;
        EXPECT_EQ(plan.first, row.first) << row.name;
        EXPECT_EQ(plan.last, row.last) << row.name;
    }
}

}  // namespace
}  // namespace sycee
