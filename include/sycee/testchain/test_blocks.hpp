#pragma once

#include <sycee/app/test_chain.hpp>
#include <sycee/chain/block_logs.hpp>
#include <sycee/evm/block.hpp>

#include <span>
#include <vector>

// The blocks of the test chain. Pure: a block is what the state and the transfers say, so that an
// empty one takes no room, and nothing is lost when the program ends. `around`: the transfers of
// the blocks first_around(number) .. number, as TestChainPort tells them; others are passed over.
namespace sycee {

// The transfers of blocks before that have no part in this block's hash or its parent's.
BlockNumber first_around(BlockNumber number);

// Whether the branch that ends at this head has the transfer.
bool is_on_branch(TestTransfer const& transfer, BlockNumber head);

// Throws InvariantViolation above the head.
BlockHeader test_header(TestChainState const& state, BlockNumber number,
                        std::span<TestTransfer const> around);
BlockWithLogs test_block(TestChainState const& state, BlockNumber number,
                         std::span<TestTransfer const> around);

// Every hash of a block of the test chain begins with its number.
BlockNumber number_in(BlockHash const& hash);

}  // namespace sycee
