#pragma once

#include <sycee/chain/block_logs.hpp>
#include <sycee/chain/header_chain.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace sycee {

// What the nodes of one chain say of the blocks that are not final yet, and how far enough of them
// say the same as we processed. Nothing is cleared or settled beyond that: one node, or a crowd of
// fewer than the quorum, can make us authorize something, never release goods.
class Agreement {
  public:
    // Throws InvariantViolation unless 1 <= quorum <= endpoints.
    Agreement(std::size_t endpoints, std::size_t quorum);

    // This node has this block, with these logs, on its branch. A later word of the same node for
    // the same number takes the place of the earlier one.
    void vote(std::size_t endpoint, ProcessedBlock const& block);
    // False where the node has said something of the block below that this one does not build on.
    bool extends(std::size_t endpoint, ProcessedBlock const& block) const;
    // The node no longer speaks for anything above that number: it went to another branch, or away.
    void withdraw(std::size_t endpoint, BlockNumber above);
    void forget_below(BlockNumber number);

    // The highest block, up to that number, that the node has spoken for.
    std::optional<BlockHeader> last_vote(std::size_t endpoint, BlockNumber up_to) const;
    // True where this node's word for the block is known and the same.
    bool agrees(std::size_t endpoint, ProcessedBlock const& block) const;
    // The highest block of ours up to which, from the finalized one on, a quorum agrees with each.
    BlockNumber agreed_to(HeaderChain const& ours) const;
    // What a quorum says in the place of the lowest block of ours that it contradicts: the node
    // that we read from is then the one that is wrong, or behind.
    std::optional<ProcessedBlock> outvoted(HeaderChain const& ours) const;
    // True where some node reads other logs in this very block.
    bool is_disputed(ProcessedBlock const& block) const;
    // Nodes that say something else of a block of ours: a lie, a fork, or a broken index.
    std::size_t disagreeing(HeaderChain const& ours) const;

    std::size_t endpoints() const { return votes_.size(); }
    std::size_t quorum() const { return quorum_; }

  private:
    std::vector<std::map<BlockNumber, ProcessedBlock>> votes_;
    std::size_t quorum_;
};

// The highest block of ours that a quorum of the nodes calls final: each counts as far as the block
// that it names is one of ours, with its hash. Our finalized block where there is none above it.
BlockNumber agreed_finalized(HeaderChain const& ours, std::vector<BlockHeader> const& reported,
                             std::size_t quorum);

}  // namespace sycee
