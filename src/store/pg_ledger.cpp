#include <sycee/base/assert.hpp>
#include <sycee/store/pg_ledger.hpp>

#include "bulk_insert.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sycee {
namespace {

std::string to_timestamp(Timestamp time) {
    return "to_timestamp(" + to_sql(time) + " / 1000.0)";
}

void move_cursor(pqxx::work& tx, ChainCommit const& commit, BlockHeader const& head) {
    auto const moved = tx.exec_params(
        "UPDATE chain_cursors SET head_number = $4, head_hash = $5, finalized_number = $6,"
        " processed_at = " +
            to_timestamp(commit.now) + ", stopped_reason = NULL" +
            (commit.rolled_back_to
                 ? ", last_reorg_at = " + to_timestamp(commit.now) +
                       ", last_reorg_depth = " + std::to_string(commit.reorg_depth)
                 : "") +
            " WHERE chain_id = $1 AND head_number = $2 AND head_hash = $3",
        commit.chain_id, commit.expected_head.number, to_sql(ByteView(commit.expected_head.hash)),
        head.number, to_sql(ByteView(head.hash)), commit.finalized);
    // Not an invariant of the books: another process may have gone on with this chain meanwhile.
    if (moved.affected_rows() != 1) {
        throw Unavailable("the cursor of chain " + std::to_string(commit.chain_id) +
                          " is not where it was: another process follows this chain");
    }
}

void write_blocks(pqxx::work& tx, ChainCommit const& commit) {
    if (commit.rolled_back_to) {
        tx.exec_params("DELETE FROM chain_blocks WHERE chain_id = $1 AND number > $2",
                       commit.chain_id, *commit.rolled_back_to);
    }
    BulkInsert blocks("chain_blocks", {{"chain_id", "bigint"},
                                       {"number", "bigint"},
                                       {"hash", "bytea"},
                                       {"parent_hash", "bytea"},
                                       {"block_time", "time"}});
    for (BlockHeader const& header : commit.added) {
        blocks.row(commit.chain_id, header.number, ByteView(header.hash),
                   ByteView(header.parent_hash), header.time);
    }
    blocks.run(tx);
    tx.exec_params("DELETE FROM chain_blocks WHERE chain_id = $1 AND number < $2", commit.chain_id,
                   commit.finalized);
}

// In the order of the merchants, as every writer does, so that two can't lock each other out.
void move_heads(pqxx::work& tx, ChainCommit const& commit) {
    if (commit.heads.empty()) return;
    std::map<MerchantId, std::uint64_t> batches;
    for (JournalEntry const& entry : commit.entries) {
        if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
            batches[entry.merchant_id] = batch->batch_number;
        }
    }
    auto heads = commit.heads;
    std::sort(heads.begin(), heads.end(),
              [](HeadMove const& a, HeadMove const& b) { return a.merchant_id < b.merchant_id; });
    std::vector<PgArray> arrays(6);
    BulkInsert first(
        "journal_heads",
        {{"merchant_id", "uuid"}, {"chain_id", "bigint"}, {"seq", "bigint"}, {"hash", "bytea"}});
    for (HeadMove const& head : heads) {
        first.row(head.merchant_id, commit.chain_id, 0, ByteView(Bytes32{}));
        arrays[0].add(head.merchant_id);
        arrays[1].add(head.from.sequence);
        arrays[2].add(ByteView(head.from.hash));
        arrays[3].add(head.to.sequence);
        arrays[4].add(ByteView(head.to.hash));
        arrays[5].add(batches[head.merchant_id]);
    }
    first.run(tx, "ON CONFLICT DO NOTHING");
    auto const moved = exec_arrays(tx,
                                   "UPDATE journal_heads h SET seq = to_seq, hash = to_hash,"
                                   " last_batch_number = greatest(h.last_batch_number, batch)"
                                   " FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], "
                                   "$4::bigint[], $5::bytea[], $6::bigint[])"
                                   " AS m(merchant_id, from_seq, from_hash, to_seq, to_hash, batch)"
                                   " WHERE h.merchant_id = m.merchant_id AND h.chain_id = " +
                                       std::to_string(commit.chain_id) +
                                       " AND h.seq = from_seq AND h.hash = from_hash",
                                   arrays);
    if (moved.affected_rows() != heads.size()) {
        throw Unavailable("a journal of chain " + std::to_string(commit.chain_id) +
                          " has moved meanwhile");
    }
}

