#include <sycee/base/assert.hpp>
#include <sycee/store/pg_ledger.hpp>

#include "book_writer.hpp"
#include "bulk_copy.hpp"
#include "bulk_insert.hpp"
#include "fee_rows.hpp"
#include "payment_rows.hpp"
#include "planned.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sycee {
namespace {

constexpr BlockNumber kKeptBelowFinal = 4'096;  // headers, for a repair
constexpr std::size_t kMostAddressesAtOnce = 10'000;
constexpr int kMostRuleAttempts = 10;
// What a start reads may be long; nothing waits for it. Compiling these statements, whose rows are
// guessed to be many, takes longer than most runs of them.
constexpr char const* kNoHurry = "SET LOCAL statement_timeout = '10min'; SET LOCAL jit = off";

// Locked to the end of the transaction: nobody takes the lease while its holder writes. A holder
// that slept past its end may still write as long as nobody took the lease since, itself included.
void check_lease(pqxx::work& tx, ChainId chain_id, std::uint64_t token) {
    auto const held =
        exec_planned(tx, "SELECT 1 FROM chain_leases WHERE chain_id = $1 AND token = $2 FOR SHARE",
                     chain_id, token);
    if (held.empty()) {
        throw Unavailable("lease lost: another process follows chain " + std::to_string(chain_id));
    }
}

constexpr char const* kBlockColumns = "number, hash, parent_hash, logs_digest, ";

std::vector<ProcessedBlock> blocks_of(pqxx::result const& rows) {
    std::vector<ProcessedBlock> blocks;
    for (auto const& row : rows) {
        BlockHeader const header{number_of(row["number"]), bytes_of<32>(row["hash"]),
                                 bytes_of<32>(row["parent_hash"]), time_of(row["block_time"])};
        blocks.push_back({header, bytes_of<32>(row["logs_digest"])});
    }
    return blocks;
}

void write_repair(pqxx::work& tx, ChainCommit const& commit) {
    tx.exec_params(
        "INSERT INTO chain_repairs (chain_id, repaired_at, ancestor, from_head, from_finalized,"
        " ordered_by, approved_by, reason) VALUES ($1, " +
            timestamp_literal(commit.now) + ", $2, $3, $4, $5, $6, $7)",
        commit.chain_id, commit.finalized, commit.repair->from_head, commit.repair->from_finalized,
        commit.repair->ordered_by, commit.repair->approved_by, commit.repair->reason);
}

void move_cursor(pqxx::work& tx, ChainCommit const& commit, BlockHeader const& head) {
    auto const moved = tx.exec_params(
        "UPDATE chain_cursors SET head_number = $4, head_hash = $5, finalized_number = $6,"
        " agreed_number = $7, oldest_open = $8, processed_at = " +
            timestamp_literal(commit.now) + ", stopped_reason = NULL" +
            (commit.rolled_back_to
                 ? ", last_reorg_at = " + timestamp_literal(commit.now) +
                       ", last_reorg_depth = " + std::to_string(commit.reorg_depth)
                 : "") +
            " WHERE chain_id = $1 AND head_number = $2 AND head_hash = $3",
        commit.chain_id, commit.expected_head.number, to_sql(ByteView(commit.expected_head.hash)),
        head.number, to_sql(ByteView(head.hash)), commit.finalized, commit.agreed,
        commit.oldest_open);
    // Not an invariant of the books: another process may have gone on with this chain meanwhile.
    if (moved.affected_rows() != 1) {
        throw Unavailable("the cursor of chain " + std::to_string(commit.chain_id) +
                          " is not where it was: another process follows this chain");
    }
}

constexpr auto kBlocks = std::to_array<char const*>(
    {"chain_id", "number", "hash", "parent_hash", "block_time", "logs_digest"});

void insert_blocks(pqxx::work& tx, ChainId chain_id, std::vector<ProcessedBlock> const& added) {
    BulkCopy<kBlocks> blocks("chain_blocks");
    for (ProcessedBlock const& block : added) {
        blocks.row(chain_id, block.header.number, ByteView(block.header.hash),
                   ByteView(block.header.parent_hash), block.header.time,
                   ByteView(block.logs_digest));
    }
    blocks.run(tx);
}

void write_blocks(pqxx::work& tx, ChainCommit const& commit) {
    if (commit.rolled_back_to) {
        tx.exec_params("DELETE FROM chain_blocks WHERE chain_id = $1 AND number > $2",
                       commit.chain_id, *commit.rolled_back_to);
    }
    insert_blocks(tx, commit.chain_id, commit.added);
    if (commit.finalized > kKeptBelowFinal) {
        tx.exec_params("DELETE FROM chain_blocks WHERE chain_id = $1 AND number < $2",
                       commit.chain_id, commit.finalized - kKeptBelowFinal);
    }
}

constexpr auto kLiveCredits = std::to_array<char const*>(
    {"merchant_id", "chain_id", "tx_hash", "token", "ordinal", "authorization_seq"});
constexpr auto kLiveWithdrawals = std::to_array<char const*>(
    {"merchant_id", "chain_id", "tx_hash", "token", "ordinal", "withdrawal_seq"});

// Which live rows a batch of entries adds and takes away.
template <auto const& columns>
class LiveRows {
  public:
    explicit LiveRows(char const* table) : table_(table), inserts_(table) {}

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
                                std::to_string(chain_id) + " AND l." + columns.back() + " = g.seq",
                            {merchants_, sequences_});
            ensure(gone.affected_rows() == removals_,
                   "one transfer, one credit: a reversal found no row in " + std::string(table_));
        }
        inserts_.run(tx);
    }

  private:
    std::string_view table_;
    BulkCopy<columns> inserts_;
    PgArray merchants_;
    PgArray sequences_;
    std::size_t removals_ = 0;
};

