#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_losses.hpp>

#include "book_writer.hpp"
#include "booked_balances.hpp"
#include "bulk_insert.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>

namespace sycee {
namespace {

std::string select_open() {
    return "SELECT *, " + time_column("found_at", "found_millis") +
           " FROM balance_differences WHERE closed_at IS NULL";
}

OpenDifference open_difference_of(pqxx::row const& row) {
    BookedBalance const booked{
        {id_of<MerchantTag>(row["merchant_id"]), id_of<PaymentTag>(row["payment_id"])},
        address_in(row["address"]),
        address_in(row["token"]),
        amount_of(row["booked"]),
        {},
        true};
    return {.id = id_of<DifferenceTag>(row["difference_id"]),
            .chain_id = number_of(row["chain_id"]),
            .block_number = number_of(row["block_number"]),
            .block_hash = bytes_of<32>(row["block_hash"]),
            .difference = {booked, amount_of(row["on_chain"])},
            .found_at = time_of(row["found_millis"])};
}

// One loss of that merchant, for the reason that is kept with its difference.
TokenLoss const& loss_of(LossCommit const& commit) {
    check_entries(commit.chain_id, commit.entries);
    ensure(commit.entries.size() == 1, "store: a loss is one record");
    JournalEntry const& entry = commit.entries.front();
    auto const* loss = std::get_if<TokenLoss>(&entry.record);
    ensure(loss != nullptr && entry.merchant_id == commit.head.merchant_id,
           "store: a loss is a record of one merchant");
    ensure(loss->reason_hash == sha256(as_bytes(std::string_view(commit.reason))),
           "store: a loss holds the hash of another reason");
    return *loss;
}

// As the loss says it was found, in a block that is final and ours. Its header may be gone: those
// far below the finalized block are not kept, and a reorg above it would have closed the
// difference.
void close_difference(pqxx::work& tx, LossCommit const& commit, TokenLoss const& loss) {
    std::string const reason =
        "booked as lost: record " + std::to_string(commit.entries.front().sequence);
    auto const closed = tx.exec_params(
        "UPDATE balance_differences d SET closed_at = " + timestamp_literal(commit.now) +
            ", closed_reason = $2 WHERE difference_id = $1 AND closed_at IS NULL"
            " AND (merchant_id, payment_id, chain_id, token, block_number, block_hash)"
            "   = ($3::uuid, $4::uuid, $5::bigint, $6::bytea, $7::bigint, $8::bytea)"
            " AND booked - on_chain = $9::numeric"
            " AND EXISTS (SELECT FROM chain_cursors c WHERE c.chain_id = d.chain_id"
            "   AND d.block_number <= c.finalized_number)"
            " AND NOT EXISTS (SELECT FROM chain_blocks b WHERE b.chain_id = d.chain_id"
            "   AND b.number = d.block_number AND b.hash <> d.block_hash)",
        to_sql(loss.difference_id), reason, to_sql(commit.head.merchant_id),
        to_sql(loss.payment_id), commit.chain_id, to_sql(loss.token), loss.block_number,
        to_sql(ByteView(loss.block_hash)), to_sql(loss.amount));
    if (closed.affected_rows() != 1) {
        throw Unavailable("the difference " + to_string(loss.difference_id) +
                          " is no longer as it was");
    }
}

void write_reason(pqxx::work& tx, LossCommit const& commit) {
    JournalEntry const& entry = commit.entries.front();
    BulkInsert reasons(
        "resolution_reasons",
        {{"merchant_id", "uuid"}, {"chain_id", "bigint"}, {"seq", "bigint"}, {"reason", "text"}});
    reasons.row(entry.merchant_id, entry.chain_id, entry.sequence, commit.reason);
    reasons.run(tx);
}

void close_request(pqxx::work& tx, LossCommit const& commit) {
    if (!commit.request) return;
    auto const closed = tx.exec_params(
        "UPDATE loss_requests SET answered_at = " + timestamp_literal(commit.now) +
            ", loss_seq = $3"
            " WHERE merchant_id = $1 AND request_id = $2 AND answered_at IS NULL",
        to_sql(commit.head.merchant_id), to_sql(*commit.request), commit.entries.front().sequence);
    if (closed.affected_rows() != 1) {
        throw Unavailable("the request " + to_string(*commit.request) + " was answered already");
    }
}

}  // namespace

Task<std::vector<OpenDifference>> PgLosses::list_open(std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        std::vector<OpenDifference> open;
        for (auto const& row :
             tx.exec_params(select_open() + " ORDER BY found_at, difference_id LIMIT $1", limit))
            open.push_back(open_difference_of(row));
        return open;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<OpenDifference>> PgLosses::find_open(DifferenceId id) {
    auto work = [&](pqxx::work& tx) -> std::optional<OpenDifference> {
        auto const rows = tx.exec_params(select_open() + " AND difference_id = $1", to_sql(id));
        if (rows.empty()) return std::nullopt;
        return open_difference_of(rows[0]);
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<BookedBalances>> PgLosses::booked_now(OpenDifference difference) {
    auto work = [&](SnapshotTransaction& tx) -> std::optional<BookedBalances> {
        auto const cursor =
            tx.exec_params("SELECT head_number, head_hash FROM chain_cursors WHERE chain_id = $1",
                           difference.chain_id);
        if (cursor.empty()) return std::nullopt;
        BookedBalances booked;
        booked.head.number = number_of(cursor[0][0]);
        booked.head.hash = bytes_of<32>(cursor[0][1]);
        BookedBalance const& of = difference.difference.booked;
        require_present(tx, {of.payment});
        booked.balances = load_booked_balances(tx, difference.chain_id, {of.payment});
        std::erase_if(booked.balances, [&of](BookedBalance const& one) {
            return one.address != of.address || one.token != of.token;
        });
        return booked;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<bool> PgLosses::close(DifferenceId id, std::string reason, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        auto const closed = tx.exec_params(
            "UPDATE balance_differences SET closed_at = to_timestamp($2::bigint / 1000.0),"
            " closed_reason = $3, accepted = true WHERE difference_id = $1 AND closed_at IS NULL",
            to_sql(id), to_sql(now), reason);
        return closed.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

// One whose difference was closed meanwhile, by itself or by a person, waits no more.
Task<std::vector<LossRequest>> PgLosses::requests() {
    auto work = [](pqxx::work& tx) {
        std::vector<LossRequest> requests;
        for (auto const& row :
             tx.exec("SELECT r.request_id, r.merchant_id, r.difference_id, r.reason,"
                     " r.requested_by, " +
                     time_column("r.created_at", "created_millis") +
                     " FROM loss_requests r JOIN balance_differences d USING (difference_id)"
                     " WHERE r.answered_at IS NULL AND d.closed_at IS NULL"
                     " ORDER BY r.created_at, r.request_id LIMIT 1000")) {
            requests.push_back({.id = id_of<RequestTag>(row["request_id"]),
                                .merchant_id = id_of<MerchantTag>(row["merchant_id"]),
                                .difference_id = id_of<DifferenceTag>(row["difference_id"]),
                                .reason = row["reason"].c_str(),
                                .requested_by = row["requested_by"].c_str(),
                                .created_at = time_of(row["created_millis"])});
        }
        return requests;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLosses::create_request(LossRequest request) {
    auto work = [&](pqxx::work& tx) {
        BulkInsert requests("loss_requests", {{"merchant_id", "uuid"},
                                              {"request_id", "uuid"},
                                              {"difference_id", "uuid"},
                                              {"reason", "text"},
                                              {"requested_by", "text"},
                                              {"created_at", "time"}});
        requests.row(request.merchant_id, request.id, request.difference_id, request.reason,
                     request.requested_by, request.created_at);
        requests.run(tx);
    };
    co_await transact(database_, work);
}

Task<bool> PgLosses::withdraw_request(RequestId id, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        auto const gone =
            tx.exec_params("UPDATE loss_requests SET answered_at = " + timestamp_literal(now) +
                               " WHERE request_id = $1 AND answered_at IS NULL",
                           to_sql(id));
        return gone.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgLosses::commit(LossCommit commit) {
    TokenLoss const loss = loss_of(commit);
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {commit.head.merchant_id});
        move_heads(tx, commit.chain_id, {commit.head}, commit.entries);
        insert_entries(tx, commit.entries);
        update_balances(tx, commit.chain_id, commit.entries);
        write_reason(tx, commit);
        close_difference(tx, commit, loss);
        close_request(tx, commit);
    };
    co_await transact(database_, work);
}

}  // namespace sycee
