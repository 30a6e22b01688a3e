#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_refunds.hpp>

#include "book_writer.hpp"
#include "bulk_insert.hpp"
#include "idempotency_rows.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {
namespace {

constexpr char const* kNewestFirst =
    " ORDER BY booked_at DESC, merchant_id DESC, chain_id DESC, seq DESC";

// Both books that promise. `where` speaks of each of them as b.
std::string promises(std::string const& where, std::string const& order) {
    std::string const columns =
        " AS kind, b.merchant_id, b.chain_id, b.seq, b.payment_id, b.token, b.amount,"
        " b.decided_by, b.approved_by, b.booked_at, ";
    // Twenty zero bytes: it names nobody.
    return "(SELECT 'refund'" + columns + "0::bigint AS exception_seq, " +
           "nullif(b.recipient, decode(repeat('00', 20), 'hex')) AS recipient" +
           " FROM refunds b WHERE true" + where + order + ") UNION ALL (SELECT 'resolution'" +
           columns + "b.exception_seq, NULL::bytea AS recipient" +
           " FROM resolutions b WHERE b.kind = 'refund'" + where + order + ")";
}

// With all that is known of each.
std::string select_refunds(std::string const& where, std::string const& order = {}) {
    auto const of = [](char const* table, char const* sequence) {
        return std::string(" ON (") + table + ".merchant_id, " + table + ".chain_id, " + table +
               "." + sequence + ") = (p.merchant_id, p.chain_id, p.seq)";
    };
    return "SELECT p.kind, p.merchant_id, p.chain_id, p.seq, p.payment_id, p.token, p.amount,"
           " p.decided_by, p.approved_by, p.exception_seq, p.booked_at,"
           " coalesce(p.recipient, n.recipient) AS recipient, n.given_by, t.reason, " +
           time_column("p.booked_at", "created_millis") +
           ", y.seq AS paid_seq, y.tx_hash, y.ordinal, y.log_index, y.sender,"
           " y.recipient AS paid_to, y.amount AS paid_amount, y.block_number, y.block_hash, " +
           time_column("y.block_time", "block_millis") + ", y.finalized_block, " +
           time_column("y.booked_at", "paid_millis") +
           ", c.seq AS canceled_seq, c.decided_by AS canceled_by, ct.reason AS canceled_reason, " +
           time_column("c.booked_at", "canceled_millis") +
           ", rep.tx_hash AS reported_hash, rep.reported_by, rep.problem, "
           " rep.answered_at IS NOT NULL AS is_answered, " +
           time_column("rep.reported_at", "reported_millis") + " FROM (" + promises(where, order) +
           ") p LEFT JOIN refund_recipients n" + of("n", "promise_seq") +
           " LEFT JOIN resolution_reasons t" + of("t", "seq") + " LEFT JOIN refund_payments y" +
           of("y", "promise_seq") + " LEFT JOIN refund_cancellations c" + of("c", "promise_seq") +
           " LEFT JOIN resolution_reasons ct ON (ct.merchant_id, ct.chain_id, ct.seq)"
           " = (c.merchant_id, c.chain_id, c.seq)"
           " LEFT JOIN LATERAL (SELECT o.* FROM refund_reports o"
           "  WHERE (o.merchant_id, o.chain_id, o.promise_seq) = (p.merchant_id, p.chain_id, p.seq)"
           "  ORDER BY o.answered_at IS NOT NULL, o.reported_at DESC, o.tx_hash LIMIT 1) rep ON "
           "true";
}

RefundDetail::Payment payment_of(pqxx::row const& row, ChainId chain_id) {
    Transfer transfer;
    transfer.key = {chain_id, bytes_of<32>(row["tx_hash"]), address_in(row["token"]),
                    row["ordinal"].as<std::uint32_t>()};
    transfer.log_index = row["log_index"].as<std::uint32_t>();
    transfer.sender = address_in(row["sender"]);
    transfer.recipient = address_in(row["paid_to"]);
    transfer.amount = amount_of(row["paid_amount"]);
    transfer.block_number = number_of(row["block_number"]);
    transfer.block_hash = bytes_of<32>(row["block_hash"]);
    transfer.block_time = time_of(row["block_millis"]);
    return {.transfer = transfer,
            .finalized_block = number_of(row["finalized_block"]),
            .sequence = number_of(row["paid_seq"]),
            .booked_at = time_of(row["paid_millis"])};
}

RefundDetail refund_of(pqxx::row const& row) {
    auto const kind = parse_record_kind(row["kind"].c_str());
    ensure(kind.has_value(), "store: an unknown kind of promise");
    RefundDetail refund{.key = {id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                                number_of(row["seq"])},
                        .kind = *kind,
                        .payment_id = id_of<PaymentTag>(row["payment_id"]),
                        .exception_sequence = number_of(row["exception_seq"]),
                        .token = address_in(row["token"]),
                        .amount = amount_of(row["amount"]),
                        .recipient = {},
                        .given_by = "",
                        .reason = text_of(row["reason"]),
                        .decided_by = row["decided_by"].c_str(),
                        .approved_by = row["approved_by"].c_str(),
                        .created_at = time_of(row["created_millis"]),
                        .report = std::nullopt,
                        .payment = std::nullopt,
                        .cancellation = std::nullopt};
    if (!row["recipient"].is_null()) refund.recipient = address_in(row["recipient"]);
    refund.given_by = text_of(row["given_by"]);
    if (!row["reported_hash"].is_null()) {
        refund.report = RefundReport{.transaction = bytes_of<32>(row["reported_hash"]),
                                     .reported_by = row["reported_by"].c_str(),
                                     .reported_at = time_of(row["reported_millis"]),
                                     .answered = row["is_answered"].as<bool>(),
                                     .problem = row["problem"].c_str()};
    }
    if (!row["paid_seq"].is_null()) refund.payment = payment_of(row, refund.key.chain_id);
    if (!row["canceled_seq"].is_null()) {
        refund.cancellation =
            RefundDetail::Cancellation{.reason = text_of(row["canceled_reason"]),
                                       .decided_by = row["canceled_by"].c_str(),
                                       .sequence = number_of(row["canceled_seq"]),
                                       .booked_at = time_of(row["canceled_millis"])};
    }
    return refund;
}

std::string request_columns() {
    return "request_id, merchant_id, chain_id, payment_id, token, recipient, amount, reason,"
           " requested_by, " +
           time_column("created_at", "created_millis");
}

RefundRequest request_of(pqxx::row const& row) {
    return {.id = id_of<RequestTag>(row["request_id"]),
            .merchant_id = id_of<MerchantTag>(row["merchant_id"]),
            .chain_id = number_of(row["chain_id"]),
            .payment_id = id_of<PaymentTag>(row["payment_id"]),
            .token = address_in(row["token"]),
            .recipient = address_in(row["recipient"]),
            .amount = amount_of(row["amount"]),
            .reason = row["reason"].c_str(),
            .requested_by = row["requested_by"].c_str(),
            .created_at = time_of(row["created_millis"])};
}

// Which promise an entry ends; nothing where it makes one.
std::optional<std::uint64_t> ended_by(Record const& record) {
    if (auto const* paid = std::get_if<RefundPayment>(&record)) return paid->promise_sequence;
    if (auto const* canceled = std::get_if<RefundCancellation>(&record))
        return canceled->promise_sequence;
    return std::nullopt;
}

// One record about one promise of that merchant, for the reason that is written beside it.
JournalEntry const& entry_of(RefundCommit const& commit) {
    check_entries(commit.chain_id, commit.entries);
    ensure(commit.entries.size() == 1, "store: a decision about a refund is one record");
    JournalEntry const& entry = commit.entries.front();
    ensure(entry.merchant_id == commit.head.merchant_id, "store: a refund of another merchant");
    Bytes32 const reason_hash = sha256(as_bytes(std::string_view(commit.reason)));
    if (auto const* refund = std::get_if<Refund>(&entry.record)) {
        ensure(refund->reason_hash == reason_hash,
               "store: a refund holds the hash of another reason");
    } else if (auto const* canceled = std::get_if<RefundCancellation>(&entry.record)) {
        ensure(canceled->reason_hash == reason_hash,
               "store: a cancellation holds the hash of another reason");
    } else {
        ensure(std::holds_alternative<RefundPayment>(entry.record),
               "store: not a record of a refund");
    }
    return entry;
}

std::vector<TransferKey> load_used(pqxx::transaction_base& tx, ChainId chain_id,
                                   TransactionHash const& transaction) {
    std::vector<TransferKey> used;
    for (auto const& row : tx.exec_params(
             "SELECT token, ordinal FROM refund_payments WHERE chain_id = $1 AND tx_hash = $2",
             chain_id, to_sql(ByteView(transaction)))) {
        used.push_back({chain_id, transaction, address_in(row[0]), row[1].as<std::uint32_t>()});
    }
    return used;
}

void check_unused(pqxx::work& tx, Record const& record) {
    auto const* paid = std::get_if<RefundPayment>(&record);
    if (paid == nullptr) return;
    TransferKey const& key = paid->transfer.key;
    for (TransferKey const& used : load_used(tx, key.chain_id, key.transaction_hash)) {
        if (used == key) throw Unavailable("the transfer kept another promise meanwhile");
    }
}

std::vector<TransactionHash> load_open_reports(pqxx::work& tx, RefundKey const& key) {
    std::vector<TransactionHash> open;
    for (auto const& row :
         tx.exec_params("SELECT tx_hash FROM refund_reports"
                        " WHERE merchant_id = $1 AND chain_id = $2 AND promise_seq = $3"
                        " AND answered_at IS NULL ORDER BY reported_at, tx_hash",
                        to_sql(key.merchant_id), key.chain_id, key.sequence)) {
        open.push_back(bytes_of<32>(row[0]));
    }
    return open;
}

// Reports wait for the merchant's lock as well: none is missed.
void check_not_reported(pqxx::work& tx, JournalEntry const& entry) {
    auto const* canceled = std::get_if<RefundCancellation>(&entry.record);
    if (canceled == nullptr) return;
    RefundKey const promise{entry.merchant_id, entry.chain_id, canceled->promise_sequence};
    if (!load_open_reports(tx, promise).empty())
        throw Unavailable("the refund was reported as paid meanwhile");
}

void check_not_ended(pqxx::work& tx, RefundKey const& key) {
    auto const row = tx.exec_params1(
        "SELECT EXISTS (SELECT FROM refund_payments WHERE merchant_id = $1 AND chain_id = $2"
        " AND promise_seq = $3) OR EXISTS (SELECT FROM refund_cancellations WHERE merchant_id = $1"
        " AND chain_id = $2 AND promise_seq = $3)",
        to_sql(key.merchant_id), key.chain_id, key.sequence);
    if (row[0].as<bool>()) throw Unavailable("the refund has ended meanwhile");
}

void write_reason(pqxx::work& tx, JournalEntry const& entry, std::string const& reason) {
    if (std::holds_alternative<RefundPayment>(entry.record)) return;
    tx.exec_params(
        "INSERT INTO resolution_reasons (merchant_id, chain_id, seq, reason)"
        " VALUES ($1, $2, $3, $4)",
        to_sql(entry.merchant_id), entry.chain_id, entry.sequence, reason);
}

void close_request(pqxx::work& tx, RefundCommit const& commit, std::uint64_t sequence) {
    if (!commit.request) return;
    auto const closed =
        tx.exec_params("UPDATE refund_requests SET answered_at = " + timestamp_literal(commit.now) +
                           ", refund_seq = $3"
                           " WHERE merchant_id = $1 AND request_id = $2 AND answered_at IS NULL",
                       to_sql(commit.head.merchant_id), to_sql(*commit.request), sequence);
    if (closed.affected_rows() != 1) {
        throw Unavailable("the request " + to_string(*commit.request) + " was answered already");
    }
}

// Nothing is looked for any more once the promise has ended.
void close_reports(pqxx::work& tx, JournalEntry const& entry, Timestamp now) {
    auto const promise = ended_by(entry.record);
    if (!promise) return;
    tx.exec_params("UPDATE refund_reports SET answered_at = " + timestamp_literal(now) +
                       " WHERE merchant_id = $1 AND chain_id = $2 AND promise_seq = $3"
                       " AND answered_at IS NULL",
                   to_sql(entry.merchant_id), entry.chain_id, *promise);
}

std::optional<std::string> booked_at(pqxx::work& tx, RefundKey const& key) {
    auto const rows = tx.exec_params(
        "SELECT booked_at::text FROM refunds"
        " WHERE merchant_id = $1 AND chain_id = $2 AND seq = $3"
        " UNION ALL SELECT booked_at::text FROM resolutions"
        " WHERE merchant_id = $1 AND chain_id = $2 AND seq = $3 AND kind = 'refund'",
        to_sql(key.merchant_id), key.chain_id, key.sequence);
    if (rows.empty()) return std::nullopt;
    return rows[0][0].as<std::string>();
}

}  // namespace