void update_live_rows(pqxx::work& tx, ChainCommit const& commit) {
    LiveRows<kLiveCredits> credits("live_credits");
    LiveRows<kLiveWithdrawals> withdrawals("live_withdrawals");
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

void set_sequences(std::vector<OutboxEvent>& events, std::vector<std::uint64_t> const& sequences) {
    for (std::size_t i = 0; i < events.size(); ++i)
        events[i].sequence = sequences[i];
}

void write(pqxx::work& tx, ChainCommit& commit, BlockHeader const& head) {
    move_cursor(tx, commit, head);
    write_blocks(tx, commit);
    move_heads(tx, commit.chain_id, commit.heads, commit.entries);
    insert_entries(tx, commit.entries);
    update_live_rows(tx, commit);
    update_balances(tx, commit.chain_id, commit.entries);
    set_sequences(commit.events, write_events(tx, commit.events, MakeDeliveries::now));
}

// Where the head stands after the commit.
BlockHeader head_after(pqxx::work& tx, ChainCommit const& commit) {
    if (!commit.added.empty()) return commit.added.back().header;
    BlockHeader head = commit.expected_head;
    if (!commit.rolled_back_to) return head;
    auto const rows =
        tx.exec_params("SELECT hash FROM chain_blocks WHERE chain_id = $1 AND number = $2",
                       commit.chain_id, *commit.rolled_back_to);
    ensure(!rows.empty(), "store: the block that a reorg goes back to is not there");
    head.number = *commit.rolled_back_to;
    head.hash = bytes_of<32>(rows[0][0]);
    return head;
}

// From the oldest block with anything to do, whatever lies below.
std::vector<PaymentKey> open_keys(pqxx::work& tx, ChainId chain_id) {
    auto const cursor = tx.exec_params(
        "SELECT oldest_open, finalized_number FROM chain_cursors WHERE chain_id = $1", chain_id);
    if (cursor.empty()) return {};
    std::vector<PaymentKey> keys;
    auto const rows = tx.exec_params(
        "SELECT a.merchant_id, a.payment_id FROM authorizations a"
        " JOIN live_credits l"
        "   ON (l.merchant_id, l.chain_id, l.tx_hash, l.token, l.ordinal, l.authorization_seq)"
        "   = (a.merchant_id, a.chain_id, a.tx_hash, a.token, a.ordinal, a.seq)"
        " LEFT JOIN settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
        "   = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
        " LEFT JOIN unapplied_receipts u ON (u.merchant_id, u.chain_id, u.authorization_seq)"
        "   = (a.merchant_id, a.chain_id, a.seq) AND u.payment_id = a.payment_id"
        " WHERE a.chain_id = $1 AND a.block_number >= $2 AND (a.block_number > $3"
        "   OR (s.seq IS NULL AND u.seq IS NULL))"
        " UNION SELECT w.merchant_id, w.payment_id FROM withdrawals w"
        " JOIN live_withdrawals l"
        "   ON (l.merchant_id, l.chain_id, l.tx_hash, l.token, l.ordinal, l.withdrawal_seq)"
        "   = (w.merchant_id, w.chain_id, w.tx_hash, w.token, w.ordinal, w.seq)"
        " WHERE w.chain_id = $1 AND w.block_number >= $2 AND w.block_number > $3",
        chain_id, number_of(cursor[0][0]), number_of(cursor[0][1]));
    for (auto const& row : rows) {
        keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
    }
    return keys;
}

// A merchant, and of up to a thousand payments each of their indexes, addresses and expiries.
void append_addresses(std::vector<NewAddress>& addresses, pqxx::row const& row) {
    if (row[1].is_null()) return;
    auto const merchant_id = id_of<MerchantTag>(row[0]);
    auto const indexes = numbers_of(row[1]);
    auto const bytes = byte_vector_of(row[2]);
    auto const expiries = numbers_of(row[3]);
    constexpr std::size_t kLength = 20;
    ensure(bytes.size() == indexes.size() * kLength && expiries.size() == indexes.size(),
           "store: a deposit address has another length");
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        NewAddress& added = addresses.emplace_back();
        added.merchant_id = merchant_id;
        added.derivation_index = static_cast<std::uint64_t>(indexes[i]);
        std::copy_n(bytes.data() + i * kLength, kLength, added.address.bytes.begin());
        added.expires_at = Timestamp{std::chrono::milliseconds{expiries[i]}};
    }
}