// Which live rows a batch of entries adds and takes away.
class LiveRows {
  public:
    LiveRows(std::string_view table, std::string_view sequence_column)
        : table_(table),
          sequence_column_(sequence_column),
          inserts_(table, {{"merchant_id", "uuid"},
                           {"chain_id", "bigint"},
                           {"tx_hash", "bytea"},
                           {"token", "bytea"},
                           {"ordinal", "integer"},
                           {sequence_column, "bigint"}}) {}

    void add(JournalEntry const& entry, Transfer const& transfer) {
        inserts_.row(entry.merchant_id, entry.chain_id, ByteView(transfer.key.transaction_hash),
                     transfer.key.token, transfer.key.ordinal, entry.sequence);
    }
    void remove(JournalEntry const& entry, Reversal const& reversal) {
        merchants_.add(entry.merchant_id);
        sequences_.add(reversal.reversed_sequence);
        ++removals_;
    }
    // Exactly one row for each reversal, or nothing at all is written.
    void run(pqxx::work& tx, ChainId chain_id) const {
        if (removals_ != 0) {
            auto const gone =
                exec_arrays(tx,
                            "DELETE FROM " + std::string(table_) +
                                " l USING unnest($1::uuid[], $2::bigint[]) AS g(merchant_id, seq)"
                                " WHERE l.merchant_id = g.merchant_id AND l.chain_id = " +
                                std::to_string(chain_id) + " AND l." +
                                std::string(sequence_column_) + " = g.seq",
                            {merchants_, sequences_});
            ensure(gone.affected_rows() == removals_,
                   "one transfer, one credit: a reversal found no row in " + std::string(table_));
        }
        inserts_.run(tx);
    }

  private:
    std::string_view table_;
    std::string_view sequence_column_;
    BulkInsert inserts_;
    PgArray merchants_;
    PgArray sequences_;
    std::size_t removals_ = 0;
};

void update_live_rows(pqxx::work& tx, ChainCommit const& commit) {
    LiveRows credits("live_credits", "authorization_seq");
    LiveRows withdrawals("live_withdrawals", "withdrawal_seq");
    for (JournalEntry const& entry : commit.entries) {
        if (auto const* record = std::get_if<Authorization>(&entry.record)) {
            credits.add(entry, record->transfer);
        } else if (auto const* out = std::get_if<Withdrawal>(&entry.record)) {
            withdrawals.add(entry, out->transfer);
        } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
            if (reversal->reversed_kind == RecordKind::authorization) {
                credits.remove(entry, *reversal);
            } else if (reversal->reversed_kind == RecordKind::withdrawal) {
                withdrawals.remove(entry, *reversal);
            }
        }
    }
    credits.run(tx, commit.chain_id);
    withdrawals.run(tx, commit.chain_id);
}

struct Movement {
    Amount up;
    Amount down;
};

// One row an account, however many postings moved it. The database refuses a balance below zero.
void update_balances(pqxx::work& tx, ChainCommit const& commit) {
    std::map<std::tuple<MerchantId, Bytes20, Account>, Movement> movements;
    for (JournalEntry const& entry : commit.entries) {
        for (Posting const& posting : postings_of(entry.record)) {
            auto& debit = movements[{entry.merchant_id, posting.token, posting.debit}];
            (is_debit_account(posting.debit) ? debit.up : debit.down) += posting.amount;
            auto& credit = movements[{entry.merchant_id, posting.token, posting.credit}];
            (is_debit_account(posting.credit) ? credit.down : credit.up) += posting.amount;
        }
    }
    if (movements.empty()) return;
    std::vector<PgArray> arrays(5);
    BulkInsert first("account_balances", {{"merchant_id", "uuid"},
                                          {"chain_id", "bigint"},
                                          {"token", "bytea"},
                                          {"account", "ledger_account"},
                                          {"balance", "numeric"}});
    for (auto const& [key, movement] : movements) {
        auto const& [merchant_id, token, account] = key;
        first.row(merchant_id, commit.chain_id, ByteView(token), to_string(account), 0);
        arrays[0].add(merchant_id);
        arrays[1].add(ByteView(token));
        arrays[2].add(to_string(account));
        arrays[3].add(movement.up);
        arrays[4].add(movement.down);
    }
    first.run(tx, "ON CONFLICT DO NOTHING");
    auto const moved = exec_arrays(
        tx,
        "UPDATE account_balances b SET balance = b.balance + m.up - m.down"
        " FROM unnest($1::uuid[], $2::bytea[], $3::ledger_account[], $4::numeric[], $5::numeric[])"
        " AS m(merchant_id, token, account, up, down)"
        " WHERE b.merchant_id = m.merchant_id AND b.chain_id = " +
            std::to_string(commit.chain_id) + " AND b.token = m.token AND b.account = m.account",
        arrays);
    ensure(moved.affected_rows() == movements.size(), "store: an account has no balance row");
}

