#pragma once

#include <sycee/payment/checkpoint.hpp>

#include "values.hpp"

#include <pqxx/pqxx>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sycee {

// Leaves in one part of a tree whose root is stored beside the tree's: a path needs the leaves of
// one part, and the roots of the others.
constexpr std::uint64_t kPartLeaves = 1024;

// A tree that remembers the roots of its parts.
class PartedTree {
  public:
    void add(Bytes32 const& leaf);
    std::uint64_t size() const { return size_; }

    struct Roots {
        Bytes32 root{};
        std::vector<std::uint8_t> parts;  // one after the other
    };
    Roots roots() const;

  private:
    void finish_part();

    MerkleTree whole_;
    MerkleTree part_;
    std::uint64_t size_ = 0;
    std::vector<std::uint8_t> part_roots_;
};

// The path from the leaf at `index`, of the leaves of its part and the stored roots of all.
MerklePath path_in_parts(std::uint64_t index, std::vector<Bytes32> const& part_leaves,
                         std::vector<std::uint8_t> const& part_roots);

template <std::size_t N>
Bytes<N> fixed_bytes_of(pqxx::field const& field);
extern template Bytes<33> fixed_bytes_of(pqxx::field const&);
extern template Bytes<64> fixed_bytes_of(pqxx::field const&);

// For checkpoint_of(), of the table or alias `c`.
std::string checkpoint_columns();
Checkpoint checkpoint_of(pqxx::row const& row);

// The tables of the records, one for each kind.
std::span<char const* const> record_tables();

// A SELECT of merchant_id, chain_id, seq and hash of all records, of whatever kind, where
// `condition` holds ("" for all; begins with WHERE).
std::string select_record_hashes(std::string const& condition);

// The rows of a query, a batch at a time.
class QueryStream {
  public:
    QueryStream(pqxx::transaction_base& tx, std::string name, std::string const& query);
    // Stays until the next call.
    pqxx::row const* next();

  private:
    pqxx::transaction_base& tx_;
    std::string name_;
    pqxx::result batch_;
    pqxx::row row_;
    pqxx::result::size_type at_ = 0;
};

// For transactions that read as much as there is: no time limit, and no join that would look
// through the books once for each journal. Few of them have an index by number.
void read_all_there_is(pqxx::transaction_base& tx);

}  // namespace sycee
