#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_reconciliation.hpp>

#include "booked_balances.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sycee {
namespace {

struct Progress {
    BlockHeader head;
    BlockNumber finalized = 0;
    BlockNumber checked_above = 0;
    std::string round_merchant;
    std::string round_payment;
};

std::optional<Progress> progress_of(pqxx::transaction_base& tx, ChainId chain_id) {
    auto const rows = tx.exec_params(
        "SELECT head_number, head_hash, checked_above, round_merchant, round_payment,"
        " finalized_number"
        " FROM chain_cursors JOIN reconciliations USING (chain_id) WHERE chain_id = $1",
        chain_id);
    if (rows.empty()) return std::nullopt;
    Progress progress;
    progress.head.number = number_of(rows[0][0]);
    progress.head.hash = bytes_of<32>(rows[0][1]);
    progress.checked_above = number_of(rows[0][2]);
    progress.finalized = number_of(rows[0][5]);
    constexpr char const* kFirst = "00000000-0000-0000-0000-000000000000";
    progress.round_merchant = rows[0][3].is_null() ? kFirst : rows[0][3].c_str();
    progress.round_payment = rows[0][4].is_null() ? kFirst : rows[0][4].c_str();
    return progress;
}

void add_keys(std::set<PaymentKey>& keys, pqxx::result const& rows) {
    for (auto const& row : rows)
        keys.emplace(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
}

// Whose money moved in the blocks above that one, the oldest first. How far that goes: what is not
// final yet may still come to stand elsewhere, and is asked for again. In a block of more transfers
// than that, the rest is left to the slow round.
BlockNumber add_moved(pqxx::transaction_base& tx, std::set<PaymentKey>& keys, ChainId chain_id,
                      Progress const& progress, std::size_t transfers) {
    BlockNumber reached = progress.finalized;
    for (std::string const table : {"authorizations", "withdrawals"}) {
        auto const rows =
            tx.exec_params("SELECT merchant_id, payment_id, block_number FROM " + table +
                               " WHERE chain_id = $1 AND block_number > $2"
                               " ORDER BY block_number LIMIT $3",
                           chain_id, progress.checked_above, transfers);
        add_keys(keys, rows);
        if (static_cast<std::size_t>(rows.size()) < transfers) continue;
        BlockNumber const last = number_of(rows.back()[2]);
        reached = std::min(reached, std::max(last - 1, number_of(rows.front()[2])));
    }
    return std::max(reached, progress.checked_above);
}

void add_open(pqxx::transaction_base& tx, std::set<PaymentKey>& keys, ChainId chain_id,
              std::size_t limit) {
    add_keys(keys, tx.exec_params("SELECT merchant_id, payment_id FROM balance_differences"
                                  " WHERE chain_id = $1 AND closed_at IS NULL"
                                  " ORDER BY found_at LIMIT $2",
                                  chain_id, limit));
}

// The next payments of the slow round. Nothing: it has come to its end.
std::optional<PaymentKey> add_round(pqxx::transaction_base& tx, std::set<PaymentKey>& keys,
                                    ChainId chain_id, Progress const& progress, std::size_t limit) {
    auto const rows = tx.exec_params(
        "(SELECT DISTINCT merchant_id, payment_id FROM all_authorizations"
        "  WHERE (merchant_id, payment_id) > ($2::uuid, $3::uuid) AND chain_id = $1"
        "  ORDER BY merchant_id, payment_id LIMIT $4)"
        " UNION (SELECT DISTINCT merchant_id, payment_id FROM withdrawals"
        "  WHERE (merchant_id, payment_id) > ($2::uuid, $3::uuid) AND chain_id = $1"
        "  ORDER BY merchant_id, payment_id LIMIT $4)"
        " ORDER BY merchant_id, payment_id LIMIT $4",
        chain_id, progress.round_merchant, progress.round_payment, limit);
    add_keys(keys, rows);
    if (static_cast<std::size_t>(rows.size()) < limit) return std::nullopt;
    return PaymentKey{id_of<MerchantTag>(rows.back()[0]), id_of<PaymentTag>(rows.back()[1])};
}

// Of a payment whose month is not there, the books don't say what lies at its address. Says which
// were left out; empty: none.
std::string leave_out_missing(pqxx::transaction_base& tx, std::set<PaymentKey>& keys) {
    auto const missing = missing_months(tx);
    std::set<Month> months;
    std::size_t const left_out = std::erase_if(keys, [&](PaymentKey const& key) {
        Month const month = month_number(key.second);
        if (!missing.contains(month)) return false;
        months.insert(month);
        return true;
    });
    std::string text;
    for (Month const month : months)
        text += (text.empty() ? "" : ", ") + std::to_string(month);
    if (text.empty()) return text;
    return std::to_string(left_out) +
           " payment(s) of months that were taken out of the database: " + text;
}

// A difference of whose block a reorg has left nothing, or that is final and of which another
// amount is missing by now, gives way to what is found: nobody could book it as a loss any more.
void close_outdated(pqxx::transaction_base& tx, ChainId chain_id, CheckedBalances const& checked,
                    BalanceDifference const& difference) {
    tx.exec_params(
        "UPDATE balance_differences d SET closed_at = to_timestamp($2::bigint / 1000.0),"
        " closed_reason = $3 WHERE chain_id = $1 AND closed_at IS NULL"
        " AND address = $4 AND token = $5 AND ("
        "  EXISTS (SELECT FROM chain_blocks b WHERE b.chain_id = $1 AND b.number = d.block_number"
        "    AND b.hash <> d.block_hash)"
        "  OR (booked - on_chain <> $6::numeric - $7::numeric AND EXISTS (SELECT FROM "
        "chain_cursors c"
        "    WHERE c.chain_id = $1 AND d.block_number <= c.finalized_number)))",
        chain_id, to_sql(checked.at), "found anew at block " + std::to_string(checked.head.number),
        to_sql(difference.booked.address), to_sql(difference.booked.token),
        to_sql(difference.booked.amount), to_sql(difference.on_chain));
}

bool insert_difference(pqxx::transaction_base& tx, ChainId chain_id, CheckedBalances const& checked,
                       BalanceDifference const& difference) {
    BookedBalance const& booked = difference.booked;
    auto const inserted = tx.exec_params(
        "INSERT INTO balance_differences (difference_id, merchant_id, payment_id, chain_id,"
        " address, token, block_number, block_hash, booked, on_chain, found_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::bigint / 1000.0))"
        " ON CONFLICT (chain_id, address, token) WHERE closed_at IS NULL DO NOTHING",
        to_sql(new_id<DifferenceTag>(checked.at)), to_sql(booked.payment.first),
        to_sql(booked.payment.second), chain_id, to_sql(booked.address), to_sql(booked.token),
        checked.head.number, to_sql(ByteView(checked.head.hash)), to_sql(booked.amount),
        to_sql(difference.on_chain), to_sql(checked.at));
    return inserted.affected_rows() == 1;
}

}  // namespace

Task<bool> PgReconciliation::claim(ChainId chain_id, Timestamp now,
                                   std::chrono::milliseconds every) {
    auto work = [&](pqxx::work& tx) {
        auto const claimed = tx.exec_params(
            "INSERT INTO reconciliations (chain_id, next_at)"
            " VALUES ($1, to_timestamp($3::bigint / 1000.0))"
            " ON CONFLICT (chain_id) DO UPDATE SET next_at = excluded.next_at"
            " WHERE reconciliations.next_at <= to_timestamp($2::bigint / 1000.0)",
            chain_id, to_sql(now), to_sql(now + every));
        return claimed.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<BalancesToCheck>> PgReconciliation::next(ChainId chain_id,
                                                            std::size_t payments) {
    auto work = [&](SnapshotTransaction& tx) -> std::optional<BalancesToCheck> {
        auto const progress = progress_of(tx, chain_id);
        if (!progress) return std::nullopt;
        BalancesToCheck next;
        next.booked.head = progress->head;
        std::set<PaymentKey> keys;
        add_open(tx, keys, chain_id, std::max<std::size_t>(payments / 4, 1));
        next.moved_to =
            add_moved(tx, keys, chain_id, *progress, std::max<std::size_t>(payments / 4, 1));
        next.round_at =
            add_round(tx, keys, chain_id, *progress, std::max<std::size_t>(payments / 2, 1));
        next.left_out = leave_out_missing(tx, keys);
        next.booked.balances = load_booked_balances(tx, chain_id, keys);
        return next;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::size_t> PgReconciliation::record(ChainId chain_id, CheckedBalances checked) {
    auto work = [&](pqxx::work& tx) {
        std::string const merchant =
            checked.round_at ? to_sql(checked.round_at->first) : std::string{};
        std::string const payment =
            checked.round_at ? to_sql(checked.round_at->second) : std::string{};
        std::string fault = checked.fault;
        if (!checked.left_out.empty())
            fault += (fault.empty() ? "left out: " : "; left out: ") + checked.left_out;
        // Where nothing could be compared, the same is asked for once more.
        tx.exec_params(
            "UPDATE reconciliations SET compared_at = to_timestamp($2::bigint / 1000.0),"
            " compared_block = $3, compared = $4, fault = $5 WHERE chain_id = $1",
            chain_id, to_sql(checked.at), checked.head.number, checked.compared, fault);
        bool const nothing_compared = checked.compared == 0 && !checked.fault.empty();
        if (!nothing_compared) {
            tx.exec_params(
                "UPDATE reconciliations SET checked_above = greatest(checked_above, $3),"
                " round_began_at = CASE WHEN round_merchant IS NULL"
                "   THEN to_timestamp($2::bigint / 1000.0) ELSE round_began_at END,"
                " round_ended_at = CASE WHEN nullif($4, '') IS NULL"
                "   THEN to_timestamp($2::bigint / 1000.0) ELSE round_ended_at END,"
                " round_merchant = nullif($4, '')::uuid, round_payment = nullif($5, '')::uuid"
                " WHERE chain_id = $1",
                chain_id, to_sql(checked.at), checked.moved_to, merchant, payment);
        }
        PgArray tokens;
        PgArray addresses;
        for (TokenHolder const& holder : checked.agreeing) {
            tokens.add(holder.token);
            addresses.add(holder.holder);
        }
        tx.exec_params(
            "UPDATE balance_differences d SET closed_at ="
            " to_timestamp($2::bigint / 1000.0), closed_reason = $3"
            " FROM unnest($4::bytea[], $5::bytea[]) AS a(token, address)"
            " WHERE d.chain_id = $1 AND d.closed_at IS NULL"
            " AND (d.token, d.address) = (a.token, a.address)",
            chain_id, to_sql(checked.at),
            "agrees again at block " + std::to_string(checked.head.number), tokens.str(),
            addresses.str());
        std::size_t added = 0;
        for (BalanceDifference const& difference : checked.differences) {
            close_outdated(tx, chain_id, checked, difference);
            added += insert_difference(tx, chain_id, checked, difference) ? 1 : 0;
        }
        return added;
    };
    co_return co_await transact(database_, work);
}

Task<std::size_t> PgReconciliation::open_differences(ChainId chain_id) {
    auto work = [&](pqxx::work& tx) {
        auto const row = tx.exec_params1(
            "SELECT count(*) FROM balance_differences WHERE chain_id = $1 AND closed_at IS NULL",
            chain_id);
        return row[0].as<std::size_t>();
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