// Due at once where the merchant has a webhook; kept all the same where it has none.
void write_events(pqxx::work& tx, ChainCommit const& commit) {
    if (commit.events.empty()) return;
    std::vector<PgArray> arrays(6);
    for (OutboxEvent const& event : commit.events) {
        arrays[0].add(event.merchant_id);
        arrays[1].add(event.id);
        arrays[2].add(event.payment_id);
        arrays[3].add(event.type);
        arrays[4].add(event.payload);
        arrays[5].add(event.created_at);
    }
    auto const written = exec_arrays(
        tx,
        "INSERT INTO outbox_events"
        " (merchant_id, event_id, payment_id, type, payload, created_at, next_attempt_at)"
        " SELECT merchant_id, event_id, payment_id, type, payload, to_timestamp(created / 1000.0),"
        " CASE WHEN m.webhook_url IS NOT NULL THEN to_timestamp(created / 1000.0) END"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[])"
        " AS e(merchant_id, event_id, payment_id, type, payload, created)"
        " JOIN merchants m USING (merchant_id)",
        arrays);
    ensure(written.affected_rows() == commit.events.size(), "outbox: an event was not written");
}

void check_entries(ChainCommit const& commit) {
    for (JournalEntry const& entry : commit.entries) {
        ensure(entry.chain_id == commit.chain_id, "store: an entry of another chain in a commit");
        ensure(entry.hash == hash_of(entry), "store: an entry's hash is not its own");
    }
}

void write(pqxx::work& tx, ChainCommit const& commit, BlockHeader const& head) {
    move_cursor(tx, commit, head);
    write_blocks(tx, commit);
    move_heads(tx, commit);
    insert_entries(tx, commit.entries);
    update_live_rows(tx, commit);
    update_balances(tx, commit);
    write_events(tx, commit);
}

std::vector<PaymentKey> open_keys(pqxx::work& tx, ChainId chain_id) {
    std::vector<PaymentKey> keys;
    auto const rows = tx.exec_params(
        "SELECT DISTINCT a.merchant_id, a.payment_id FROM live_credits l"
        " JOIN chain_cursors h ON h.chain_id = l.chain_id"
        " JOIN authorizations a ON (a.merchant_id, a.chain_id, a.seq)"
        "   = (l.merchant_id, l.chain_id, l.authorization_seq)"
        " LEFT JOIN settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
        "   = (l.merchant_id, l.chain_id, l.authorization_seq)"
        " LEFT JOIN unapplied_receipts u ON (u.merchant_id, u.chain_id, u.authorization_seq)"
        "   = (l.merchant_id, l.chain_id, l.authorization_seq)"
        " WHERE l.chain_id = $1 AND (a.block_number > h.finalized_number"
        "   OR (s.seq IS NULL AND u.seq IS NULL))"
        " UNION SELECT w.merchant_id, w.payment_id FROM live_withdrawals l"
        " JOIN chain_cursors h ON h.chain_id = l.chain_id"
        " JOIN withdrawals w ON (w.merchant_id, w.chain_id, w.seq)"
        "   = (l.merchant_id, l.chain_id, l.withdrawal_seq)"
        " WHERE l.chain_id = $1 AND w.block_number > h.finalized_number",
        chain_id);
    for (auto const& row : rows) {
        keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
    }
    return keys;
}

