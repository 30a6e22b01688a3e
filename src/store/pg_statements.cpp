#include <sycee/base/assert.hpp>
#include <sycee/store/pg_statements.hpp>

#include "months.hpp"
#include "payment_rows.hpp"
#include "session.hpp"
#include "statement_rows.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace sycee {
namespace {

constexpr std::uint64_t kMostNumber = std::numeric_limits<std::int64_t>::max();

// The batches of one chain that were booked in the period: number first + 1 to last.
struct Cut {
    ChainId chain_id = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// The planner can't know that the rows that are looked for stand together, and would sort a table,
// or send workers to its other end.
void prepare(pqxx::transaction_base& tx, std::chrono::seconds longest_query) {
    tx.exec("SET LOCAL statement_timeout = " + std::to_string(longest_query.count() * 1000));
    tx.exec("SET LOCAL max_parallel_workers_per_gather = 0");
    tx.exec("SET LOCAL enable_seqscan = off");
    tx.exec("SET LOCAL enable_bitmapscan = off");
}

// For a condition "cardinality($n::bytea[]) = 0 OR token = ANY ($n::bytea[])".
std::string tokens_array(StatementQuery const& query) {
    PgArray tokens;
    for (Address const& token : query.tokens)
        tokens.add(token);
    return tokens.str();
}

bool is_asked_for(StatementQuery const& query, Address const& token) {
    return query.tokens.empty() || std::ranges::find(query.tokens, token) != query.tokens.end();
}

std::vector<ChainId> load_chains(pqxx::transaction_base& tx, StatementQuery const& query) {
    std::vector<ChainId> chains;
    for (auto const& row :
         tx.exec_params("SELECT chain_id FROM journal_heads WHERE merchant_id = $1"
                        " AND ($2::bigint = 0 OR chain_id = $2) ORDER BY chain_id",
                        to_sql(query.merchant_id), query.chain_id.value_or(0))) {
        chains.push_back(number_of(row[0]));
    }
    return chains;
}

// The number of the last batch of a chain for which `condition` holds, where it holds for no batch
// after one for which it does not. Powers of two from the greatest down: batches that are added
// later change nothing of what is found, whatever the clock did when they were booked.
std::uint64_t last_batch_where(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                               std::string const& condition, std::string const& value) {
    auto const row = tx.exec_params1(
        "WITH RECURSIVE descent(step, number) AS ("
        "  SELECT 1::bigint << 40, 0::bigint"
        "  UNION ALL"
        "  SELECT d.step >> 1, d.number + CASE WHEN EXISTS (SELECT FROM settlement_batches b"
        "    WHERE b.merchant_id = $1 AND b.chain_id = $2"
        "     AND b.batch_number = d.number + d.step AND " +
            condition +
            ") THEN d.step ELSE 0 END"
            "  FROM descent d WHERE d.step > 0)"
            " SELECT number FROM descent WHERE step = 0",
        to_sql(merchant_id), chain_id, value);
    return number_of(row[0]);
}

std::vector<Cut> load_cuts(pqxx::transaction_base& tx, StatementQuery const& query) {
    require_present_since(tx, query.period.begin);
    std::string const booked_before = "b.booked_at < to_timestamp($3::bigint / 1000.0)";
    std::vector<Cut> cuts;
    for (ChainId const chain_id : load_chains(tx, query)) {
        auto const last_before = [&](Timestamp moment) {
            return last_batch_where(tx, query.merchant_id, chain_id, booked_before, to_sql(moment));
        };
        cuts.push_back({chain_id, last_before(query.period.begin), last_before(query.period.end)});
    }
    return cuts;
}

using AccountKey = std::pair<ChainId, Address>;
using Accounts = std::map<AccountKey, StatementAccount>;

StatementAccount& account_at(Accounts& accounts, pqxx::row const& row) {
    AccountKey const key{number_of(row["chain_id"]), address_in(row["token"])};
    auto& account = accounts[key];
    account.chain_id = key.first;
    account.token = key.second;
    return account;
}

// As they stand now. What was posted since the period began is taken off afterwards.
void load_balances(pqxx::transaction_base& tx, StatementQuery const& query, Accounts& accounts) {
    for (auto const& row : tx.exec_params(
             "SELECT chain_id, token, account, balance FROM account_balances"
             " WHERE merchant_id = $1 AND ($2::bigint = 0 OR chain_id = $2)"
             " AND (cardinality($3::bytea[]) = 0 OR token = ANY ($3::bytea[]))"
             " AND account IN ('merchant_settled', 'payer_unapplied')",
             to_sql(query.merchant_id), query.chain_id.value_or(0), tokens_array(query))) {
        auto& account = account_at(accounts, row);
        bool const settled = std::string_view(row["account"].c_str()) == "merchant_settled";
        (settled ? account.closing : account.unapplied_closing) = amount_of(row["balance"]);
    }
}

// What the records that may move one of the two accounts have posted since the period began:
// `within` it or later. What moved merchant_settled is not told by kind: the records of lines()
// must add up to it.
constexpr char const* kPostedSince =
    "WITH moved(seq, within, kind, month) AS ("
    "  SELECT seq, batch_number <= $4, 'settlement', 0 FROM settlement_batches"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND batch_number > $3"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, kind, 0 FROM resolutions"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'refund', 0 FROM refunds"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'cancellation', 0"
    "   FROM refund_cancellations"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'reversal', 0 FROM reversals"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'receipt', month_of(payment_id)"
    "   FROM all_unapplied_receipts"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'receipt', month_of(payment_id)"
    "   FROM all_clearings"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz AND excess > 0"
    "  UNION ALL SELECT seq, booked_at < $6::timestamptz, 'receipt', 0 FROM withdrawals"
    "   WHERE merchant_id = $1 AND chain_id = $2 AND booked_at >= $5::timestamptz"
    "    AND unexplained > 0)"
    " SELECT $2::bigint AS chain_id, p.token, side.account, side.is_credit, m.within, m.kind,"
    "  sum(p.amount) AS amount"
    " FROM moved m JOIN all_postings p ON p.merchant_id = $1 AND p.chain_id = $2"
    "  AND p.month = m.month AND p.seq = m.seq"
    " CROSS JOIN LATERAL (VALUES (p.debit, false), (p.credit, true)) AS side(account, is_credit)"
    " WHERE side.account IN ('merchant_settled', 'payer_unapplied')"
    "  AND (cardinality($7::bytea[]) = 0 OR p.token = ANY ($7::bytea[]))"
    " GROUP BY p.token, side.account, side.is_credit, m.within, m.kind";

struct Posted {
    Amount in;
    Amount out;
};

// Undoes what was posted, from a balance after it.
Amount before(Amount balance, Posted const& posted) {
    return balance + posted.out - posted.in;
}

void take_unapplied(StatementAccount& account, std::string_view kind, bool is_credit,
                    Amount amount) {
    if (kind == "cancellation") {
        account.promises_canceled += amount;
    } else if (is_credit) {
        account.unapplied_received += amount;
    } else if (kind == "refund") {
        account.refunds_promised += amount;
    } else if (kind == "reversal") {
        account.unapplied_reversed += amount;
    } else {
        account.unapplied_applied += amount;
    }
}

void load_posted(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                 Accounts& accounts) {
    struct Moves {
        Posted settled_within, settled_later, unapplied_within, unapplied_later;
    };
    std::map<AccountKey, Moves> moves;
    for (auto const& row : tx.exec_params(kPostedSince, to_sql(query.merchant_id), cut.chain_id,
                                          cut.first, cut.last, to_rfc3339(query.period.begin),
                                          to_rfc3339(query.period.end), tokens_array(query))) {
        auto& account = account_at(accounts, row);
        auto& of = moves[{account.chain_id, account.token}];
        bool const settled = std::string_view(row["account"].c_str()) == "merchant_settled";
        bool const within = row["within"].as<bool>();
        bool const is_credit = row["is_credit"].as<bool>();
        Amount const amount = amount_of(row["amount"]);
        Posted& posted = settled ? (within ? of.settled_within : of.settled_later)
                                 : (within ? of.unapplied_within : of.unapplied_later);
        (is_credit ? posted.in : posted.out) += amount;
        if (!settled && within) take_unapplied(account, row["kind"].c_str(), is_credit, amount);
    }
    for (auto const& [key, of] : moves) {
        auto& account = accounts.at(key);
        account.closing = before(account.closing, of.settled_later);
        account.opening = before(account.closing, of.settled_within);
        account.unapplied_closing = before(account.unapplied_closing, of.unapplied_later);
        account.unapplied_opening = before(account.unapplied_closing, of.unapplied_within);
    }
}

// Opening and closing of every account, and what moved payer_unapplied.
Accounts load_accounts(pqxx::transaction_base& tx, StatementQuery const& query,
                       std::vector<Cut> const& cuts) {
    Accounts accounts;
    load_balances(tx, query, accounts);
    for (auto& [key, account] : accounts) {
        account.opening = account.closing;
        account.unapplied_opening = account.unapplied_closing;
    }
    for (Cut const& cut : cuts)
        load_posted(tx, query, cut, accounts);
    return accounts;
}

void add(StatementSum& sum, pqxx::row const& row) {
    sum.count += number_of(row["count"]);
    sum.gross += amount_of(row["gross"]);
    sum.fees += amount_of(row["fees"]);
    sum.net += amount_of(row["net"]);
}

// Since when the payments were created that a period's batches settle: in the months in which
// nearly all were, or ever.
std::array<std::string, 2> payments_since(StatementQuery const& query) {
    return {to_sql(first_id_of(month_before(month_number(query.period.begin)))), to_sql(Uuid{})};
}

// Of a batch, or of several that follow one another, from the last one back: they stand together in
// the order of their authorizations, but for a payment that waited long. `since`: of payments from
// this id on; without it, the older months would be looked through from their end.
std::string settlements_between(std::string const& since, std::string const& first,
                                std::string const& last, std::string const& count,
                                std::string const& more = {}) {
    return "(SELECT x.* FROM all_settlements x WHERE x.merchant_id = $1 AND x.chain_id = $2"
           " AND x.payment_id >= '" +
           since + "'::uuid AND x.authorization_seq < " + last + " AND x.seq BETWEEN " + first +
           " AND " + last + more + " ORDER BY x.authorization_seq DESC LIMIT " + count + ")";
}

constexpr char const* kClearingOfSettlement =
    " JOIN all_clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
    "   = (s.merchant_id, s.chain_id, s.authorization_seq) AND c.payment_id = s.payment_id";
constexpr char const* kAuthorizationOfSettlement =
    " JOIN all_authorizations a ON (a.merchant_id, a.chain_id, a.seq)"
    "   = (s.merchant_id, s.chain_id, s.authorization_seq) AND a.payment_id = s.payment_id";

void load_settlements(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                      Accounts& accounts) {
    if (cut.first >= cut.last) return;
    auto const range = tx.exec_params1(
        "SELECT min(first_seq), max(last_seq), sum(settlement_count) FROM settlement_batches"
        " WHERE merchant_id = $1 AND chain_id = $2 AND batch_number > $3 AND batch_number <= $4",
        to_sql(query.merchant_id), cut.chain_id, cut.first, cut.last);
    ensure(!range[0].is_null(), "statement: batches are missing in the middle of a chain");
    pqxx::result rows;
    for (std::string const& since : payments_since(query)) {
        rows = tx.exec_params(
            "SELECT c.chain_id, c.token, count(*), sum(c.gross) AS gross,"
            " sum(c.fee) AS fees, sum(s.net) AS net,"
            " count(DISTINCT s.batch_number) AS batches,"
            " min(s.batch_number) AS first, max(s.batch_number) AS last FROM " +
                settlements_between(since, "$3", "$4", "$5") + " s" + kClearingOfSettlement +
                " GROUP BY c.chain_id, c.token",
            to_sql(query.merchant_id), cut.chain_id, number_of(range[0]), number_of(range[1]),
            number_of(range[2]));
        std::uint64_t found = 0;
        for (auto const& row : rows)
            found += number_of(row["count"]);
        if (found == number_of(range[2])) break;
    }
    for (auto const& row : rows) {
        if (!is_asked_for(query, address_in(row["token"]))) continue;
        auto& account = account_at(accounts, row);
        add(account.settlements, row);
        account.batch_count = number_of(row["batches"]);
        account.first_batch = number_of(row["first"]);
        account.last_batch = number_of(row["last"]);
    }
}

// What a record of `book` r must fulfil to be of the period, beyond a record.
std::string of_period(std::string const& sequence) {
    return " r.merchant_id = $1 AND r.chain_id = $2 AND r.booked_at >= $3::timestamptz"
           " AND r.booked_at < $4::timestamptz AND r.seq > " +
           sequence;
}

// The settlement that a reversal r reverses, found by its payment.
constexpr char const* kReversedSettlement =
    " JOIN all_authorizations a ON (a.merchant_id, a.payment_id) = (r.merchant_id, r.payment_id)"
    "  AND a.chain_id = r.chain_id"
    " JOIN all_settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
    "   = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
    "   AND s.seq = r.reversed_seq";

StatementSum* sum_of(StatementAccount& account, std::string_view kind) {
    if (kind == "accept") return &account.accepted;
    if (kind == "credit") return &account.credited;
    if (kind == "write_off") return &account.written_off;
    if (kind == "reversal") return &account.reversed;
    if (kind == "refund") return &account.refunded;
    if (kind == "cancellation") return &account.refunds_canceled;
    return nullptr;
}

// Those that took money out of merchant_settled, or brought it back there.
constexpr char const* kOfSettledMoney = " AND r.promise_kind = 'refund'";

// Of the period, before the condition on the promise and the grouping.
std::string refund_sums(std::string const& book, std::string const& kind) {
    bool const is_promise = book == "refunds";
    return " UNION ALL SELECT r.chain_id, r.token, " + kind +
           ", count(*), sum(r.amount), 0::numeric, sum(r.amount) FROM " + book + " r WHERE" +
           of_period("0") + " AND (cardinality($5::bytea[]) = 0 OR r.token = ANY ($5::bytea[]))" +
           (is_promise ? " GROUP BY r.chain_id, r.token" : "");
}

void load_decisions_and_reversals(pqxx::transaction_base& tx, StatementQuery const& query,
                                  Cut const& cut, Accounts& accounts) {
    std::string const sql =
        "SELECT r.chain_id, r.token, r.kind, count(*), sum(r.amount) AS gross, sum(r.fee) AS fees,"
        " sum(r.amount - r.fee) AS net FROM resolutions r WHERE" +
        of_period("0") +
        " AND r.kind <> 'refund' AND (cardinality($5::bytea[]) = 0 OR r.token = ANY ($5::bytea[]))"
        " GROUP BY r.chain_id, r.token, r.kind"
        " UNION ALL SELECT r.chain_id, c.token, 'reversal', count(*), sum(c.gross), sum(c.fee),"
        " sum(c.net) FROM reversals r" +
        kReversedSettlement + kClearingOfSettlement + " WHERE" + of_period("0") +
        " AND r.reversed_kind = 'settlement'"
        " AND (cardinality($5::bytea[]) = 0 OR c.token = ANY ($5::bytea[]))"
        " GROUP BY r.chain_id, c.token" +
        refund_sums("refunds", "'refund'") + refund_sums("refund_cancellations", "'cancellation'") +
        kOfSettledMoney + " GROUP BY r.chain_id, r.token";
    for (auto const& row : tx.exec_params(sql, to_sql(query.merchant_id), cut.chain_id,
                                          to_rfc3339(query.period.begin),
                                          to_rfc3339(query.period.end), tokens_array(query))) {
        StatementSum* const sum = sum_of(account_at(accounts, row), row["kind"].c_str());
        ensure(sum != nullptr, "statement: an unknown kind of decision");
        add(*sum, row);
    }
}

bool is_empty(StatementAccount const& account) {
    StatementAccount const empty{.chain_id = account.chain_id, .token = account.token};
    return account == empty;
}

StatementLineKind line_kind_of(pqxx::field const& field) {
    std::string_view const kind = field.c_str();
    if (kind == "accept") return StatementLineKind::accepted;
    if (kind == "credit") return StatementLineKind::credited;
    if (kind == "write_off") return StatementLineKind::written_off;
    if (kind == "reversal") return StatementLineKind::reversal;
    if (kind == "refund") return StatementLineKind::refund;
    if (kind == "cancellation") return StatementLineKind::refund_canceled;
    ensure(kind == "settlement", "statement: an unknown kind of line");
    return StatementLineKind::settlement;
}

std::optional<LockedValue> value_of(StatementLine const& line, pqxx::row const& row) {
    // What is written off pays nothing, so it has no price.
    if (line.kind == StatementLineKind::written_off) return std::nullopt;
    Payment payment;
    payment.currency = row["currency"].c_str();
    payment.price = amount_of(row["price"]);
    payment.options = parse_options(row["options"].c_str());
    auto const value = value_at_locked_price(payment, line.chain_id, line.token, line.gross);
    if (!value) return std::nullopt;
    return LockedValue{std::move(payment.currency), *value};
}

// Of every line's query: payment p, transfer t.
std::string line_columns() {
    return ", " + time_column("r.booked_at", "booked_millis") +
           ", p.payment_id, p.reference, p.currency, p.price, p.options, t.tx_hash, t.log_index,"
           " t.block_number, " +
           time_column("t.block_time", "block_millis");
}

void take_lines(pqxx::result const& rows, ChainId chain_id, std::vector<StatementLine>& lines) {
    for (auto const& row : rows) {
        StatementLine line{.kind = line_kind_of(row["kind"]),
                           .chain_id = chain_id,
                           .sequence = number_of(row["seq"]),
                           .booked_at = time_of(row["booked_millis"]),
                           .payment_id = id_of<PaymentTag>(row["payment_id"]),
                           .reference = row["reference"].c_str(),
                           .block_time = time_of(row["block_millis"]),
                           .token = address_in(row["token"]),
                           .gross = amount_of(row["gross"]),
                           .fee = amount_of(row["fee"]),
                           .net = amount_of(row["net"])};
        if (!row["tx_hash"].is_null()) {
            line.transaction_hash = bytes_of<32>(row["tx_hash"]);
            line.log_index = row["log_index"].as<std::uint32_t>();
            line.block_number = number_of(row["block_number"]);
        }
        if (!row["batch_number"].is_null()) line.batch_number = number_of(row["batch_number"]);
        line.value = value_of(line, row);
        lines.push_back(std::move(line));
    }
}

// The lines of so many settlements; nothing where they are of older payments as well.
std::optional<pqxx::result> settlement_lines(pqxx::transaction_base& tx,
                                             StatementQuery const& query, Cut const& cut,
                                             std::string const& since, std::uint64_t first,
                                             std::uint64_t last, std::uint64_t count,
                                             std::string const& batches, std::size_t most) {
    auto rows = tx.exec_params(
        "SELECT r.seq, 'settlement' AS kind, r.batch_number, c.token, c.gross, c.fee, r.net,"
        " r.found" +
            line_columns() + " FROM (SELECT s.*, count(*) OVER () AS found FROM " +
            settlements_between(since, "$3", "$4", "$5",
                                " AND x.batch_number = ANY ($6::bigint[])") +
            " s ORDER BY s.seq LIMIT $7) r"
            " JOIN all_clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
            "   = (r.merchant_id, r.chain_id, r.authorization_seq)"
            "   AND c.payment_id = r.payment_id"
            " JOIN all_authorizations t ON (t.merchant_id, t.chain_id, t.seq)"
            "   = (r.merchant_id, r.chain_id, r.authorization_seq)"
            "   AND t.payment_id = r.payment_id"
            " JOIN payments p ON (p.merchant_id, p.payment_id) = (r.merchant_id, r.payment_id)"
            " ORDER BY r.seq",
        to_sql(query.merchant_id), cut.chain_id, first, last, count, batches, most);
    if (rows.empty() || number_of(rows[0]["found"]) != count) return std::nullopt;
    return rows;
}

// The settlements beyond a record, out of no more batches than it takes to find so many.
void load_settlement_lines(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                           std::uint64_t after, std::size_t most,
                           std::vector<StatementLine>& lines) {
    std::uint64_t const read = last_batch_where(tx, query.merchant_id, cut.chain_id,
                                                "b.last_seq <= $3::bigint", std::to_string(after));
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    PgArray numbers;
    for (auto const& row :
         tx.exec_params("SELECT batch_number, first_seq, last_seq FROM settlement_batches"
                        " WHERE merchant_id = $1 AND chain_id = $2 AND batch_number > $3"
                        " AND batch_number <= $4"
                        " AND (cardinality($5::bytea[]) = 0 OR token = ANY ($5::bytea[]))"
                        " ORDER BY batch_number LIMIT $6",
                        to_sql(query.merchant_id), cut.chain_id, std::max(read, cut.first),
                        cut.last, tokens_array(query), most)) {
        if (count >= most) break;
        std::uint64_t const from = std::max(number_of(row["first_seq"]), after + 1);
        if (first == 0) first = from;
        last = number_of(row["last_seq"]);
        count += last - from + 1;
        numbers.add(number_of(row["batch_number"]));
    }
    if (count == 0) return;
    std::optional<pqxx::result> rows;
    for (std::string const& since : payments_since(query)) {
        if (!rows) {
            rows = settlement_lines(tx, query, cut, since, first, last, count, numbers.str(), most);
        }
    }
    ensure(rows && rows->size() == std::min<std::uint64_t>(count, most),
           "statement: a settlement of a batch is missing");
    take_lines(*rows, cut.chain_id, lines);
}

// The transfer behind an exception: that of the authorization upon which it was booked, found by
// its payment, or the withdrawal itself.
constexpr char const* kTransferOfException =
    " CROSS JOIN LATERAL ("
    "  SELECT w.tx_hash, w.log_index, w.block_number, w.block_time FROM withdrawals w"
    "   WHERE (w.merchant_id, w.chain_id, w.seq) = (r.merchant_id, r.chain_id, r.exception_seq)"
    "  UNION ALL SELECT a.tx_hash, a.log_index, a.block_number, a.block_time"
    "   FROM all_authorizations a"
    "   LEFT JOIN all_unapplied_receipts u ON (u.merchant_id, u.chain_id, u.authorization_seq)"
    "     = (a.merchant_id, a.chain_id, a.seq) AND u.payment_id = a.payment_id"
    "   LEFT JOIN all_clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
    "     = (a.merchant_id, a.chain_id, a.seq) AND c.payment_id = a.payment_id"
    "   WHERE (a.merchant_id, a.payment_id) = (r.merchant_id, r.payment_id)"
    "    AND a.chain_id = r.chain_id AND r.exception_seq IN (u.seq, c.seq)) t";

void load_other_lines(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                      std::uint64_t after, std::size_t most, std::vector<StatementLine>& lines) {
    auto const load = [&](std::string const& sql) {
        take_lines(tx.exec_params(sql, to_sql(query.merchant_id), cut.chain_id,
                                  to_rfc3339(query.period.begin), to_rfc3339(query.period.end),
                                  after, tokens_array(query), most),
                   cut.chain_id, lines);
    };
    load(
        "SELECT r.seq, r.kind, NULL::bigint AS batch_number, r.token, r.amount AS gross, r.fee,"
        " r.amount - r.fee AS net" +
        line_columns() +
        " FROM resolutions r JOIN payments p"
        "  ON (p.merchant_id, p.payment_id) = (r.merchant_id, r.target_payment_id)" +
        kTransferOfException + " WHERE" + of_period("$5::bigint") +
        " AND r.kind <> 'refund' AND (cardinality($6::bytea[]) = 0 OR r.token = ANY ($6::bytea[]))"
        " ORDER BY r.seq LIMIT $7");
    load("SELECT r.seq, 'reversal' AS kind, s.batch_number, c.token, c.gross, c.fee, c.net" +
         line_columns() + " FROM reversals r" + kReversedSettlement + kClearingOfSettlement +
         " CROSS JOIN LATERAL (SELECT a.tx_hash, a.log_index, a.block_number, a.block_time) t"
         " JOIN payments p ON (p.merchant_id, p.payment_id) = (r.merchant_id, r.payment_id)"
         " WHERE" +
         of_period("$5::bigint") +
         " AND r.reversed_kind = 'settlement'"
         " AND (cardinality($6::bytea[]) = 0 OR c.token = ANY ($6::bytea[]))"
         " ORDER BY r.seq LIMIT $7");
    // Of no one transfer: they are dated as they were decided.
    for (auto const& [book, kind, condition] :
         {std::tuple("refunds", "refund", ""),
          std::tuple("refund_cancellations", "cancellation", kOfSettledMoney)}) {
        load("SELECT r.seq, '" + std::string(kind) +
             "' AS kind, NULL::bigint AS batch_number, r.token, r.amount AS gross,"
             " 0::numeric AS fee, r.amount AS net" +
             line_columns() + " FROM " + book +
             " r CROSS JOIN LATERAL (SELECT NULL::bytea AS tx_hash, NULL::int AS log_index,"
             "  NULL::bigint AS block_number, r.booked_at AS block_time) t"
             " JOIN payments p ON (p.merchant_id, p.payment_id) = (r.merchant_id, r.payment_id)"
             " WHERE" +
             of_period("$5::bigint") + condition +
             " AND (cardinality($6::bytea[]) = 0 OR r.token = ANY ($6::bytea[]))"
             " ORDER BY r.seq LIMIT $7");
    }
}

// One more than a page, where there are so many.
void cut_page(auto& items, bool& has_more, std::size_t limit) {
    has_more = items.size() > limit;
    if (has_more) items.resize(limit);
}

StatementBatch batch_of(pqxx::row const& row) {
    return {.chain_id = number_of(row["chain_id"]),
            .batch = {.batch_number = number_of(row["batch_number"]),
                      .token = address_in(row["token"]),
                      .first_sequence = number_of(row["first_seq"]),
                      .last_sequence = number_of(row["last_seq"]),
                      .settlement_count = number_of(row["settlement_count"]),
                      .finalized_block = number_of(row["finalized_block"]),
                      .net = amount_of(row["net"])},
            .sequence = number_of(row["seq"]),
            .booked_at = time_of(row["booked_millis"]),
            .gross = amount_of(row["gross"]),
            .fees = amount_of(row["fees"]),
            .first_block = number_of(row["first_block"]),
            .last_block = number_of(row["last_block"])};
}

void load_batches(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                  std::uint64_t after, std::size_t most, std::vector<StatementBatch>& batches) {
    auto const sql = [](std::string const& since) {
        return "SELECT b.*, " + time_column("b.booked_at", "booked_millis") +
               ", m.* FROM (SELECT * FROM settlement_batches WHERE merchant_id = $1 AND chain_id = "
               "$2"
               "  AND batch_number > $3 AND batch_number <= $4"
               "  AND (cardinality($5::bytea[]) = 0 OR token = ANY ($5::bytea[]))"
               "  ORDER BY batch_number LIMIT $6) b CROSS JOIN LATERAL ("
               "  SELECT count(*), sum(c.gross) AS gross, sum(c.fee) AS fees, sum(s.net) AS "
               "settled,"
               "   min(a.block_number) AS first_block, max(a.block_number) AS last_block FROM " +
               settlements_between(since, "b.first_seq", "b.last_seq", "b.settlement_count") +
               " s" + kClearingOfSettlement + kAuthorizationOfSettlement +
               ") m ORDER BY b.batch_number";
    };
    auto const is_whole = [](pqxx::row const& row) {
        return number_of(row["count"]) == number_of(row["settlement_count"]);
    };
    pqxx::result rows;
    for (std::string const& since : payments_since(query)) {
        rows = tx.exec_params(sql(since), to_sql(query.merchant_id), cut.chain_id,
                              std::max(after, cut.first), cut.last, tokens_array(query), most);
        if (std::all_of(rows.begin(), rows.end(), is_whole)) break;
    }
    for (auto const& row : rows) {
        // Before its sums are taken, which are null where there is none at all.
        ensure(is_whole(row), "statement: a batch is not the sum of its settlements");
        StatementBatch batch = batch_of(row);
        ensure(amount_of(row["settled"]) == batch.batch.net,
               "statement: a batch is not the sum of its settlements");
        batches.push_back(batch);
    }
}

using Days = std::map<std::tuple<Timestamp, ChainId, Address>, StatementDay>;

StatementDay& day_at(Days& days, ChainId chain_id, pqxx::row const& row) {
    auto const period = day_of(time_of(row["day"]));
    Address const token = address_in(row["token"]);
    auto& day = days[{period.begin, chain_id, token}];
    day.day = period;
    day.chain_id = chain_id;
    day.token = token;
    return day;
}

std::string day_column(std::string const& column) {
    return "(extract(epoch FROM date_trunc('day', " + column + ")) * 1000)::bigint AS day";
}

void load_settled_days(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                       Days& days) {
    for (auto const& row : tx.exec_params(
             "SELECT " + day_column("booked_at") +
                 ", token, count(*), sum(settlement_count) AS settlements,"
                 " sum(net) AS net FROM settlement_batches WHERE merchant_id = $1"
                 " AND chain_id = $2 AND batch_number > $3 AND batch_number <= $4"
                 " AND (cardinality($5::bytea[]) = 0 OR token = ANY ($5::bytea[]))"
                 " GROUP BY 1, 2",
             to_sql(query.merchant_id), cut.chain_id, cut.first, cut.last, tokens_array(query))) {
        StatementDay& day = day_at(days, cut.chain_id, row);
        day.batch_count = number_of(row["count"]);
        day.settlement_count = number_of(row["settlements"]);
        day.net = amount_of(row["net"]);
    }
}

std::string refund_days(std::string const& book, std::string const& kind,
                        std::string const& condition) {
    return " UNION ALL SELECT " + day_column("r.booked_at") + ", r.token, " + kind +
           ", sum(r.amount) FROM " + book + " r WHERE" + of_period("0") + condition +
           " AND (cardinality($5::bytea[]) = 0 OR r.token = ANY ($5::bytea[])) GROUP BY 1, 2";
}

void load_other_days(pqxx::transaction_base& tx, StatementQuery const& query, Cut const& cut,
                     Days& days) {
    std::string const sql =
        "SELECT " + day_column("r.booked_at") +
        ", r.token, 'decision' AS kind, sum(r.amount - r.fee) AS net FROM resolutions r WHERE" +
        of_period("0") +
        " AND r.kind <> 'refund' AND (cardinality($5::bytea[]) = 0 OR r.token = ANY ($5::bytea[]))"
        " GROUP BY 1, 2 UNION ALL SELECT " +
        day_column("r.booked_at") + ", a.token, 'reversal', sum(s.net) FROM reversals r" +
        kReversedSettlement + " WHERE" + of_period("0") +
        " AND r.reversed_kind = 'settlement'"
        " AND (cardinality($5::bytea[]) = 0 OR a.token = ANY ($5::bytea[])) GROUP BY 1, 2" +
        refund_days("refunds", "'refund'", "") +
        refund_days("refund_cancellations", "'cancellation'", kOfSettledMoney);
    for (auto const& row : tx.exec_params(sql, to_sql(query.merchant_id), cut.chain_id,
                                          to_rfc3339(query.period.begin),
                                          to_rfc3339(query.period.end), tokens_array(query))) {
        StatementDay& day = day_at(days, cut.chain_id, row);
        std::string_view const kind = row["kind"].c_str();
        Amount const net = amount_of(row["net"]);
        if (kind == "decision") day.decided += net;
        if (kind == "reversal") day.reversed += net;
        if (kind == "refund") day.refunded += net;
        if (kind == "cancellation") day.canceled += net;
    }
}

// Where reading goes on in a chain: nothing for one that was read to its end.
std::optional<std::uint64_t> begin_in(ChainId chain_id,
                                      std::optional<StatementCursor> const& after) {
    if (!after || chain_id > after->chain_id) return 0;
    if (chain_id < after->chain_id) return std::nullopt;
    return std::min(after->number, kMostNumber);
}

}  // namespace

Statement load_statement(SnapshotTransaction& tx, StatementQuery const& query, Timestamp now,
                         std::chrono::seconds longest_query) {
    prepare(tx, longest_query);
    std::vector<Cut> const cuts = load_cuts(tx, query);
    Accounts accounts = load_accounts(tx, query, cuts);
    for (Cut const& cut : cuts) {
        load_settlements(tx, query, cut, accounts);
        load_decisions_and_reversals(tx, query, cut, accounts);
    }
    Statement statement{.query = query, .read_at = now, .accounts = {}};
    for (auto& [key, account] : accounts) {
        auto const checked = check_account(account);
        if (!checked) {
            ensure(false, "statement of " + to_string(query.merchant_id) + " for " +
                              query.period.name + ", chain " + std::to_string(key.first) +
                              ", token " + to_string(key.second) + ": " +
                              to_string(checked.error()));
        }
        if (!is_empty(account)) statement.accounts.push_back(account);
    }
    return statement;
}

StatementLinePage load_statement_lines(SnapshotTransaction& tx, StatementQuery const& query,
                                       std::optional<StatementCursor> after, std::size_t limit,
                                       std::chrono::seconds longest_query) {
    prepare(tx, longest_query);
    StatementLinePage page;
    for (Cut const& cut : load_cuts(tx, query)) {
        auto const begin = begin_in(cut.chain_id, after);
        if (!begin) continue;
        std::size_t const most = limit + 1 - page.lines.size();
        std::vector<StatementLine> lines;
        load_settlement_lines(tx, query, cut, *begin, most, lines);
        load_other_lines(tx, query, cut, *begin, most, lines);
        std::ranges::sort(lines, {}, &StatementLine::sequence);
        lines.resize(std::min(lines.size(), most));
        std::ranges::move(lines, std::back_inserter(page.lines));
        if (page.lines.size() > limit) break;
    }
    cut_page(page.lines, page.has_more, limit);
    return page;
}

Task<Statement> PgStatements::statement(StatementQuery query, Timestamp now) {
    auto work = [&](SnapshotTransaction& tx) {
        return load_statement(tx, query, now, longest_query_);
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<StatementLinePage> PgStatements::lines(StatementQuery query,
                                            std::optional<StatementCursor> after,
                                            std::size_t limit) {
    auto work = [&](SnapshotTransaction& tx) {
        return load_statement_lines(tx, query, after, limit, longest_query_);
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<StatementBatchPage> PgStatements::batches(StatementQuery query,
                                               std::optional<StatementCursor> after,
                                               std::size_t limit) {
    auto work = [&](SnapshotTransaction& tx) {
        prepare(tx, longest_query_);
        StatementBatchPage page;
        for (Cut const& cut : load_cuts(tx, query)) {
            auto const begin = begin_in(cut.chain_id, after);
            if (!begin) continue;
            load_batches(tx, query, cut, *begin, limit + 1 - page.batches.size(), page.batches);
            if (page.batches.size() > limit) break;
        }
        cut_page(page.batches, page.has_more, limit);
        return page;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<StatementDay>> PgStatements::days(StatementQuery query) {
    auto work = [&](SnapshotTransaction& tx) {
        prepare(tx, longest_query_);
        std::vector<Cut> const cuts = load_cuts(tx, query);
        Days found;
        for (Cut const& cut : cuts) {
            load_settled_days(tx, query, cut, found);
            load_other_days(tx, query, cut, found);
        }
        std::vector<StatementDay> days;
        for (auto& [key, day] : found)
            days.push_back(std::move(day));
        std::map<AccountKey, Amount> opening;
        for (auto const& [key, account] : load_accounts(tx, query, cuts))
            opening.emplace(key, account.opening);
        add_closings(days, std::move(opening));
        // Newest first, and within a day by chain and token.
        std::ranges::sort(days, [](StatementDay const& a, StatementDay const& b) {
            if (a.day.begin != b.day.begin) return a.day.begin > b.day.begin;
            return std::pair(a.chain_id, a.token) < std::pair(b.chain_id, b.token);
        });
        return days;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
