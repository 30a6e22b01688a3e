#include <sycee/base/assert.hpp>
#include <sycee/store/pg_checkpoints.hpp>

#include "checkpoint_rows.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

#include <map>
#include <set>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

// Its text names what is wrong.
class Differs : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

using JournalKey = std::pair<MerchantId, ChainId>;

// Of one journal, what the exported checkpoint says.
struct Said {
    std::uint64_t last_sequence = 0;
    Bytes32 head{};
    std::optional<JournalInterval> interval;  // where it had moved
};

std::map<JournalKey, Said> said_of(CheckpointExport const& exported) {
    std::map<JournalKey, Said> said;
    for (JournalInterval const& interval : exported.intervals) {
        said[{interval.merchant_id, interval.chain_id}] = {interval.last_sequence, interval.head,
                                                           interval};
    }
    for (CheckpointedHead const& head : exported.heads)
        said[{head.merchant_id, head.chain_id}] = {head.sequence, head.hash, {}};
    return said;
}

std::string records_named(std::uint64_t first, std::uint64_t last) {
    return first == last ? "record " + std::to_string(first)
                         : "records " + std::to_string(first) + " to " + std::to_string(last);
}

// Reads the stored intervals in the order of journals, beside the records.
class StoredIntervals {
  public:
    StoredIntervals(pqxx::transaction_base& tx, std::uint64_t up_to)
        : rows_(tx, "intervals",
                "SELECT merchant_id, chain_id, first_seq, last_seq, checkpoint_number, head, root"
                " FROM checkpoint_journals WHERE checkpoint_number <= " +
                    std::to_string(up_to) + " ORDER BY merchant_id, chain_id, last_seq") {
        advance();
    }

    // The next one of this journal, after dropping those of journals before it.
    std::optional<std::pair<std::uint64_t, JournalInterval>> const& next_of(JournalKey const& key) {
        while (current_ &&
               JournalKey(current_->second.merchant_id, current_->second.chain_id) < key)
            advance();
        bool const is_of_key =
            current_ && JournalKey(current_->second.merchant_id, current_->second.chain_id) == key;
        return is_of_key ? current_ : none_;
    }
    void advance() {
        auto const* row = rows_.next();
        if (row == nullptr) {
            current_.reset();
            return;
        }
        current_ = {number_of((*row)["checkpoint_number"]),
                    {id_of<MerchantTag>((*row)["merchant_id"]), number_of((*row)["chain_id"]),
                     number_of((*row)["first_seq"]), number_of((*row)["last_seq"]),
                     bytes_of<32>((*row)["head"]), bytes_of<32>((*row)["root"])}};
    }

  private:
    QueryStream rows_;
    std::optional<std::pair<std::uint64_t, JournalInterval>> current_;
    std::optional<std::pair<std::uint64_t, JournalInterval>> none_;
};

// One journal, record by record.
class JournalComparison {
  public:
    JournalComparison(JournalKey key, Said const& said, std::uint64_t checkpoint)
        : where_(journal_name(key.first, key.second) + ": "),
          key_(key),
          said_(said),
          checkpoint_(checkpoint) {}

    void add(std::uint64_t sequence, Bytes32 const& hash, StoredIntervals& stored) {
        require(sequence == read_to_ + 1, "record " + std::to_string(read_to_ + 1) + " is missing");
        read_to_ = sequence;
        Bytes32 const leaf = interval_leaf(hash);
        if (said_.interval && sequence >= said_.interval->first_sequence) exported_tree_.add(leaf);
        if (sequence == said_.last_sequence) compare_with_export(hash);
        compare_with_stored(sequence, hash, leaf, stored);
    }
    void finish() const {
        require(read_to_ == said_.last_sequence, "it ends at record " + std::to_string(read_to_) +
                                                     ", and had " +
                                                     std::to_string(said_.last_sequence));
    }

  private:
    void require(bool holds, std::string const& what) const {
        if (!holds) throw Differs(where_ + what);
    }
    void compare_with_export(Bytes32 const& hash) const {
        require(hash == said_.head, "record " + std::to_string(said_.last_sequence) +
                                        " is not the one of the exported checkpoint " +
                                        std::to_string(checkpoint_) +
                                        ": the journal was rewritten");
        if (!said_.interval) return;
        require(exported_tree_.root() == said_.interval->root,
                records_named(said_.interval->first_sequence, said_.last_sequence) +
                    " are not those of the exported checkpoint " + std::to_string(checkpoint_) +
                    ": the journal was rewritten");
    }
    void compare_with_stored(std::uint64_t sequence, Bytes32 const& hash, Bytes32 const& leaf,
                             StoredIntervals& stored) {
        auto const& next = stored.next_of(key_);
        require(next.has_value(),
                "record " + std::to_string(sequence) + " is in no stored checkpoint");
        auto const& [number, interval] = *next;
        std::string const of = " of checkpoint " + std::to_string(number);
        require(interval.first_sequence == stored_from_,
                "the records" + of + " begin at " + std::to_string(interval.first_sequence) +
                    ", not " + std::to_string(stored_from_));
        stored_tree_.add(leaf);
        if (sequence < interval.last_sequence) return;
        require(hash == interval.head && stored_tree_.root() == interval.root,
                records_named(interval.first_sequence, interval.last_sequence) + " are not those" +
                    of + ": the journal was rewritten");
        stored_tree_ = {};
        stored_from_ = sequence + 1;
        stored.advance();
    }

    std::string where_;
    JournalKey key_;
    Said const& said_;
    std::uint64_t checkpoint_;
    std::uint64_t read_to_ = 0;
    std::uint64_t stored_from_ = 1;
    MerkleTree exported_tree_;
    MerkleTree stored_tree_;
};

