// Pins: the Merkle trees of RFC 6962 by the published vectors of its reference implementation, and
// that of every leaf of every tree the path leads to the root, and nothing else does.
#include <sycee/crypto/hash.hpp>
#include <sycee/crypto/merkle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <string_view>

namespace sycee {
namespace {

// The leaves of google/certificate-transparency's merkletree tests, and the roots of their first n.
constexpr std::array<std::string_view, 8> kContents{"",
                                                    "00",
                                                    "10",
                                                    "2021",
                                                    "3031",
                                                    "40414243",
                                                    "5051525354555657",
                                                    "606162636465666768696a6b6c6d6e6f"};
constexpr std::array<std::string_view, 8> kRoots{
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Bytes32 numbered_leaf(std::uint64_t number) {
    return merkle_leaf(as_bytes(std::to_string(number)));
}

// The definition of the RFC, word by word.
Bytes32 by_definition(std::span<Bytes32 const> leaves) {
    if (leaves.empty()) return sha256({});
    if (leaves.size() == 1) return leaves.front();
    std::size_t const left = std::bit_floor(leaves.size() - 1);
    return merkle_node(by_definition(leaves.first(left)), by_definition(leaves.subspan(left)));
}

std::vector<Bytes32> leaves_of(std::uint64_t size) {
    std::vector<Bytes32> leaves;
    for (std::uint64_t i = 0; i < size; ++i)
        leaves.push_back(numbered_leaf(i));
    return leaves;
}

TEST(MerkleTree, has_the_roots_of_the_reference_implementation) {
    MerkleTree tree;
    EXPECT_EQ(to_hex(tree.root()),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (std::size_t i = 0; i < kContents.size(); ++i) {
        tree.add(merkle_leaf(from_hex(kContents.at(i)).value()));
        EXPECT_EQ(to_hex(tree.root()), kRoots.at(i)) << i + 1 << " leaves";
    }
}

TEST(MerkleTree, has_the_path_of_the_reference_implementation) {
    MerkleTree tree(0);
    for (auto const content : kContents)
        tree.add(merkle_leaf(from_hex(content).value()));
    std::vector<std::string> path;
    for (Bytes32 const& hash : tree.path())
        path.push_back(to_hex(hash));
    EXPECT_EQ(path, (std::vector<std::string>{
                        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
}

TEST(MerkleTree, is_that_of_the_definition_and_every_path_leads_to_its_root) {
    for (std::uint64_t size = 1; size <= 70; ++size) {
        auto const leaves = leaves_of(size);
        Bytes32 const root = by_definition(leaves);
        for (std::uint64_t index = 0; index < size; ++index) {
            MerkleTree tree(index);
            for (Bytes32 const& leaf : leaves)
                tree.add(leaf);
            ASSERT_EQ(tree.root(), root) << size;
            EXPECT_EQ(root_by_path(leaves[index], index, size, tree.path()), root)
                << index << " of " << size;
        }
    }
}

TEST(MerkleTree, of_parts_is_that_of_their_leaves) {
    for (std::uint64_t const size : {1U, 7U, 8U, 9U, 24U, 61U}) {
        auto const leaves = leaves_of(size);
        MerkleTree whole;
        MerkleTree part;
        for (Bytes32 const& leaf : leaves) {
            part.add(leaf);
            if (part.size() < 8) continue;
            whole.add(part.root());
            part = {};
        }
        if (part.size() > 0) whole.add(part.root());
        EXPECT_EQ(whole.root(), by_definition(leaves)) << size;
    }
}

TEST(MerklePath, that_was_altered_does_not_lead_to_the_root) {
    std::uint64_t const size = 11;
    auto const leaves = leaves_of(size);
    Bytes32 const root = by_definition(leaves);
    for (std::uint64_t index = 0; index < size; ++index) {
        MerkleTree tree(index);
        for (Bytes32 const& leaf : leaves)
            tree.add(leaf);
        auto const path = tree.path();
        for (std::size_t i = 0; i < path.size(); ++i) {
            auto altered = path;
            altered[i][31] ^= 1;
            EXPECT_NE(root_by_path(leaves[index], index, size, altered), root);
            altered = path;
            altered.erase(altered.begin() + static_cast<std::ptrdiff_t>(i));
            EXPECT_NE(root_by_path(leaves[index], index, size, altered), root);
        }
        auto longer = path;
        longer.push_back(Bytes32{});
        EXPECT_FALSE(root_by_path(leaves[index], index, size, longer));
        EXPECT_NE(root_by_path(leaves[(index + 1) % size], index, size, path), root);
        EXPECT_NE(root_by_path(leaves[index], (index + 1) % size, size, path), root);
    }
    EXPECT_FALSE(root_by_path(leaves[0], size, size, {}));
    EXPECT_FALSE(root_by_path(leaves[0], 0, 0, {}));
}

}  // namespace
}  // namespace sycee