std::vector<MerchantView> views_of(pqxx::work& tx, ChainId chain_id,
                                   std::vector<PaymentKey> const& keys) {
    std::map<MerchantId, MerchantView> views;
    for (PaymentState& state : load_payment_states(tx, keys)) {
        views[state.payment.merchant_id].payments.push_back(std::move(state));
    }
    PgArray merchants;
    for (auto const& [merchant_id, view] : views)
        merchants.add(merchant_id);
    auto const rows = tx.exec_params(
        "SELECT m.merchant_id, m.fee_basis_points, h.seq, h.hash, h.last_batch_number FROM "
        "merchants m"
        " LEFT JOIN journal_heads h ON h.merchant_id = m.merchant_id AND h.chain_id = $2"
        " WHERE m.merchant_id = ANY($1::uuid[])",
        merchants.str(), chain_id);
    for (auto const& row : rows) {
        MerchantView& view = views.at(id_of<MerchantTag>(row["merchant_id"]));
        view.merchant_id = id_of<MerchantTag>(row["merchant_id"]);
        view.fee_basis_points = row["fee_basis_points"].as<std::uint32_t>();
        if (row["seq"].is_null()) continue;
        view.head = {number_of(row["seq"]), bytes_of<32>(row["hash"])};
        view.last_batch_number = number_of(row["last_batch_number"]);
    }
    std::vector<MerchantView> result;
    for (auto& [merchant_id, view] : views)
        result.push_back(std::move(view));
    return result;
}

}  // namespace

Task<std::optional<FollowedChain>> PgLedger::load_chain(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) -> std::optional<FollowedChain> {
        auto const cursor = tx.exec_params(
            "SELECT finalized_number FROM chain_cursors WHERE chain_id = $1", chain_id);
        if (cursor.empty()) return std::nullopt;
        FollowedChain chain;
        chain.finalized = number_of(cursor[0][0]);
        auto const rows =
            tx.exec_params("SELECT number, hash, parent_hash, " + time_column("block_time") +
                               " FROM chain_blocks WHERE chain_id = $1 ORDER BY number",
                           chain_id);
        for (auto const& row : rows) {
            chain.headers.push_back({number_of(row["number"]), bytes_of<32>(row["hash"]),
                                     bytes_of<32>(row["parent_hash"]), time_of(row["block_time"])});
        }
        return chain;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::begin_chain(ChainId chain_id, BlockHeader header, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "INSERT INTO chain_cursors (chain_id, head_number, head_hash, finalized_number, "
            "processed_at)"
            " VALUES ($1, $2, $3, $2, " +
                to_timestamp(now) + ")",
            chain_id, header.number, to_sql(ByteView(header.hash)));
        BulkInsert block("chain_blocks", {{"chain_id", "bigint"},
                                          {"number", "bigint"},
                                          {"hash", "bytea"},
                                          {"parent_hash", "bytea"},
                                          {"block_time", "time"}});
        block.row(chain_id, header.number, ByteView(header.hash), ByteView(header.parent_hash),
                  header.time);
        block.run(tx);
    };
    co_await transact(database_, work);
}

Task<std::vector<PaymentState>> PgLedger::load_open(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) {
        return load_payment_states(tx, open_keys(tx, chain_id));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<MerchantView>> PgLedger::load_views(ChainId chain_id,
                                                     std::vector<PaymentKey> payments) {
    auto work = [&](pqxx::work& tx) { return views_of(tx, chain_id, payments); };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::commit(ChainCommit commit) {
    BlockHeader head = commit.expected_head;
    check_entries(commit);
    auto work = [&](pqxx::work& tx) {
        if (!commit.added.empty()) {
            head = commit.added.back();
        } else if (commit.rolled_back_to) {
            auto const row =
                tx.exec_params1("SELECT hash FROM chain_blocks WHERE chain_id = $1 AND number = $2",
                                commit.chain_id, *commit.rolled_back_to);
            head.number = *commit.rolled_back_to;
            head.hash = bytes_of<32>(row[0]);
        }
        write(tx, commit, head);
    };
    co_await transact(database_, work);
}

Task<void> PgLedger::record_stop(ChainId chain_id, std::string reason) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params("UPDATE chain_cursors SET stopped_reason = $2 WHERE chain_id = $1", chain_id,
                       reason);
    };
    co_await transact(database_, work);
}

}  // namespace sycee
