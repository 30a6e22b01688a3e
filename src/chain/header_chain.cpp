#include <sycee/base/assert.hpp>
#include <sycee/chain/header_chain.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace sycee {

HeaderChain::HeaderChain(std::vector<ProcessedBlock> blocks, BlockNumber finalized)
    : blocks_(std::move(blocks)), finalized_(finalized) {
    ensure(!blocks_.empty(), "chain: a header chain begins with at least one block");
    for (std::size_t i = 1; i < blocks_.size(); ++i) {
        BlockHeader const& before = blocks_[i - 1].header;
        BlockHeader const& header = blocks_[i].header;
        ensure(header.number == before.number + 1 && header.parent_hash == before.hash,
               "chain: stored block " + std::to_string(header.number) +
                   " does not link to the one before it");
    }
    ensure(finalized_ <= head().number, "chain: the finalized block is above the head");
}

ProcessedBlock const* HeaderChain::at(BlockNumber number) const {
    if (number < first() || number > head().number) return nullptr;
    return &blocks_[number - first()];
}

void HeaderChain::append(ProcessedBlock block) {
    ensure(block.header.number == head().number + 1 && block.header.parent_hash == head().hash,
           "chain: block " + std::to_string(block.header.number) + " does not link to our head " +
               std::to_string(head().number));
    blocks_.push_back(block);
}

void HeaderChain::roll_back_to(BlockNumber ancestor) {
    ensure(ancestor >= finalized_, "chain: a reorg to block " + std::to_string(ancestor) +
                                       " would undo the finalized block " +
                                       std::to_string(finalized_));
    ensure(at(ancestor) != nullptr, "chain: a reorg's ancestor is not among our blocks");
    blocks_.resize(ancestor - first() + 1);
}

void HeaderChain::finalize(BlockNumber number) {
    number = std::min(number, head().number);
    if (number <= finalized_) return;
    finalized_ = number;
    if (number > first()) {
        blocks_.erase(blocks_.begin(),
                      blocks_.begin() + static_cast<std::ptrdiff_t>(number - first()));
    }
}

FollowPlan plan_next(HeaderChain const& chain, BlockHeader const& node_head,
                     BlockNumber most_blocks) {
    BlockHeader const& ours = chain.head();
    if (node_head.number <= ours.number) {
        ProcessedBlock const* same = chain.at(node_head.number);
        // Below everything we keep is a node far behind: final blocks are not in question.
        if (same == nullptr || same->header.hash == node_head.hash) return {};
        return {.action = FollowAction::find_ancestor, .first = node_head.number - 1};
    }
    if (node_head.number == ours.number + 1 && node_head.parent_hash != ours.hash) {
        return {.action = FollowAction::find_ancestor, .first = ours.number};
    }
    return {.action = FollowAction::extend,
            .first = ours.number + 1,
            .last = std::min(node_head.number, ours.number + most_blocks)};
}

}  // namespace sycee