FinalityRule rule_of(pqxx::row const& row) {
    FinalityRule rule{.version = number_of(row["version"])};
    auto bands = parse_bands(row["bands"].c_str());
    ensure(bands.has_value(), "store: the bands of a finality rule do not parse");
    rule.bands = std::move(*bands);
    if (!row["most_not_final"].is_null()) rule.most_not_final = amount_of(row["most_not_final"]);
    return rule;
}

void insert_rule(pqxx::work& tx, ChainId chain_id, FinalityRule const& rule, Timestamp now) {
    BulkInsert rules("finality_rules", {{"chain_id", "bigint"},
                                        {"version", "bigint"},
                                        {"bands", "text"},
                                        {"most_not_final", "numeric"},
                                        {"created_at", "time"}});
    rules.row(chain_id, rule.version, to_string(rule.bands), rule.most_not_final, now);
    rules.run(tx, "ON CONFLICT DO NOTHING");
}

// Puts the chain's newest version into `rule` where that says the same, and a new one where it does
// not. False where another process stored one meanwhile.
bool take_version(pqxx::work& tx, ChainId chain_id, FinalityRule& rule, Timestamp now) {
    auto const rows = tx.exec_params(
        "SELECT version, bands, most_not_final FROM finality_rules WHERE chain_id = $1"
        " ORDER BY version DESC LIMIT 1",
        chain_id);
    FinalityRule const newest = rows.empty() ? FinalityRule{} : rule_of(rows[0]);
    rule.version = newest.version;
    if (rule == newest) return true;
    rule.version = newest.version + 1;
    insert_rule(tx, chain_id, rule, now);
    return false;
}

void add_journals(MerchantView& view, ChainId chain_id, pqxx::row const& row) {
    ChainId const of_chain = number_of(row["chain_id"]);
    std::uint64_t const sequence = number_of(row["seq"]);
    if (of_chain != chain_id) {
        view.other_journals.emplace(of_chain, sequence);
        return;
    }
    view.head = {sequence, bytes_of<32>(row["hash"])};
    view.last_batch_number = number_of(row["last_batch_number"]);
}

