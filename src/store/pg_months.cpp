#include <sycee/store/pg_months.hpp>

#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace sycee {
namespace {

// Of whoever makes, detaches or attaches months; an arbitrary number that nothing else uses.
constexpr char const* kMonthsLock = "SELECT pg_advisory_xact_lock(5910736)";
// What is booked while a month is looked through has a later time, but for clocks that differ.
constexpr std::chrono::hours kClockSlack{1};

constexpr std::array kRecords{"authorizations", "clearings", "settlements", "unapplied_receipts"};

std::string partition(std::string const& book, std::uint32_t month) {
    return "months." + book + "_" + std::to_string(month);
}

std::string records_of(std::uint32_t month) {
    std::string query;
    for (std::string const book : kRecords) {
        query += (query.empty() ? "" : " UNION ALL ") +
                 std::string("SELECT merchant_id, chain_id, seq, booked_at FROM ") +
                 partition(book, month);
    }
    return "(" + query + ")";
}

bool is_attached(pqxx::transaction_base& tx, std::uint32_t month) {
    return tx
        .exec_params1("SELECT to_regclass($1) IS NOT NULL", partition("authorizations", month))[0]
        .as<bool>();
}

// Whatever stands in the way of detaching a month, in the words of a query for it. Its columns are
// what the text names.
struct Obstacle {
    std::string query;
    std::string text;  // "%1", "%2": columns
    // It can come without anything new of the month's own records, and is quickly looked for.
    bool comes_by_itself = false;
};

std::vector<Obstacle> obstacles_of(std::uint32_t month) {
    std::string const of_authorization =
        " (x.merchant_id, x.chain_id, x.authorization_seq) = (a.merchant_id, a.chain_id, a.seq)";
    auto const is_open = [](std::string const& amount) {
        return " NOT EXISTS (SELECT FROM reversals v WHERE (v.merchant_id, v.chain_id,"
               " v.reversed_seq) = (e.merchant_id, e.chain_id, e.seq)) AND (SELECT"
               " coalesce(sum(r.amount), 0) FROM resolutions r WHERE (r.merchant_id, r.chain_id,"
               " r.exception_seq) = (e.merchant_id, e.chain_id, e.seq) AND NOT EXISTS (SELECT FROM"
               " refund_cancellations c WHERE (c.merchant_id, c.chain_id, c.promise_seq) ="
               " (r.merchant_id, r.chain_id, r.seq))) < e." +
               amount;
    };
    auto const is_of_month = [month](std::string const& column) {
        return " " + column + " >= '" + to_sql(first_id_of(month)) + "' AND " + column + " < '" +
               to_sql(first_id_of(month_after(month))) + "'";
    };
    std::string const of_month = is_of_month("p.payment_id");
    std::string const open_text = "number %1 of chain %2 is open on the exceptions desk";
    return {
        {"SELECT a.seq, a.chain_id FROM " + partition("authorizations", month) +
             " a LEFT JOIN chain_cursors k USING (chain_id)"
             " WHERE a.block_number > coalesce(k.finalized_number, -1) OR (NOT EXISTS (SELECT "
             "FROM " +
             partition("settlements", month) + " x WHERE" + of_authorization +
             ") AND NOT EXISTS (SELECT FROM " + partition("unapplied_receipts", month) +
             " x WHERE" + of_authorization +
             ") AND NOT EXISTS (SELECT FROM reversals v WHERE (v.merchant_id, v.chain_id,"
             " v.reversed_seq) = (a.merchant_id, a.chain_id, a.seq))) ORDER BY 2, 1 LIMIT 1",
         "authorization %1 of chain %2 is not final, or neither settled nor reversed nor on the "
         "exceptions desk"},
        {"SELECT e.seq, e.chain_id FROM " + partition("unapplied_receipts", month) + " e WHERE" +
             is_open("amount") + " ORDER BY 2, 1 LIMIT 1",
         open_text},
        {"SELECT e.seq, e.chain_id FROM " + partition("clearings", month) +
             " e WHERE e.excess > 0 AND" + is_open("excess") + " ORDER BY 2, 1 LIMIT 1",
         open_text},
        {"SELECT e.seq, e.chain_id FROM withdrawals e WHERE e.unexplained > 0 AND" +
             is_of_month("e.payment_id") + " AND" + is_open("unexplained") +
             " ORDER BY 2, 1 LIMIT 1",
         open_text, true},
        {"SELECT p.seq, p.chain_id FROM chain_cursors k JOIN withdrawals p"
         " ON p.chain_id = k.chain_id AND p.block_number > k.finalized_number WHERE" +
             of_month + " ORDER BY 2, 1 LIMIT 1",
         "withdrawal %1 of chain %2 is not final", true},
        {"SELECT p.seq, p.chain_id FROM (SELECT merchant_id, chain_id, seq, payment_id FROM refunds"
         " UNION ALL SELECT merchant_id, chain_id, seq, payment_id FROM resolutions"
         "  WHERE kind = 'refund') p WHERE" +
             of_month +
             " AND NOT EXISTS (SELECT FROM refund_payments e WHERE"
             " (e.merchant_id, e.chain_id, e.promise_seq) = (p.merchant_id, p.chain_id, p.seq))"
             " AND NOT EXISTS (SELECT FROM refund_cancellations e WHERE"
             " (e.merchant_id, e.chain_id, e.promise_seq) = (p.merchant_id, p.chain_id, p.seq))"
             " ORDER BY 2, 1 LIMIT 1",
         "the refund that number %1 of chain %2 promises is neither paid nor canceled", true},
        // What came for it was settled, or taken for it by the desk: one that expired with nothing
        // is never paid.
        {"SELECT i.invoice_payment_id, i.chain_id FROM fee_invoices i WHERE" +
             is_of_month("i.invoice_payment_id") +
             " AND NOT EXISTS (SELECT FROM fee_payments f WHERE (f.merchant_id,"
             " f.invoice_merchant_id, f.invoice_payment_id, f.chain_id, f.token) = (i.merchant_id,"
             " i.invoice_merchant_id, i.invoice_payment_id, i.chain_id, i.token)) AND (EXISTS"
             " (SELECT FROM " +
             partition("authorizations", month) + " a JOIN " + partition("settlements", month) +
             " x ON" + of_authorization +
             " WHERE (a.merchant_id, a.payment_id) = (i.invoice_merchant_id, i.invoice_payment_id)"
             " AND NOT EXISTS (SELECT FROM reversals v WHERE (v.merchant_id, v.chain_id,"
             " v.reversed_seq) = (x.merchant_id, x.chain_id, x.seq))) OR EXISTS (SELECT FROM"
             " resolutions r WHERE (r.merchant_id, r.target_payment_id) = (i.invoice_merchant_id,"
             " i.invoice_payment_id) AND r.kind IN ('accept', 'credit'))) ORDER BY 2, 1 LIMIT 1",
         "the invoice %1 over fees was paid, and that is not booked yet", true},
        {"SELECT p.difference_id, p.chain_id FROM balance_differences p WHERE" + of_month +
             " AND p.closed_at IS NULL ORDER BY 2, 1 LIMIT 1",
         "the difference %1 to chain %2 is open", true},
        {"SELECT p.payment_id, p.expires_at FROM payments p WHERE" + of_month +
             " AND p.expires_at > to_timestamp($1::bigint / 1000.0) LIMIT 1",
         "payment %1 can be paid until %2"},
        {"SELECT e.event_id, e.next_attempt_at FROM " + partition("outbox_events", month) +
             " e WHERE e.next_attempt_at IS NOT NULL LIMIT 1",
         "event %1 is still to be delivered", true},
        {"SELECT d.event_id, d.next_attempt_at FROM " + partition("webhook_deliveries", month) +
             " d WHERE d.next_attempt_at IS NOT NULL LIMIT 1",
         "event %1 is still to be delivered", true},
        // An event's month is that of its own id, and what it tells is its payment's.
        {"SELECT p.event_id, p.payment_id FROM outbox_events p WHERE p.next_attempt_at IS NOT NULL"
         " AND" +
             of_month + " LIMIT 1",
         "event %1 of its payment %2 is still to be delivered", true},
        {"SELECT p.event_id, p.payment_id FROM webhook_deliveries d"
         " JOIN outbox_events p USING (merchant_id, event_id)"
         " WHERE d.next_attempt_at IS NOT NULL AND" +
             of_month + " LIMIT 1",
         "event %1 of its payment %2 is still to be delivered", true},
        {"SELECT r.merchant_id, r.chain_id FROM " + records_of(month) +
             " r GROUP BY 1, 2 HAVING NOT EXISTS (SELECT FROM checkpoint_journals j WHERE"
             " (j.merchant_id, j.chain_id) = (r.merchant_id, r.chain_id)"
             " AND j.last_seq >= max(r.seq)) LIMIT 1",
         "no checkpoint has all of its records yet (merchant %1, chain %2): `sycee checkpoint` "
         "makes one"},
        {"SELECT 1 WHERE NOT EXISTS (SELECT FROM checkpoints)",
         "there is no checkpoint yet: `sycee checkpoint` makes one"},
    };
}

std::optional<std::string> find_obstacle(pqxx::transaction_base& tx, std::uint32_t month,
                                         Timestamp now, bool all = true) {
    for (Obstacle const& obstacle : obstacles_of(month)) {
        if (!all && !obstacle.comes_by_itself) continue;
        bool const asks_for_time = obstacle.query.find("$1") != std::string::npos;
        auto const rows =
            asks_for_time ? tx.exec_params(obstacle.query, to_sql(now)) : tx.exec(obstacle.query);
        if (rows.empty()) continue;
        std::string text = obstacle.text;
        for (int column = 0; column < 2; ++column) {
            std::string const place = "%" + std::to_string(column + 1);
            if (auto const at = text.find(place); at != std::string::npos)
                text.replace(at, place.size(), rows[0][column].c_str());
        }
        return text;
    }
    return std::nullopt;
}

void lock_books(pqxx::transaction_base& tx) {
    tx.exec(
        "DO $$ BEGIN EXECUTE (SELECT 'LOCK TABLE ' || string_agg('public.' || book, ', ') ||"
        " ' IN ACCESS EXCLUSIVE MODE' FROM months.books()); END $$");
}

std::unexpected<Error> refuse_month(std::uint32_t month, std::string const& why) {
    return refuse("month", month_name(month) + ": " + why);
}

// Since when nothing was booked of it, and what was. Why it can't be detached after all.
std::optional<std::string> detach_month(pqxx::transaction_base& tx, std::uint32_t month,
                                        Timestamp now) {
    auto const row = tx.exec1("SELECT (SELECT max(booked_at) FROM " + records_of(month) +
                              " r), (SELECT count(*) FROM " + partition("authorizations", month) +
                              "), (SELECT count(*) FROM " + partition("outbox_events", month) +
                              "), (SELECT max(number) FROM checkpoints)");
    lock_books(tx);
    if (auto obstacle = find_obstacle(tx, month, now, false)) return obstacle;
    tx.exec_params("SELECT months.detach($1)", month);
    tx.exec_params(
        "INSERT INTO archived_months (month, detached_at, checkpoint_number, last_booked_at,"
        " authorizations, events)"
        " VALUES ($1, to_timestamp($2::bigint / 1000.0), $3, $4, $5, $6)",
        month, to_sql(now), number_of(row[3]), row[0].is_null() ? nullptr : row[0].c_str(),
        number_of(row[1]), number_of(row[2]));
    return std::nullopt;
}

MonthOfBooks::State state_of(std::string_view name) {
    if (name == "months") return MonthOfBooks::State::attached;
    if (name == "archive") return MonthOfBooks::State::detached;
    return MonthOfBooks::State::missing;
}

}  // namespace

