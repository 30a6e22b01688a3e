#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/crypto/merkle.hpp>

#include <algorithm>

namespace sycee {

Bytes32 merkle_leaf(ByteView content) {
    std::vector<std::uint8_t> bytes{0};
    bytes.insert(bytes.end(), content.begin(), content.end());
    return sha256(bytes);
}

Bytes32 merkle_node(Bytes32 const& left, Bytes32 const& right) {
    Bytes<65> bytes{1};
    std::copy(left.begin(), left.end(), bytes.begin() + 1);
    std::copy(right.begin(), right.end(), bytes.begin() + 33);
    return sha256(bytes);
}

MerkleTree::Part MerkleTree::joined(Part const& left, Part const& right, MerklePath& path) const {
    if (path_of_ && *path_of_ >= left.first && *path_of_ - left.first < left.size + right.size) {
        bool const is_left = *path_of_ - left.first < left.size;
        path.push_back(is_left ? right.hash : left.hash);
    }
    return {merkle_node(left.hash, right.hash), left.first, left.size + right.size};
}

void MerkleTree::add(Bytes32 const& leaf) {
    Part part{leaf, size_++, 1};
    while (!parts_.empty() && parts_.back().size == part.size) {
        part = joined(parts_.back(), part, path_);
        parts_.pop_back();
    }
    parts_.push_back(part);
}

MerkleTree::Part MerkleTree::folded(MerklePath& path) const {
    Part whole = parts_.back();
    for (std::size_t i = parts_.size() - 1; i-- > 0;)
        whole = joined(parts_[i], whole, path);
    return whole;
}

Bytes32 MerkleTree::root() const {
    if (parts_.empty()) return sha256({});
    MerklePath path;
    return folded(path).hash;
}

MerklePath MerkleTree::path() const {
    ensure(path_of_ && *path_of_ < size_, "crypto: the path of a leaf that the tree has not");
    MerklePath path = path_;
    folded(path);
    return path;
}

// RFC 9162, section 2.1.3.2.
std::optional<Bytes32> root_by_path(Bytes32 const& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<Bytes32 const> path) {
    if (index >= size) return std::nullopt;
    Bytes32 hash = leaf;
    std::uint64_t at = index;
    std::uint64_t last = size - 1;
    for (Bytes32 const& beside : path) {
        if (last == 0) return std::nullopt;
        if (at % 2 == 1 || at == last) {
            hash = merkle_node(beside, hash);
            while (at % 2 == 0 && at != 0) {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = merkle_node(hash, beside);
        }
        at /= 2;
        last /= 2;
    }
    if (last != 0) return std::nullopt;
    return hash;
}

}  // namespace sycee