std::vector<MerchantView> views_of(pqxx::transaction_base& tx, ChainId chain_id,
                                   std::vector<PaymentKey> const& keys,
                                   std::vector<MerchantId> const& besides) {
    std::map<MerchantId, MerchantView> views;
    for (MerchantId const& merchant_id : besides)
        views.emplace(merchant_id, MerchantView{});
    for (PaymentState& state : load_payment_states(tx, keys)) {
        views[state.payment.merchant_id].payments.push_back(std::move(state));
    }
    PgArray merchants;
    for (auto const& [merchant_id, view] : views)
        merchants.add(merchant_id);
    for (auto const& row :
         exec_planned(tx,
                      "SELECT m.merchant_id, " + fee_columns() +
                          ", d.payment_id AS frozen"
                          " FROM merchants m" +
                          join_fees("m") +
                          " LEFT JOIN balance_differences d ON d.merchant_id = m.merchant_id"
                          " AND d.chain_id = $2 AND d.closed_at IS NULL"
                          " WHERE m.merchant_id = ANY($1::uuid[])",
                      merchants.str(), chain_id)) {
        MerchantView& view = views.at(id_of<MerchantTag>(row[0]));
        view.merchant_id = id_of<MerchantTag>(row[0]);
        view.fees = fees_of(row);
        if (!row["frozen"].is_null()) view.frozen.insert(id_of<PaymentTag>(row["frozen"]));
    }
    for (auto const& row : exec_planned(tx,
                                        "SELECT merchant_id, chain_id, seq, hash, last_batch_number"
                                        " FROM journal_heads WHERE merchant_id = ANY($1::uuid[])",
                                        merchants.str())) {
        add_journals(views.at(id_of<MerchantTag>(row["merchant_id"])), chain_id, row);
    }
    auto const cleared = exec_planned(
        tx,
        "SELECT merchant_id, token, balance FROM account_balances WHERE merchant_id ="
        " ANY($1::uuid[]) AND chain_id = $2 AND account = 'merchant_cleared' AND balance > 0",
        merchants.str(), chain_id);
    for (auto const& row : cleared) {
        views.at(id_of<MerchantTag>(row[0]))
            .cleared_not_final.emplace_back(address_in(row[1]), amount_of(row[2]));
    }
    std::vector<MerchantView> result;
    for (auto& [merchant_id, view] : views)
        result.push_back(std::move(view));
    return result;
}

}  // namespace

Task<std::optional<Lease>> PgLedger::acquire_lease(ChainId chain_id, std::string holder,
                                                   std::chrono::milliseconds time) {
    auto work = [&](pqxx::work& tx) -> std::optional<Lease> {
        // Only looked at: to lock the row would wait for the holder's commits, and hold them up.
        auto const taken = tx.exec_params(
            "SELECT 1 FROM chain_leases"
            " WHERE chain_id = $1 AND holder <> $2 AND expires_at > clock_timestamp()",
            chain_id, holder);
        if (!taken.empty()) return std::nullopt;
        auto const rows = tx.exec_params(
            "INSERT INTO chain_leases AS l (chain_id, holder, token, expires_at)"
            " VALUES ($1, $2, 1, clock_timestamp() + $3::bigint * interval '1 millisecond')"
            " ON CONFLICT (chain_id) DO UPDATE SET holder = excluded.holder,"
            " token = CASE WHEN l.holder = excluded.holder AND l.expires_at > clock_timestamp()"
            "   THEN l.token ELSE l.token + 1 END,"
            " expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond'"
            " WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()"
            " RETURNING token, greatest(0,"
            "   extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint",
            chain_id, holder, time.count());
        if (rows.empty()) return std::nullopt;
        return Lease{number_of(rows[0][0]),
                     std::chrono::milliseconds(rows[0][1].as<std::int64_t>())};
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::release_lease(ChainId chain_id, Lease lease) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "UPDATE chain_leases SET expires_at = clock_timestamp()"
            " WHERE chain_id = $1 AND token = $2",
            chain_id, lease.token);
    };
    co_await transact(database_, work);
}

