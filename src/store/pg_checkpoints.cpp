#include <sycee/base/assert.hpp>
#include <sycee/store/pg_checkpoints.hpp>

#include "book_writer.hpp"
#include "bulk_copy.hpp"
#include "checkpoint_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <stdexcept>

namespace sycee {
namespace {

using MakingTransaction = pqxx::transaction<pqxx::repeatable_read>;

// One process at a time; an arbitrary number that nothing else uses.
constexpr char const* kMakingLock = "SELECT pg_try_advisory_xact_lock(5910735)";

constexpr auto kIntervalColumns =
    std::to_array<char const*>({"merchant_id", "chain_id", "last_seq", "first_seq",
                                "checkpoint_number", "leaf_index", "head", "root", "part_roots"});

std::optional<Checkpoint> newest_checkpoint(pqxx::transaction_base& tx) {
    auto const rows = tx.exec("SELECT " + checkpoint_columns() +
                              " FROM checkpoints c ORDER BY c.number DESC LIMIT 1");
    if (rows.empty()) return std::nullopt;
    return checkpoint_of(rows[0]);
}

void require_in_use(pqxx::transaction_base& tx, CompressedPublicKey const& key) {
    auto const rows =
        tx.exec_params("SELECT 1 FROM signing_keys WHERE public_key = $1 AND retired_at IS NULL",
                       to_sql(ByteView(key)));
    if (!rows.empty()) return;
    throw std::runtime_error("the signing key " + to_hex(key) +
                             " is not the one in use: `sycee signing-key new` makes one");
}

struct NewInterval {
    JournalInterval interval;
    std::vector<std::uint8_t> part_roots;
};

// The journals that have moved since their newest interval, with every record's hash. `since`: only
// what was booked after that, where there is such a time.
std::string moved_records(std::optional<Timestamp> since) {
    std::string const condition =
        since ? "WHERE booked_at >= " + timestamp_literal(*since) : std::string();
    return "SELECT h.merchant_id, h.chain_id, coalesce(i.last_seq, 0) AS before, h.seq AS last_seq,"
           " h.hash AS head, r.seq, r.hash FROM journal_heads h"
           " LEFT JOIN LATERAL (SELECT j.last_seq FROM checkpoint_journals j"
           "  WHERE (j.merchant_id, j.chain_id) = (h.merchant_id, h.chain_id)"
           "  ORDER BY j.last_seq DESC LIMIT 1) i ON true"
           " LEFT JOIN (" +
           select_record_hashes(condition) +
           ") r ON r.merchant_id = h.merchant_id AND r.chain_id = h.chain_id"
           "  AND r.seq > coalesce(i.last_seq, 0) AND r.seq <= h.seq"
           " WHERE h.seq > coalesce(i.last_seq, 0) ORDER BY 1, 2, r.seq";
}

// Reads the intervals one record after the other. Nothing where a journal is not whole.
std::optional<std::vector<NewInterval>> read_intervals(QueryStream records) {
    std::vector<NewInterval> intervals;
    PartedTree tree;
    std::uint64_t read_to = 0;
    auto const is_whole = [&] {
        return intervals.empty() || read_to == intervals.back().interval.last_sequence;
    };
    while (auto const* row = records.next()) {
        auto const merchant_id = id_of<MerchantTag>((*row)["merchant_id"]);
        ChainId const chain_id = number_of((*row)["chain_id"]);
        bool const goes_on = !intervals.empty() &&
                             intervals.back().interval.merchant_id == merchant_id &&
                             intervals.back().interval.chain_id == chain_id;
        if (!goes_on) {
            if (!is_whole()) return std::nullopt;
            read_to = number_of((*row)["before"]);
            tree = {};
            intervals.push_back({{.merchant_id = merchant_id,
                                  .chain_id = chain_id,
                                  .first_sequence = read_to + 1,
                                  .last_sequence = number_of((*row)["last_seq"]),
                                  .head = bytes_of<32>((*row)["head"])},
                                 {}});
        }
        if ((*row)["seq"].is_null() || number_of((*row)["seq"]) != read_to + 1) return std::nullopt;
        Bytes32 const hash = bytes_of<32>((*row)["hash"]);
        tree.add(interval_leaf(hash));
        ++read_to;
        NewInterval& current = intervals.back();
        if (read_to < current.interval.last_sequence) continue;
        if (hash != current.interval.head) return std::nullopt;
        auto roots = tree.roots();
        current.interval.root = roots.root;
        current.part_roots = std::move(roots.parts);
    }
    if (!is_whole()) return std::nullopt;
    return intervals;
}

// What was booked after the newest checkpoint has a later time, but for clocks that differ or were
// set back: where a record is missing so, all are looked through.
std::vector<NewInterval> new_intervals(pqxx::transaction_base& tx,
                                       std::optional<Checkpoint> const& newest) {
    if (newest) {
        auto const since = newest->made_at - std::chrono::hours(1);
        auto intervals = read_intervals({tx, "lately", moved_records(since)});
        if (intervals) return std::move(*intervals);
    }
    auto intervals = read_intervals({tx, "ever", moved_records(std::nullopt)});
    if (intervals) return std::move(*intervals);
    throw std::runtime_error(
        "a journal is not whole, so that no checkpoint is made of it: `sycee verify` names the "
        "row");
}

void insert_checkpoint(pqxx::transaction_base& tx, Checkpoint const& checkpoint,
                       std::vector<NewInterval> const& intervals,
                       std::vector<std::uint8_t> const& part_roots) {
    tx.exec_params(
        "INSERT INTO checkpoints VALUES ($1, to_timestamp($2::bigint / 1000.0), $3, $4,"
        " $5, $6, $7, $8, $9)",
        checkpoint.number, to_sql(checkpoint.made_at), to_sql(ByteView(checkpoint.previous_hash)),
        to_sql(ByteView(hash_of(checkpoint))), checkpoint.journal_count,
        to_sql(ByteView(checkpoint.root)), to_sql(ByteView(part_roots)),
        to_sql(ByteView(checkpoint.public_key)), to_sql(ByteView(checkpoint.signature)));
    BulkCopy<kIntervalColumns> rows("checkpoint_journals");
    std::uint64_t index = 0;
    for (auto const& [interval, parts] : intervals) {
        rows.row(interval.merchant_id, interval.chain_id, interval.last_sequence,
                 interval.first_sequence, checkpoint.number, index++, ByteView(interval.head),
                 ByteView(interval.root), ByteView(parts));
    }
    rows.run(tx);
}

Checkpoint make_checkpoint(pqxx::transaction_base& tx, SigningKey const& key, Timestamp now) {
    read_all_there_is(tx);
    require_in_use(tx, key.public_key());
    auto const newest = newest_checkpoint(tx);
    auto const intervals = new_intervals(tx, newest);
    PartedTree tree;
    for (NewInterval const& one : intervals)
        tree.add(checkpoint_leaf(one.interval));
    auto const roots = tree.roots();
    Checkpoint checkpoint{
        .number = 1, .made_at = now, .journal_count = intervals.size(), .root = roots.root};
    if (newest) {
        checkpoint.number = newest->number + 1;
        checkpoint.made_at = std::max(now, newest->made_at);
        checkpoint.previous_hash = hash_of(*newest);
    }
    sign(checkpoint, key);
    insert_checkpoint(tx, checkpoint, intervals, roots.parts);
    return checkpoint;
}

}  // namespace

Task<Checkpoint> PgCheckpoints::make(SigningKey key, Timestamp now) {
    auto work = [&key, now](MakingTransaction& tx) {
        constexpr char const* kAnother = "another process makes a checkpoint at this moment";
        if (!tx.exec(kMakingLock)[0][0].as<bool>()) throw Unavailable(kAnother);
        try {
            return make_checkpoint(tx, key, now);
        } catch (pqxx::unique_violation const&) {
            // Its commit came between our first look and the lock.
            throw Unavailable(kAnother);
        }
    };
    co_return co_await transact<MakingTransaction>(database_, work);
}

Task<std::optional<Checkpoint>> PgCheckpoints::newest() {
    auto work = [](SnapshotTransaction& tx) { return newest_checkpoint(tx); };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<void> PgCheckpoints::add_signing_key(CompressedPublicKey key, Timestamp now) {
    auto work = [&key, now](pqxx::work& tx) {
        tx.exec_params(
            "UPDATE signing_keys SET retired_at = greatest(created_at,"
            " to_timestamp($1::bigint / 1000.0)) WHERE retired_at IS NULL",
            to_sql(now));
        tx.exec_params(
            "INSERT INTO signing_keys (public_key, created_at)"
            " VALUES ($1, to_timestamp($2::bigint / 1000.0))",
            to_sql(ByteView(key)), to_sql(now));
    };
    co_await transact(database_, work);
}

Task<std::optional<CheckpointExport>> PgCheckpoints::load_export(std::uint64_t number) {
    auto work = [number](SnapshotTransaction& tx) -> std::optional<CheckpointExport> {
        read_all_there_is(tx);
        auto const found = tx.exec_params(
            "SELECT " + checkpoint_columns() + " FROM checkpoints c WHERE c.number = $1", number);
        if (found.empty()) return std::nullopt;
        CheckpointExport exported{.checkpoint = checkpoint_of(found[0])};
        for (auto const& row : tx.exec_params(
                 "SELECT DISTINCT ON (merchant_id, chain_id) merchant_id, chain_id, first_seq,"
                 " last_seq, checkpoint_number, head, root FROM checkpoint_journals"
                 " WHERE checkpoint_number <= $1 ORDER BY merchant_id, chain_id, last_seq DESC",
                 number)) {
            auto const merchant_id = id_of<MerchantTag>(row["merchant_id"]);
            ChainId const chain_id = number_of(row["chain_id"]);
            std::uint64_t const last = number_of(row["last_seq"]);
            Bytes32 const head = bytes_of<32>(row["head"]);
            if (number_of(row["checkpoint_number"]) == number) {
                exported.intervals.push_back({merchant_id, chain_id, number_of(row["first_seq"]),
                                              last, head, bytes_of<32>(row["root"])});
            } else {
                exported.heads.push_back({merchant_id, chain_id, last, head});
            }
        }
        return exported;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
