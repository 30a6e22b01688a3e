#pragma once

#include <sycee/base/bytes.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sycee {

// Merkle trees as RFC 6962, section 2.1, has them (Certificate Transparency), with SHA-256: a leaf
// is hashed after the byte 00, a node after 01, so that none passes for the other, and no leaf is
// doubled to fill a level. Of n leaves, the left part has the largest power of two below n.

Bytes32 merkle_leaf(ByteView content);
Bytes32 merkle_node(Bytes32 const& left, Bytes32 const& right);

// From the bottom up: what each hash on the way to the root is hashed with. At most 64 hashes.
using MerklePath = std::vector<Bytes32>;

// The root of leaves that come one after the other; keeps one hash for each level. With an index,
// it also collects the path from that leaf.
class MerkleTree {
  public:
    MerkleTree() = default;
    explicit MerkleTree(std::uint64_t path_of) : path_of_(path_of) {}

    // The hash of the next leaf, or the root of the next part where all parts have the same number
    // of leaves, a power of two, but for the last, which may have fewer: of parts' roots the tree
    // is that of all their leaves.
    void add(Bytes32 const& leaf);
    std::uint64_t size() const { return size_; }
    // Of no leaf: SHA-256 of nothing.
    Bytes32 root() const;
    // Of the leaf that was asked for, which must have been added.
    MerklePath path() const;

  private:
    struct Part {
        Bytes32 hash;
        std::uint64_t first = 0;
        std::uint64_t size = 0;
    };
    Part joined(Part const& left, Part const& right, MerklePath& path) const;
    Part folded(MerklePath& path) const;

    std::optional<std::uint64_t> path_of_;
    std::uint64_t size_ = 0;
    std::vector<Part> parts_;  // from the left, each a whole tree, smaller and smaller
    MerklePath path_;          // as far as the parts go
};

// The root to which the path leads from the leaf at `index` of `size` leaves; nothing where the
// path has not the length of such a leaf's.
std::optional<Bytes32> root_by_path(Bytes32 const& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<Bytes32 const> path);

}  // namespace sycee