Result<std::uint32_t> parse_month(std::string const& text) {
    std::uint32_t year = 0;
    std::uint32_t month = 0;
    bool const has_form = text.size() == 7 && text[4] == '-';
    if (has_form) {
        char const* const begin = text.data();
        bool const parsed = std::from_chars(begin, begin + 4, year).ptr == begin + 4 &&
                            std::from_chars(begin + 5, begin + 7, month).ptr == begin + 7;
        if (parsed && year >= 2020 && month >= 1 && month <= 12) return year * 100 + month;
    }
    return refuse("month", "\"" + text + "\" is not a month from 2020-01 on, as 2026-11");
}

std::string month_name(std::uint32_t month) {
    std::string const two = std::to_string(month % 100);
    return std::to_string(month / 100) + (two.size() == 1 ? "-0" : "-") + two;
}

Task<std::size_t> PgMonths::make(Timestamp now) {
    auto work = [now](pqxx::work& tx) {
        auto const made =
            tx.exec_params1("SELECT make_months(to_timestamp($1::bigint / 1000.0))", to_sql(now));
        return made[0].as<std::size_t>();
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<MonthOfBooks>> PgMonths::list() {
    auto work = [](SnapshotTransaction& tx) {
        std::vector<MonthOfBooks> months;
        for (auto const& row :
             tx.exec("SELECT substring(c.relname FROM '_([0-9]+)$')::integer AS month, n.nspname,"
                     " sum(pg_total_relation_size(c.oid))::bigint AS bytes"
                     " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                     " WHERE n.nspname IN ('months', 'archive') AND c.relkind = 'r'"
                     " AND c.relname ~ '_[0-9]+$' AND NOT (n.nspname = 'archive' AND EXISTS ("
                     "  SELECT FROM missing_months m"
                     "  WHERE m.month::text = substring(c.relname FROM '_([0-9]+)$')))"
                     " GROUP BY 1, 2"
                     " UNION ALL SELECT month, '', 0 FROM missing_months ORDER BY 1")) {
            months.push_back(
                {row[0].as<std::uint32_t>(), state_of(row[1].c_str()), number_of(row[2])});
        }
        return months;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<Result<void>> PgMonths::detach(std::uint32_t month, Timestamp now) {
    auto look = [month, now](pqxx::work& tx) -> Result<void> {
        tx.exec("SET LOCAL statement_timeout = 0");
        if (month >= month_number(now)) return refuse_month(month, "it has not ended yet");
        if (!is_attached(tx, month))
            return refuse_month(month, "it has no tables of its own: `sycee archive list`");
        if (auto const obstacle = find_obstacle(tx, month, now))
            return refuse_month(month, *obstacle);
        return {};
    };
    auto const looked = co_await transact(database_, look);
    if (!looked) co_return looked;
    auto move = [month, now](pqxx::work& tx) -> Result<void> {
        tx.exec("SET LOCAL statement_timeout = 0");
        tx.exec(kMonthsLock);
        if (!is_attached(tx, month))
            return refuse_month(month, "another process has detached it meanwhile");
        // What came meanwhile is seen before anybody else could add more.
        tx.exec("LOCK TABLE " + partition("authorizations", month) +
                " IN SHARE ROW EXCLUSIVE MODE");
        auto const came =
            tx.exec_params("SELECT 1 FROM " + partition("authorizations", month) +
                               " WHERE booked_at >= to_timestamp($1::bigint / 1000.0) LIMIT 1",
                           to_sql(now - kClockSlack));
        if (!came.empty() && find_obstacle(tx, month, now))
            return refuse_month(month, "something of it was booked meanwhile: try again");
        if (auto const obstacle = detach_month(tx, month, now))
            return refuse_month(month, *obstacle);
        return {};
    };
    co_return co_await transact(database_, move);
}

Task<Result<void>> PgMonths::attach(std::uint32_t month) {
    auto work = [month](pqxx::work& tx) -> Result<void> {
        tx.exec("SET LOCAL statement_timeout = 0");
        tx.exec(kMonthsLock);
        auto const rows = tx.exec_params(
            "SELECT NOT EXISTS (SELECT FROM months.books() b"
            "  WHERE to_regclass('archive.' || b.book || '_' || a.month) IS NULL)"
            " FROM archived_months a WHERE a.month = $1",
            month);
        if (rows.empty()) return refuse_month(month, "it is not detached");
        if (!rows[0][0].as<bool>()) {
            return refuse_month(month,
                                "its tables are not in the database: read them back into the "
                                "schema `archive` first");
        }
        lock_books(tx);
        tx.exec_params("SELECT months.attach($1)", month);
        tx.exec_params("DELETE FROM archived_months WHERE month = $1", month);
        return {};
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