void compare_records(pqxx::transaction_base& tx, CheckpointExport const& exported,
                     CheckpointVerifyResult& result) {
    auto const said = said_of(exported);
    PgArray merchants;
    PgArray chains;
    PgArray lasts;
    for (auto const& [key, one] : said) {
        merchants.add(key.first);
        chains.add(key.second);
        lasts.add(one.last_sequence);
    }
    // Every one of them, also where it has no record any more.
    QueryStream records(tx, "records",
                        "SELECT s.merchant_id, s.chain_id, r.seq, r.hash FROM unnest(" +
                            tx.quote(merchants.str()) + "::uuid[], " + tx.quote(chains.str()) +
                            "::bigint[], " + tx.quote(lasts.str()) +
                            "::bigint[]) AS s(merchant_id, chain_id, last_seq) LEFT JOIN (" +
                            select_record_hashes("") +
                            ") r ON r.merchant_id = s.merchant_id AND r.chain_id = s.chain_id"
                            " AND r.seq <= s.last_seq ORDER BY 1, 2, 3");
    StoredIntervals stored(tx, exported.checkpoint.number);
    std::optional<JournalComparison> journal;
    std::optional<JournalKey> key;
    while (auto const* row = records.next()) {
        JournalKey const of{id_of<MerchantTag>((*row)["merchant_id"]),
                            number_of((*row)["chain_id"])};
        if (of != key) {
            if (journal) journal->finish();
            key = of;
            journal.emplace(of, said.at(of), exported.checkpoint.number);
            ++result.journals;
        }
        if ((*row)["seq"].is_null()) continue;
        journal->add(number_of((*row)["seq"]), bytes_of<32>((*row)["hash"]), stored);
        ++result.records;
    }
    if (journal) journal->finish();
}

// That the stored intervals of each checkpoint are those that were signed.
class StoredLeaves {
  public:
    StoredLeaves(pqxx::transaction_base& tx, std::uint64_t up_to)
        : rows_(tx, "leaves",
                "SELECT merchant_id, chain_id, first_seq, last_seq, checkpoint_number, head, root"
                " FROM checkpoint_journals WHERE checkpoint_number <= " +
                    std::to_string(up_to) + " ORDER BY checkpoint_number, leaf_index"),
          row_(rows_.next()) {}

    MerkleTree tree_of(std::uint64_t number) {
        MerkleTree tree;
        while (row_ != nullptr && number_of((*row_)["checkpoint_number"]) == number) {
            pqxx::row const& row = *row_;
            tree.add(
                checkpoint_leaf({id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                                 number_of(row["first_seq"]), number_of(row["last_seq"]),
                                 bytes_of<32>(row["head"]), bytes_of<32>(row["root"])}));
            row_ = rows_.next();
        }
        return tree;
    }

  private:
    QueryStream rows_;
    pqxx::row const* row_;
};

void compare_checkpoints(pqxx::transaction_base& tx, Checkpoint const& exported,
                         CheckpointVerifyResult& result) {
    std::set<CompressedPublicKey> keys;
    for (auto const& row : tx.exec("SELECT public_key FROM signing_keys"))
        keys.insert(fixed_bytes_of<33>(row[0]));
    QueryStream rows(tx, "chain_of_checkpoints",
                     "SELECT " + checkpoint_columns() + " FROM checkpoints c WHERE c.number <= " +
                         std::to_string(exported.number) + " ORDER BY c.number");
    StoredLeaves leaves(tx, exported.number);
    Checkpoint before;
    Bytes32 hash_before{};
    while (auto const* row = rows.next()) {
        Checkpoint const checkpoint = checkpoint_of(*row);
        auto const require = [&checkpoint](bool holds, std::string const& what) {
            if (holds) return;
            throw Differs("checkpoint " + std::to_string(checkpoint.number) + " in the database " +
                          what);
        };
        require(checkpoint.number == before.number + 1,
                "follows number " + std::to_string(before.number));
        require(checkpoint.previous_hash == hash_before,
                "does not hold the hash of the one before it");
        Bytes32 const hash = hash_of(checkpoint);
        require(bytes_of<32>((*row)["hash"]) == hash, "has another hash than what it says gives");
        auto const checked = check_checkpoint(checkpoint);
        require(checked.has_value(), checked ? "" : to_string(checked.error()));
        require(keys.contains(checkpoint.public_key), "is signed by a key that is not published");
        MerkleTree const tree = leaves.tree_of(checkpoint.number);
        require(tree.size() == checkpoint.journal_count && tree.root() == checkpoint.root,
                "has other journals than those that were signed");
        before = checkpoint;
        hash_before = hash;
        ++result.checkpoints;
    }
    if (before == exported) return;
    throw Differs(before.number < exported.number
                      ? "checkpoint " + std::to_string(exported.number) +
                            " is not in the database, which ends at " +
                            std::to_string(before.number)
                      : "checkpoint " + std::to_string(exported.number) +
                            " in the database is not the exported one");
}

}  // namespace

Task<CheckpointVerifyResult> verify_checkpoint(Database& database, CheckpointExport exported) {
    auto work = [&exported](SnapshotTransaction& tx) {
        read_all_there_is(tx);
        require_all_present(tx);
        CheckpointVerifyResult result;
        try {
            // The records first: whoever rewrote a journal may have made checkpoints of it anew,
            // and it is the journal that shall be named.
            compare_records(tx, exported, result);
            compare_checkpoints(tx, exported.checkpoint, result);
        } catch (Differs const& difference) {
            result.first_wrong = difference.what();
        }
        return result;
    };
    co_return co_await transact<SnapshotTransaction>(database, work);
}

}  // namespace sycee