Task<FinalityRule> PgLedger::use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) {
    auto const checked = check_rule(rule);
    ensure(checked.has_value(), "store: a finality rule is not one");
    auto work = [&](pqxx::work& tx) {
        for (int attempt = 0; attempt < kMostRuleAttempts; ++attempt) {
            if (take_version(tx, chain_id, rule, now)) return rule;
        }
        throw Unavailable("several processes configure other finality rules for chain " +
                          std::to_string(chain_id));
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<FollowedChain>> PgLedger::load_chain(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) -> std::optional<FollowedChain> {
        auto const rows = tx.exec_params(
            std::string("SELECT finalized_number, ") + kBlockColumns + time_column("block_time") +
                " FROM chain_cursors JOIN chain_blocks USING (chain_id)"
                " WHERE chain_id = $1 AND number >= finalized_number"
                " ORDER BY number",
            chain_id);
        if (rows.empty()) return std::nullopt;
        FollowedChain chain{.finalized = number_of(rows[0]["finalized_number"])};
        chain.blocks = blocks_of(rows);
        return chain;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<ChainProgress>> PgLedger::load_progress(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) -> std::optional<ChainProgress> {
        auto const rows = tx.exec_params(
            "SELECT " + time_column("b.block_time", "head_time") +
                ", c.agreed_number, c.finalized_number, r.version, r.bands, r.most_not_final"
                " FROM chain_cursors c"
                " JOIN chain_blocks b ON (b.chain_id, b.number) = (c.chain_id, c.head_number)"
                " CROSS JOIN LATERAL (SELECT * FROM finality_rules f"
                "  WHERE f.chain_id = c.chain_id ORDER BY version DESC LIMIT 1) r"
                " WHERE c.chain_id = $1",
            chain_id);
        if (rows.empty()) return std::nullopt;
        return ChainProgress{.head_time = time_of(rows[0]["head_time"]),
                             .agreed = number_of(rows[0]["agreed_number"]),
                             .finalized = number_of(rows[0]["finalized_number"]),
                             .rule = rule_of(rows[0])};
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::begin_chain(ChainId chain_id, Lease lease, ProcessedBlock block,
                                 Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        check_lease(tx, chain_id, lease.token);
        auto const begun = tx.exec_params(
            "INSERT INTO chain_cursors (chain_id, head_number, head_hash, finalized_number,"
            " agreed_number, oldest_open, processed_at)"
            " VALUES ($1, $2::bigint, $3, $2::bigint, $2::bigint, $2::bigint + 1, " +
                timestamp_literal(now) + ") ON CONFLICT DO NOTHING",
            chain_id, block.header.number, to_sql(ByteView(block.header.hash)));
        if (begun.affected_rows() != 1) {
            throw Unavailable("another process has begun to follow chain " +
                              std::to_string(chain_id));
        }
        insert_blocks(tx, chain_id, {block});
    };
    co_await transact(database_, work);
}

Task<std::vector<PaymentState>> PgLedger::load_open(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) {
        tx.exec(kNoHurry);
        return load_payment_states(tx, open_keys(tx, chain_id));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<MerchantView>> PgLedger::load_views(ChainId chain_id,
                                                     std::vector<PaymentKey> payments,
                                                     std::vector<MerchantId> merchants) {
    auto work = [&](SnapshotTransaction& tx) {
        return views_of(tx, chain_id, payments, merchants);
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<NewAddress>> PgLedger::load_new_addresses(
    std::vector<std::pair<MerchantId, std::uint64_t>> known) {
    auto work = [&](pqxx::work& tx) {
        tx.exec(kNoHurry);
        PgArray merchants;
        PgArray next;
        for (auto const& [merchant_id, index] : known) {
            merchants.add(merchant_id);
            next.add(index);
        }
        // A thousand of them are one row, so that a start does not pay for each by itself; with
        // both ends of its range, so that it is always read by the index.
        auto const rows = tx.exec_params(
            "SELECT m.merchant_id, p.* FROM merchants m"
            " LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS k(merchant_id, next)"
            "   ON k.merchant_id = m.merchant_id"
            " CROSS JOIN LATERAL generate_series("
            "   coalesce(k.next, 0), m.next_derivation_index - 1, 1000) AS first"
            " CROSS JOIN LATERAL (SELECT array_agg(derivation_index),"
            "   string_agg(deposit_address, ''::bytea),"
            "   array_agg((date_part('epoch', expires_at) * 1000)::bigint)"
            "   FROM payments WHERE payments.merchant_id = m.merchant_id"
            "     AND derivation_index >= first AND derivation_index < first + 1000) p",
            merchants.str(), next.str());
        std::vector<NewAddress> addresses;
        for (auto const& row : rows)
            append_addresses(addresses, row);
        return addresses;
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<WatchedAddress>> PgLedger::find_addresses(std::vector<Address> addresses) {
    auto work = [&](pqxx::work& tx) {
        std::vector<WatchedAddress> found;
        for (std::size_t first = 0; first < addresses.size(); first += kMostAddressesAtOnce) {
            auto const last = std::min(addresses.size(), first + kMostAddressesAtOnce);
            PgArray asked;
            for (std::size_t i = first; i < last; ++i)
                asked.add(addresses[i]);
            auto const rows = tx.exec_params(
                "SELECT p.deposit_address, p.merchant_id, p.payment_id"
                " FROM unnest($1::bytea[]) AS a(address)"
                // One look into the index for each: a join may read the whole table instead, for
                // as long as it is not large, or not known to be.
                " CROSS JOIN LATERAL (SELECT deposit_address, merchant_id, payment_id"
                "  FROM payments WHERE deposit_address = a.address OFFSET 0) p",
                asked.str());
            for (auto const& row : rows) {
                found.push_back(
                    {address_in(row[0]), {id_of<MerchantTag>(row[1]), id_of<PaymentTag>(row[2])}});
            }
        }
        return found;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::commit(ChainCommit commit) {
    check_entries(commit.chain_id, commit.entries);
    auto work = [&](pqxx::work& tx) {
        check_lease(tx, commit.chain_id, commit.lease_token);
        check_foreign(tx, commit.chain_id, commit.foreign, commit.other_journals);
        write(tx, commit, head_after(tx, commit));
        if (commit.repair) write_repair(tx, commit);
    };
    co_await transact(database_, work);
    if (!commit.entries.empty()) database_.disk().was_there();
    if (just_booked_ != nullptr) just_booked_->remember(JustBooked::events_of(std::move(commit)));
}

Task<std::vector<ProcessedBlock>> PgLedger::load_kept_blocks(ChainId chain_id) {
    auto work = [chain_id](pqxx::work& tx) {
        return blocks_of(
            tx.exec_params(std::string("SELECT ") + kBlockColumns + time_column("block_time") +
                               " FROM chain_blocks WHERE chain_id = $1 ORDER BY number",
                           chain_id));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<PaymentKey>> PgLedger::payments_above(ChainId chain_id, BlockNumber number) {
    auto work = [&](pqxx::work& tx) {
        std::vector<PaymentKey> keys;
        for (auto const& row : tx.exec_params(
                 "SELECT a.merchant_id, a.payment_id FROM all_authorizations a"
                 " JOIN live_credits l"
                 "   ON (l.merchant_id, l.chain_id, l.tx_hash, l.token, l.ordinal,"
                 "   l.authorization_seq)"
                 "   = (a.merchant_id, a.chain_id, a.tx_hash, a.token, a.ordinal, a.seq)"
                 " WHERE a.chain_id = $1 AND a.block_number > $2"
                 " UNION SELECT w.merchant_id, w.payment_id FROM withdrawals w"
                 " JOIN live_withdrawals l ON (l.merchant_id, l.chain_id, l.withdrawal_seq)"
                 "   = (w.merchant_id, w.chain_id, w.seq)"
                 " WHERE w.chain_id = $1 AND w.block_number > $2",
                 chain_id, number)) {
            keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
        }
        return keys;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLedger::record_stop(ChainId chain_id, Lease lease, std::string reason) {
    auto work = [&](pqxx::work& tx) {
        check_lease(tx, chain_id, lease.token);
        tx.exec_params("UPDATE chain_cursors SET stopped_reason = $2 WHERE chain_id = $1", chain_id,
                       reason);
    };
    co_await transact(database_, work);
}

}  // namespace sycee