Task<RefundPage> PgRefunds::list(RefundFilter filter, std::optional<RefundKey> after,
                                 std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        RefundPage page;
        std::string where;
        if (filter.merchant_id)
            where += " AND b.merchant_id = " + tx.quote(to_sql(*filter.merchant_id));
        if (filter.payment_id)
            where += " AND b.payment_id = " + tx.quote(to_sql(*filter.payment_id));
        if (filter.open_only) {
            for (std::string const table : {"refund_payments", "refund_cancellations"}) {
                where += " AND NOT EXISTS (SELECT FROM " + table +
                         " e WHERE (e.merchant_id, e.chain_id, e.promise_seq)"
                         " = (b.merchant_id, b.chain_id, b.seq))";
            }
        }
        if (after) {
            auto const time = booked_at(tx, *after);
            if (!time) return page;
            where += " AND (b.booked_at, b.merchant_id, b.chain_id, b.seq) < (" + tx.quote(*time) +
                     "::timestamptz, " + tx.quote(to_sql(after->merchant_id)) + "::uuid, " +
                     std::to_string(after->chain_id) + ", " + std::to_string(after->sequence) + ")";
        }
        std::string const order = kNewestFirst + (" LIMIT " + std::to_string(limit + 1));
        for (auto const& row :
             tx.exec("SELECT * FROM (" + select_refunds(where, order) + ") all_refunds" + order)) {
            if (page.refunds.size() == limit) {
                page.has_more = true;
                break;
            }
            page.refunds.push_back(refund_of(row));
        }
        return page;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<RefundDetail>> PgRefunds::find(RefundKey key) {
    auto work = [&](pqxx::work& tx) -> std::optional<RefundDetail> {
        auto const rows = tx.exec_params(
            select_refunds(" AND b.merchant_id = $1 AND b.chain_id = $2 AND b.seq = $3"),
            to_sql(key.merchant_id), key.chain_id, key.sequence);
        if (rows.empty()) return std::nullopt;
        return refund_of(rows[0]);
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<RefundRequest>> PgRefunds::requests() {
    auto work = [](pqxx::work& tx) {
        std::vector<RefundRequest> requests;
        for (auto const& row : tx.exec("SELECT " + request_columns() +
                                       " FROM refund_requests WHERE answered_at IS NULL"
                                       " ORDER BY created_at, request_id LIMIT 1000")) {
            requests.push_back(request_of(row));
        }
        return requests;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<RefundRequest>> PgRefunds::find_request(RequestId id) {
    auto work = [&](pqxx::work& tx) -> std::optional<RefundRequest> {
        auto const rows = tx.exec_params("SELECT " + request_columns() +
                                             " FROM refund_requests"
                                             " WHERE request_id = $1 AND answered_at IS NULL",
                                         to_sql(id));
        if (rows.empty()) return std::nullopt;
        return request_of(rows[0]);
    };
    co_return co_await transact(database_, work);
}

Task<void> PgRefunds::create_request(RefundRequest request, std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) {
        BulkInsert requests("refund_requests", {{"merchant_id", "uuid"},
                                                {"request_id", "uuid"},
                                                {"chain_id", "bigint"},
                                                {"payment_id", "uuid"},
                                                {"token", "bytea"},
                                                {"recipient", "bytea"},
                                                {"amount", "numeric"},
                                                {"reason", "text"},
                                                {"requested_by", "text"},
                                                {"created_at", "time"}});
        requests.row(request.merchant_id, request.id, request.chain_id, request.payment_id,
                     request.token, request.recipient, request.amount, request.reason,
                     request.requested_by, request.created_at);
        requests.run(tx);
        write_claim(tx, request.merchant_id, claim, request.created_at);
    };
    co_await transact(database_, work);
}

Task<bool> PgRefunds::withdraw_request(RequestId id) {
    auto work = [&](pqxx::work& tx) {
        auto const gone = tx.exec_params(
            "UPDATE refund_requests SET answered_at = clock_timestamp()"
            " WHERE request_id = $1 AND answered_at IS NULL",
            to_sql(id));
        return gone.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgRefunds::commit(RefundCommit commit) {
    JournalEntry const& entry = entry_of(commit);
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {commit.head.merchant_id});
        check_foreign(tx, 0, commit.foreign, {});
        move_heads(tx, commit.chain_id, {commit.head}, commit.entries);
        check_unused(tx, entry.record);
        check_not_reported(tx, entry);
        insert_entries(tx, commit.entries);
        update_balances(tx, commit.chain_id, commit.entries);
        write_reason(tx, entry, commit.reason);
        close_request(tx, commit, entry.sequence);
        close_reports(tx, entry, commit.now);
        write_claim(tx, commit.head.merchant_id, commit.claim, commit.now);
        write_events(tx, commit.events);
    };
    co_await transact(database_, work);
}

Task<bool> PgRefunds::give_recipient(RefundKey key, Address recipient, std::string given_by,
                                     Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "INSERT INTO refund_recipients (merchant_id, chain_id, promise_seq,"
            " recipient, given_by, given_at) VALUES ($1, $2, $3, $4, $5, " +
                timestamp_literal(now) + ") ON CONFLICT DO NOTHING",
            to_sql(key.merchant_id), key.chain_id, key.sequence, to_sql(recipient), given_by);
        auto const row = tx.exec_params1(
            "SELECT recipient FROM refund_recipients"
            " WHERE merchant_id = $1 AND chain_id = $2 AND promise_seq = $3",
            to_sql(key.merchant_id), key.chain_id, key.sequence);
        return address_in(row[0]) == recipient;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgRefunds::report(RefundKey key, RefundReport report) {
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {key.merchant_id});
        check_not_ended(tx, key);
        std::string const now = timestamp_literal(report.reported_at);
        // A transaction that was found wanting may be reported again: a reorg can have changed it.
        tx.exec_params(
            "INSERT INTO refund_reports AS r (merchant_id, chain_id, promise_seq,"
            " tx_hash, reported_by, reported_at) VALUES ($1, $2, $3, $4, $5, " +
                now +
                ") ON CONFLICT (merchant_id, chain_id, promise_seq, tx_hash)"
                " DO UPDATE SET answered_at = NULL, problem = '', reported_at ="
                " EXCLUDED.reported_at"
                " WHERE r.answered_at IS NOT NULL",
            to_sql(key.merchant_id), key.chain_id, key.sequence,
            to_sql(ByteView(report.transaction)), report.reported_by);
    };
    co_await transact(database_, work);
}

Task<std::vector<TransactionHash>> PgRefunds::open_reports(RefundKey key) {
    auto work = [&](pqxx::work& tx) { return load_open_reports(tx, key); };
    co_return co_await transact(database_, work);
}

Task<std::vector<DueReport>> PgRefunds::take_due(ChainId chain_id, std::size_t limit,
                                                 Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        std::vector<DueReport> due;
        for (auto const& row :
             tx.exec_params("UPDATE refund_reports r SET checked_at = " + timestamp_literal(now) +
                                " FROM (SELECT * FROM refund_reports"
                                "  WHERE answered_at IS NULL AND chain_id = $1"
                                "  ORDER BY checked_at NULLS FIRST, reported_at LIMIT $2"
                                "  FOR UPDATE SKIP LOCKED) d"
                                " WHERE (r.merchant_id, r.chain_id, r.promise_seq, r.tx_hash)"
                                "  = (d.merchant_id, d.chain_id, d.promise_seq, d.tx_hash)"
                                " RETURNING r.merchant_id, r.promise_seq, r.tx_hash",
                            chain_id, limit)) {
            due.push_back(
                {{id_of<MerchantTag>(row[0]), chain_id, number_of(row[1])}, bytes_of<32>(row[2])});
        }
        return due;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgRefunds::answer_report(DueReport report, std::string problem, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params(
            "UPDATE refund_reports SET problem = $5, answered_at = " + timestamp_literal(now) +
                " WHERE merchant_id = $1 AND chain_id = $2 AND promise_seq = $3"
                " AND tx_hash = $4 AND answered_at IS NULL",
            to_sql(report.refund.merchant_id), report.refund.chain_id, report.refund.sequence,
            to_sql(ByteView(report.transaction)), problem);
    };
    co_await transact(database_, work);
}

Task<std::vector<TransferKey>> PgRefunds::used_transfers(ChainId chain_id,
                                                         TransactionHash transaction) {
    auto work = [&](pqxx::work& tx) { return load_used(tx, chain_id, transaction); };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
