#include "checkpoint_rows.hpp"

#include <sycee/base/assert.hpp>

#include "months.hpp"

#include <algorithm>
#include <array>

namespace sycee {
namespace {

constexpr std::array kBooks{"authorizations",
                            "clearings",
                            "settlements",
                            "settlement_batches",
                            "unapplied_receipts",
                            "withdrawals",
                            "reversals",
                            "resolutions",
                            "refunds",
                            "refund_payments",
                            "refund_cancellations",
                            "token_losses",
                            "fee_payments",
                            "cancellations"};

}  // namespace

void PartedTree::add(Bytes32 const& leaf) {
    part_.add(leaf);
    ++size_;
    if (part_.size() == kPartLeaves) finish_part();
}

void PartedTree::finish_part() {
    Bytes32 const root = part_.root();
    whole_.add(root);
    part_roots_.insert(part_roots_.end(), root.begin(), root.end());
    part_ = {};
}

PartedTree::Roots PartedTree::roots() const {
    PartedTree done = *this;
    if (done.part_.size() > 0) done.finish_part();
    return {done.whole_.root(), std::move(done.part_roots_)};
}

MerklePath path_in_parts(std::uint64_t index, std::vector<Bytes32> const& part_leaves,
                         std::vector<std::uint8_t> const& part_roots) {
    MerkleTree part(index % kPartLeaves);
    for (Bytes32 const& leaf : part_leaves)
        part.add(leaf);
    MerklePath path = part.path();
    MerkleTree whole(index / kPartLeaves);
    for (std::size_t at = 0; at + 32 <= part_roots.size(); at += 32) {
        Bytes32 root{};
        std::copy_n(part_roots.begin() + static_cast<std::ptrdiff_t>(at), 32, root.begin());
        whole.add(root);
    }
    auto const above = whole.path();
    path.insert(path.end(), above.begin(), above.end());
    return path;
}

template <std::size_t N>
Bytes<N> fixed_bytes_of(pqxx::field const& field) {
    auto const stored = byte_vector_of(field);
    Bytes<N> bytes{};
    ensure(stored.size() == N, "store: a column has not the length that it must have");
    std::copy(stored.begin(), stored.end(), bytes.begin());
    return bytes;
}
template Bytes<33> fixed_bytes_of(pqxx::field const&);
template Bytes<64> fixed_bytes_of(pqxx::field const&);

std::string checkpoint_columns() {
    return "c.number, " + time_column("c.made_at", "made_at") +
           ", c.previous_hash, c.hash, c.journal_count, c.root, c.public_key, c.signature";
}

Checkpoint checkpoint_of(pqxx::row const& row) {
    return {.number = number_of(row["number"]),
            .made_at = time_of(row["made_at"]),
            .previous_hash = bytes_of<32>(row["previous_hash"]),
            .journal_count = number_of(row["journal_count"]),
            .root = bytes_of<32>(row["root"]),
            .public_key = fixed_bytes_of<33>(row["public_key"]),
            .signature = fixed_bytes_of<64>(row["signature"])};
}

std::span<char const* const> record_tables() {
    return kBooks;
}

std::string select_record_hashes(std::string const& condition) {
    std::string query;
    for (char const* book : kBooks) {
        if (!query.empty()) query += " UNION ALL ";
        query += std::string("SELECT merchant_id, chain_id, seq, hash FROM ") + all_of(book) + " " +
                 condition;
    }
    return query;
}

QueryStream::QueryStream(pqxx::transaction_base& tx, std::string name, std::string const& query)
    : tx_(tx), name_(std::move(name)) {
    tx_.exec("DECLARE " + name_ + " NO SCROLL CURSOR FOR " + query);
}

pqxx::row const* QueryStream::next() {
    if (at_ == batch_.size()) {
        batch_ = tx_.exec("FETCH 10000 FROM " + name_);
        at_ = 0;
        if (batch_.empty()) return nullptr;
    }
    row_ = batch_[at_++];
    return &row_;
}

void read_all_there_is(pqxx::transaction_base& tx) {
    tx.exec("SET LOCAL enable_nestloop = off");
    tx.exec("SET LOCAL statement_timeout = 0");
    tx.exec("SET LOCAL idle_in_transaction_session_timeout = 0");
}

}  // namespace sycee
