#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_desk.hpp>

#include "book_writer.hpp"
#include "bulk_insert.hpp"
#include "idempotency_rows.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <array>
#include <map>

namespace sycee {
namespace {

// A book that puts money on the desk, and what of its rows does.
struct DeskBook {
    char const* table;
    char const* reason;
    char const* amount;
    char const* filter;
    char const* transfers;  // the book with the transfer, joined as t
    char const* transfer_seq;
    char const* parties;
};

constexpr int kMostDecisions = 100;  // that are shown of one exception

constexpr std::array<DeskBook, 3> kDeskBooks{
    {{"unapplied_receipts", "e.reason", "e.amount", "true", "authorizations", "authorization_seq",
      "t.sender, t.deposit_address AS recipient"},
     {"clearings", "'overpaid'", "e.excess", "e.excess > 0", "authorizations", "authorization_seq",
      "t.sender, t.deposit_address AS recipient"},
     {"withdrawals", "'unexplained'", "e.unexplained", "e.unexplained > 0", "withdrawals", "seq",
      "t.deposit_address AS sender, t.recipient"}}};

// What of one book is on the desk and stands. `where` and `order` speak of the book as e, and of
// what was decided as d.resolved.
std::string select_from(DeskBook const& book, std::string const& where, std::string const& order) {
    std::string const amount = book.amount;
    return std::string("(SELECT e.merchant_id, e.chain_id, e.seq, e.hash, e.payment_id,") +
           " e.booked_at, " + book.reason + "::text AS reason, " + amount +
           " AS exception_amount, d.resolved, t.tx_hash, t.token, t.ordinal, t.log_index, " +
           book.parties + ", t.amount, t.block_number, t.block_hash, " +
           time_column("t.block_time", "block_millis") + " FROM " + all_of(book.table) +
           " e JOIN " + all_of(book.transfers) +
           " t ON (t.merchant_id, t.chain_id, t.seq) =" + " (e.merchant_id, e.chain_id, e." +
           book.transfer_seq +
           ") AND t.payment_id = e.payment_id CROSS JOIN LATERAL (SELECT coalesce(sum(r.amount), "
           "0) AS resolved" +
           " FROM resolutions r WHERE (r.merchant_id, r.chain_id, r.exception_seq) =" +
           " (e.merchant_id, e.chain_id, e.seq)" +
           " AND (r.kind <> 'refund' OR NOT EXISTS (SELECT FROM refund_cancellations c WHERE" +
           " (c.merchant_id, c.chain_id, c.promise_seq) = (r.merchant_id, r.chain_id, r.seq)))" +
           ") d WHERE " + book.filter + " AND NOT EXISTS (SELECT 1 FROM reversals v WHERE" +
           " (v.merchant_id, v.chain_id, v.reversed_seq) = (e.merchant_id, e.chain_id, e.seq))" +
           where + order + ")";
}

std::string select_exceptions(std::string const& where, bool open_only,
                              std::string const& order = {}) {
    std::string union_of_books;
    for (DeskBook const& book : kDeskBooks) {
        if (!union_of_books.empty()) union_of_books += " UNION ALL ";
        std::string const open = " AND d.resolved < " + std::string(book.amount);
        union_of_books += select_from(book, where + (open_only ? open : ""), order);
    }
    return "SELECT e.*, " + time_column("e.booked_at", "booked_millis") +
           ", coalesce(e.block_number <= c.finalized_number, false) AS is_final FROM (" +
           union_of_books + ") e LEFT JOIN chain_cursors c USING (chain_id)";
}

DeskException exception_of(pqxx::row const& row) {
    return {.key = {id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                    number_of(row["seq"])},
            .hash = bytes_of<32>(row["hash"]),
            .payment_id = id_of<PaymentTag>(row["payment_id"]),
            .transfer = transfer_of(row, "sender", "recipient"),
            .reason = row["reason"].c_str(),
            .amount = amount_of(row["exception_amount"]),
            .resolved = amount_of(row["resolved"]),
            .is_final = row["is_final"].as<bool>(),
            .booked_at = time_of(row["booked_millis"])};
}

DeskDecision decision_of(pqxx::row const& row) {
    return {.sequence = number_of(row["seq"]),
            .kind = resolution_kind_of(row["kind"]),
            .target_payment_id = id_of<PaymentTag>(row["target_payment_id"]),
            .amount = amount_of(row["amount"]),
            .reason = text_of(row["reason"]),
            .decided_by = row["decided_by"].c_str(),
            .approved_by = row["approved_by"].c_str(),
            .decided_at = time_of(row["booked_millis"])};
}

// What was decided about those of the exceptions of which anything was.
void add_decisions(pqxx::work& tx, std::vector<DeskException>& exceptions) {
    PgArray merchants;
    PgArray chains;
    PgArray sequences;
    std::map<DeskKey, DeskException*> decided;
    for (DeskException& exception : exceptions) {
        if (exception.resolved.is_zero()) continue;
        decided.emplace(exception.key, &exception);
        merchants.add(exception.key.merchant_id);
        chains.add(exception.key.chain_id);
        sequences.add(exception.key.sequence);
    }
    if (decided.empty()) return;
    auto const rows = tx.exec_params(
        "SELECT k.exception_seq, r.*, " + time_column("r.booked_at", "booked_millis") +
            ", t.reason FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])"
            " AS k(merchant_id, chain_id, exception_seq) CROSS JOIN LATERAL ("
            "  SELECT merchant_id, chain_id, seq, kind, target_payment_id, amount, decided_by,"
            "   approved_by, booked_at FROM resolutions o"
            "   WHERE (o.merchant_id, o.chain_id, o.exception_seq) ="
            "   (k.merchant_id, k.chain_id, k.exception_seq)"
            "   ORDER BY seq DESC LIMIT " +
            std::to_string(kMostDecisions) +
            ") r LEFT JOIN resolution_reasons t ON (t.merchant_id, t.chain_id, t.seq) ="
            " (r.merchant_id, r.chain_id, r.seq) ORDER BY r.seq",
        merchants.str(), chains.str(), sequences.str());
    for (auto const& row : rows) {
        DeskKey const key{id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                          number_of(row["exception_seq"])};
        decided.at(key)->decisions.push_back(decision_of(row));
    }
}

std::optional<DeskException> find_exception(pqxx::work& tx, DeskKey const& key) {
    auto const rows = tx.exec_params(
        select_exceptions(" AND e.merchant_id = $1 AND e.chain_id = $2 AND e.seq = $3", false),
        to_sql(key.merchant_id), key.chain_id, key.sequence);
    if (rows.empty()) return std::nullopt;
    return exception_of(rows[0]);
}

// When a record of the desk was booked, reversed or not: where a page goes on.
std::optional<std::string> booked_at(pqxx::work& tx, DeskKey const& key) {
    std::string sql;
    for (DeskBook const& book : kDeskBooks) {
        if (!sql.empty()) sql += " UNION ALL ";
        sql += std::string("SELECT booked_at::text FROM ") + all_of(book.table) +
               " WHERE merchant_id = $1 AND chain_id = $2 AND seq = $3";
    }
    auto const rows = tx.exec_params(sql, to_sql(key.merchant_id), key.chain_id, key.sequence);
    if (rows.empty()) return std::nullopt;
    return rows[0][0].as<std::string>();
}

std::string request_columns() {
    return "request_id, merchant_id, chain_id, exception_seq, kind, target_payment_id, amount,"
           " reason, requested_by, " +
           time_column("created_at", "created_millis");
}

ResolutionRequest request_of(pqxx::row const& row) {
    return {.id = id_of<RequestTag>(row["request_id"]),
            .exception = {id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                          number_of(row["exception_seq"])},
            .kind = resolution_kind_of(row["kind"]),
            .target_payment_id = id_or_nil<PaymentTag>(row["target_payment_id"]),
            .amount = amount_of(row["amount"]),
            .reason = row["reason"].c_str(),
            .requested_by = row["requested_by"].c_str(),
            .created_at = time_of(row["created_millis"])};
}

// Nothing but resolutions of that merchant, for the reason that is written beside them.
std::vector<Resolution> resolutions_of(DeskCommit const& commit) {
    check_entries(commit.chain_id, commit.entries);
    Bytes32 const reason_hash = sha256(as_bytes(std::string_view(commit.reason)));
    std::vector<Resolution> resolutions;
    for (JournalEntry const& entry : commit.entries) {
        auto const* resolution = std::get_if<Resolution>(&entry.record);
        ensure(resolution != nullptr && entry.merchant_id == commit.head.merchant_id,
               "store: the desk writes resolutions of one merchant only");
        ensure(resolution->reason_hash == reason_hash,
               "store: a resolution holds the hash of another reason");
        resolutions.push_back(*resolution);
    }
    ensure(!resolutions.empty(), "store: a decision without a resolution");
    return resolutions;
}

// Every exception still stands, is final, and holds what is decided about it.
void check_exceptions(pqxx::work& tx, DeskCommit const& commit,
                      std::vector<Resolution> const& resolutions) {
    std::map<std::uint64_t, Amount> amounts;
    for (Resolution const& resolution : resolutions)
        amounts[resolution.exception_sequence] += resolution.amount;
    for (auto const& [sequence, amount] : amounts) {
        auto const exception =
            find_exception(tx, {commit.head.merchant_id, commit.chain_id, sequence});
        if (!exception || !exception->is_final ||
            amount > exception->amount - exception->resolved) {
            throw Unavailable("the exception " + std::to_string(sequence) + " of chain " +
                              std::to_string(commit.chain_id) + " is no longer as it was");
        }
    }
}

void write_reasons(pqxx::work& tx, DeskCommit const& commit) {
    BulkInsert reasons(
        "resolution_reasons",
        {{"merchant_id", "uuid"}, {"chain_id", "bigint"}, {"seq", "bigint"}, {"reason", "text"}});
    for (JournalEntry const& entry : commit.entries)
        reasons.row(entry.merchant_id, entry.chain_id, entry.sequence, commit.reason);
    reasons.run(tx);
}

void close_request(pqxx::work& tx, DeskCommit const& commit) {
    if (!commit.request) return;
    auto const closed = tx.exec_params(
        "UPDATE resolution_requests SET answered_at = " + timestamp_literal(commit.now) +
            ", resolution_seq = $3"
            " WHERE merchant_id = $1 AND request_id = $2 AND answered_at IS NULL",
        to_sql(commit.head.merchant_id), to_sql(*commit.request), commit.entries.front().sequence);
    if (closed.affected_rows() != 1) {
        throw Unavailable("the request " + to_string(*commit.request) + " was answered already");
    }
}

}  // namespace

Task<DeskPage> PgDesk::list(DeskFilter filter, std::optional<DeskKey> after, std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        DeskPage page;
        std::string where;
        if (filter.merchant_id) {
            where += " AND e.merchant_id = " + tx.quote(to_sql(*filter.merchant_id));
        }
        if (filter.payment_id) {
            where += " AND e.payment_id = " + tx.quote(to_sql(*filter.payment_id));
        }
        if (after) {
            auto const time = booked_at(tx, *after);
            if (!time) return page;
            where += " AND (e.booked_at, e.merchant_id, e.chain_id, e.seq) < (" + tx.quote(*time) +
                     "::timestamptz, " + tx.quote(to_sql(after->merchant_id)) + "::uuid, " +
                     std::to_string(after->chain_id) + ", " + std::to_string(after->sequence) + ")";
        }
        // Each book gives no more than the page can hold, newest first by its index.
        std::string const order =
            " ORDER BY e.booked_at DESC, e.merchant_id DESC, e.chain_id DESC, e.seq DESC LIMIT " +
            std::to_string(limit + 1);
        for (auto const& row : tx.exec(select_exceptions(where, filter.open_only, order) + order)) {
            if (page.exceptions.size() == limit) {
                page.has_more = true;
                break;
            }
            page.exceptions.push_back(exception_of(row));
        }
        add_decisions(tx, page.exceptions);
        return page;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<DeskException>> PgDesk::find(DeskKey key) {
    auto work = [&](pqxx::work& tx) -> std::optional<DeskException> {
        std::vector<DeskException> found;
        if (auto exception = find_exception(tx, key)) found.push_back(std::move(*exception));
        add_decisions(tx, found);
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<ResolutionRequest>> PgDesk::requests() {
    auto work = [](pqxx::work& tx) {
        std::vector<ResolutionRequest> requests;
        for (auto const& row : tx.exec("SELECT " + request_columns() +
                                       " FROM resolution_requests WHERE answered_at IS NULL"
                                       " ORDER BY created_at, request_id LIMIT 1000")) {
            requests.push_back(request_of(row));
        }
        return requests;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<ResolutionRequest>> PgDesk::find_request(RequestId id) {
    auto work = [&](pqxx::work& tx) -> std::optional<ResolutionRequest> {
        auto const rows = tx.exec_params("SELECT " + request_columns() +
                                             " FROM resolution_requests"
                                             " WHERE request_id = $1 AND answered_at IS NULL",
                                         to_sql(id));
        if (rows.empty()) return std::nullopt;
        return request_of(rows[0]);
    };
    co_return co_await transact(database_, work);
}

Task<void> PgDesk::create_request(ResolutionRequest request,
                                  std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) {
        BulkInsert requests("resolution_requests", {{"merchant_id", "uuid"},
                                                    {"request_id", "uuid"},
                                                    {"chain_id", "bigint"},
                                                    {"exception_seq", "bigint"},
                                                    {"kind", "text"},
                                                    {"target_payment_id", "uuid"},
                                                    {"amount", "numeric"},
                                                    {"reason", "text"},
                                                    {"requested_by", "text"},
                                                    {"created_at", "time"}});
        requests.row(request.exception.merchant_id, request.id, request.exception.chain_id,
                     request.exception.sequence, to_string(request.kind),
                     unless_nil(request.target_payment_id), request.amount, request.reason,
                     request.requested_by, request.created_at);
        requests.run(tx);
        write_claim(tx, request.exception.merchant_id, claim, request.created_at);
    };
    co_await transact(database_, work);
}

Task<bool> PgDesk::withdraw_request(RequestId id) {
    auto work = [&](pqxx::work& tx) {
        auto const gone = tx.exec_params(
            "UPDATE resolution_requests SET answered_at = clock_timestamp()"
            " WHERE request_id = $1 AND answered_at IS NULL",
            to_sql(id));
        return gone.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgDesk::commit(DeskCommit commit) {
    auto const resolutions = resolutions_of(commit);
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {commit.head.merchant_id});
        check_foreign(tx, 0, commit.foreign, {});
        move_heads(tx, commit.chain_id, {commit.head}, commit.entries);
        check_exceptions(tx, commit, resolutions);
        insert_entries(tx, commit.entries);
        update_balances(tx, commit.chain_id, commit.entries);
        write_reasons(tx, commit);
        close_request(tx, commit);
        write_claim(tx, commit.head.merchant_id, commit.claim, commit.now);
        write_events(tx, commit.events);
    };
    co_await transact(database_, work);
}

}  // namespace sycee
