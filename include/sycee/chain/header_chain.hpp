#pragma once

#include <sycee/base/id.hpp>
#include <sycee/chain/block_logs.hpp>
#include <sycee/evm/block.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace sycee {

// The processed blocks of one chain from the newest final one up: linked by parent hash, without a
// gap. Decides what to read next; reads nothing itself.
class HeaderChain {
  public:
    // `blocks`: ascending, linked, not empty; the first is final or where following began.
    // Throws InvariantViolation otherwise.
    HeaderChain(std::vector<ProcessedBlock> blocks, BlockNumber finalized);

    BlockHeader const& head() const { return blocks_.back().header; }
    BlockNumber first() const { return blocks_.front().header.number; }
    BlockNumber finalized() const { return finalized_; }
    // What we processed at that number; nothing outside first() .. head().
    ProcessedBlock const* at(BlockNumber number) const;

    // Throws InvariantViolation unless the block's parent is our head.
    void append(ProcessedBlock block);
    // Forgets the blocks above `ancestor`. Throws InvariantViolation below the finalized block: a
    // chain whose final blocks change is stopped, never followed.
    void roll_back_to(BlockNumber ancestor);
    // Moves the finalized block up and forgets what is below it. Lower numbers change nothing.
    void finalize(BlockNumber number);

  private:
    std::vector<ProcessedBlock> blocks_;
    BlockNumber finalized_;
};

enum class FollowAction : std::uint8_t {
    wait,           // nothing new, or a node that lags behind on the same branch
    extend,         // read the blocks from head()+1
    find_ancestor,  // the node's branch is another one: walk back to where they part
};

struct FollowPlan {
    FollowAction action = FollowAction::wait;
    BlockNumber first =
        0;  // extend: blocks first .. last; find_ancestor: compare from `first` down
    BlockNumber last = 0;
};

// What to do about the head that a node reports. At most `most_blocks` are read at a time: after a
// downtime the gap is closed in steps, never jumped over.
FollowPlan plan_next(HeaderChain const& chain, BlockHeader const& node_head,
                     BlockNumber most_blocks);

}  // namespace sycee
