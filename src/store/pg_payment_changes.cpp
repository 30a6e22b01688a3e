#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_payment_changes.hpp>

#include "book_writer.hpp"
#include "bulk_insert.hpp"
#include "idempotency_rows.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {
namespace {

// One cancellation of that merchant, for the reason that is kept with it.
void check_cancellation(CancelCommit const& commit) {
    check_entries(commit.chain_id, commit.entries);
    ensure(commit.entries.size() == 1, "store: a cancellation is one record");
    JournalEntry const& entry = commit.entries.front();
    auto const* canceled = std::get_if<Cancellation>(&entry.record);
    ensure(canceled != nullptr && entry.merchant_id == commit.head.merchant_id,
           "store: a cancellation is a record of one merchant");
    ensure(canceled->reason_hash == sha256(as_bytes(std::string_view(commit.reason))),
           "store: a cancellation holds the hash of another reason");
}

void write_reason(pqxx::work& tx, CancelCommit const& commit) {
    if (commit.reason.empty()) return;
    JournalEntry const& entry = commit.entries.front();
    BulkInsert reasons(
        "resolution_reasons",
        {{"merchant_id", "uuid"}, {"chain_id", "bigint"}, {"seq", "bigint"}, {"reason", "text"}});
    reasons.row(entry.merchant_id, entry.chain_id, entry.sequence, commit.reason);
    reasons.run(tx);
}

}  // namespace

// A follower of this chain moves the head as well: one of the two finds it moved. One of another
// chain takes the lock of the merchant, where there are several: whoever comes second finds the
// payment changed.
Task<void> PgPaymentChanges::commit(CancelCommit commit) {
    check_cancellation(commit);
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {commit.head.merchant_id});
        check_foreign(tx, 0, commit.foreign, {});
        move_heads(tx, commit.chain_id, {commit.head}, commit.entries);
        insert_entries(tx, commit.entries);
        write_reason(tx, commit);
        write_events(tx, commit.events);
    };
    co_await transact(database_, work);
}

Task<std::optional<PaymentState>> PgPaymentChanges::update(
    PaymentKey key, std::function<std::optional<PaymentWords>(PaymentState const&)> decide,
    Timestamp now, std::optional<IdempotencyClaim> claim) {
    auto work = [&](pqxx::work& tx) -> std::optional<PaymentState> {
        tx.exec_params(
            "SELECT FROM payments WHERE (merchant_id, payment_id) = ($1, $2) FOR NO KEY UPDATE",
            to_sql(key.first), to_sql(key.second));
        auto states = load_payment_states(tx, {key});
        if (states.empty()) return std::nullopt;
        PaymentState& state = states.front();
        auto words = decide(state);
        if (!words) return std::move(state);
        tx.exec_params(
            "UPDATE payments SET description = $3, metadata = $4::jsonb"
            " WHERE (merchant_id, payment_id) = ($1, $2)",
            to_sql(key.first), to_sql(key.second), words->description,
            metadata_json(words->metadata));
        write_claim(tx, key.first, claim, now);
        return std::move(load_payment_states(tx, {key}).at(0));
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
