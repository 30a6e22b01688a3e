#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_fees.hpp>

#include "book_writer.hpp"
#include "bulk_insert.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {
namespace {

std::string select_invoices() {
    return "SELECT i.*, coalesce(f.seq, 0) AS paid_seq, " +
           time_column("i.created_at", "created_millis");
}

constexpr char const* kFromInvoices =
    " FROM fee_invoices i LEFT JOIN fee_payments f"
    " ON (f.merchant_id, f.invoice_merchant_id, f.invoice_payment_id, f.chain_id, f.token)"
    "  = (i.merchant_id, i.invoice_merchant_id, i.invoice_payment_id, i.chain_id, i.token)";

FeeInvoice invoice_of(pqxx::row const& row) {
    return {.merchant_id = id_of<MerchantTag>(row["merchant_id"]),
            .payment = {id_of<MerchantTag>(row["invoice_merchant_id"]),
                        id_of<PaymentTag>(row["invoice_payment_id"])},
            .chain_id = number_of(row["chain_id"]),
            .token = address_in(row["token"]),
            .amount = amount_of(row["amount"]),
            .created_at = time_of(row["created_millis"]),
            .paid_sequence = number_of(row["paid_seq"])};
}

std::vector<FeeInvoice> invoices_of(pqxx::result const& rows) {
    std::vector<FeeInvoice> invoices;
    for (auto const& row : rows)
        invoices.push_back(invoice_of(row));
    return invoices;
}

// The hashes by which a payment is paid, by settlements and by the desk. No reorg takes one away,
// only a repair. `merchant` and `payment`: SQL that names the payment.
std::string evidence_of(std::string const& merchant, std::string const& payment) {
    return "(SELECT s.hash, 1 AS rank, s.booked_at, s.seq FROM all_authorizations a"
           " JOIN all_settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
           " WHERE (a.merchant_id, a.payment_id) = (" +
           merchant + ", " + payment +
           ") AND NOT EXISTS (SELECT FROM reversals v"
           "   WHERE (v.merchant_id, v.chain_id, v.reversed_seq) = (s.merchant_id, s.chain_id, "
           "s.seq))"
           " UNION ALL SELECT r.hash, 2, r.booked_at, r.seq FROM resolutions r"
           " WHERE (r.merchant_id, r.target_payment_id) = (" +
           merchant + ", " + payment + ") AND r.kind IN ('accept', 'credit'))";
}

std::size_t count_in(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                     Address const& token) {
    return tx
        .exec_params1(
            "SELECT count(*) FROM fee_invoices WHERE merchant_id = $1 AND chain_id = $2"
            " AND token = $3",
            to_sql(merchant_id), chain_id, to_sql(token))[0]
        .as<std::size_t>();
}

// One payment of an invoice, by the merchant whose journal it is in.
FeePayment const& payment_of(FeeCommit const& commit) {
    check_entries(commit.chain_id, commit.entries);
    ensure(commit.entries.size() == 1, "store: a payment of fees is one record");
    JournalEntry const& entry = commit.entries.front();
    auto const* payment = std::get_if<FeePayment>(&entry.record);
    ensure(payment != nullptr && entry.merchant_id == commit.head.merchant_id,
           "store: a payment of fees is a record of one merchant");
    return *payment;
}

// The invoice says the same, and what it was paid with is there and stands.
void check_invoice(pqxx::work& tx, FeeCommit const& commit, FeePayment const& payment) {
    auto const invoice = tx.exec_params(
        "SELECT 1 FROM fee_invoices WHERE (merchant_id, invoice_merchant_id, invoice_payment_id,"
        " chain_id, token, amount)"
        " = ($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::bytea, $6::numeric)",
        to_sql(commit.head.merchant_id), to_sql(payment.invoice_merchant_id),
        to_sql(payment.invoice_payment_id), commit.chain_id, to_sql(payment.token),
        to_sql(payment.amount));
    ensure(!invoice.empty(), "store: fees are paid by an invoice that is not there");
    auto const evidence = tx.exec_params(
        "SELECT 1 FROM " + evidence_of("$1::uuid", "$2::uuid") + " e WHERE e.hash = $3",
        to_sql(payment.invoice_merchant_id), to_sql(payment.invoice_payment_id),
        to_sql(ByteView(payment.settlement_hash)));
    if (evidence.empty()) {
        throw Unavailable("the invoice " + to_string(payment.invoice_payment_id) +
                          " is no longer paid as it was");
    }
}

}  // namespace

Task<std::optional<MerchantId>> PgFees::recipient() {
    auto work = [](pqxx::work& tx) -> std::optional<MerchantId> {
        auto const rows =
            tx.exec("SELECT merchant_id FROM fee_recipients ORDER BY number DESC LIMIT 1");
        if (rows.empty()) return std::nullopt;
        return id_of<MerchantTag>(rows[0][0]);
    };
    co_return co_await transact(database_, work);
}

Task<Result<void>> PgFees::set_recipient(MerchantId merchant_id, Timestamp now) {
    auto work = [&](pqxx::work& tx) -> Result<void> {
        auto const there = tx.exec_params("SELECT mode FROM merchants WHERE merchant_id = $1",
                                          to_sql(merchant_id));
        if (there.empty()) {
            return refuse("merchant", "there is no merchant " + to_string(merchant_id));
        }
        if (there.at(0)[0].as<std::string>() != "live") {
            return refuse("merchant",
                          to_string(merchant_id) + " is a test merchant: nobody pays it real fees");
        }
        tx.exec_params(
            "INSERT INTO fee_recipients (number, merchant_id, created_at)"
            " SELECT coalesce(max(number), 0) + 1, $1, to_timestamp($2::bigint / 1000.0)"
            " FROM fee_recipients",
            to_sql(merchant_id), to_sql(now));
        return {};
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<std::string>> PgFees::merchant_name(MerchantId merchant_id) {
    auto work = [&](pqxx::work& tx) -> std::optional<std::string> {
        auto const rows = tx.exec_params("SELECT name FROM merchants WHERE merchant_id = $1",
                                         to_sql(merchant_id));
        if (rows.empty()) return std::nullopt;
        return rows[0][0].c_str();
    };
    co_return co_await transact(database_, work);
}

// What is cleared and not settled lies at or above the oldest block with anything to do.
Task<std::vector<FeesOwed>> PgFees::owed(MerchantId merchant_id) {
    auto work = [&](SnapshotTransaction& tx) {
        std::vector<FeesOwed> owed;
        for (auto const& row : tx.exec_params(
                 "SELECT b.chain_id, b.token, b.balance, coalesce(n.fee, 0) FROM account_balances b"
                 " LEFT JOIN (SELECT c.chain_id, c.token, sum(c.fee) AS fee FROM chain_cursors k"
                 "   JOIN authorizations a"
                 "     ON a.chain_id = k.chain_id AND a.block_number >= k.oldest_open"
                 "   JOIN live_credits l"
                 "     ON (l.merchant_id, l.chain_id, l.tx_hash, l.token, l.ordinal,"
                 "         l.authorization_seq)"
                 "      = (a.merchant_id, a.chain_id, a.tx_hash, a.token, a.ordinal, a.seq)"
                 "   JOIN clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
                 "     = (a.merchant_id, a.chain_id, a.seq)"
                 "   LEFT JOIN settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
                 "     = (a.merchant_id, a.chain_id, a.seq)"
                 "   WHERE a.merchant_id = $1 AND s.seq IS NULL GROUP BY 1, 2) n"
                 "  USING (chain_id, token)"
                 " WHERE b.merchant_id = $1 AND b.account = 'operator_fee' AND b.balance > 0"
                 " ORDER BY 1, 2",
                 to_sql(merchant_id))) {
            owed.push_back({.chain_id = number_of(row[0]),
                            .token = address_in(row[1]),
                            .owed = amount_of(row[2]),
                            .not_settled = amount_of(row[3])});
        }
        return owed;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<FeeInvoice>> PgFees::invoices(MerchantId merchant_id,
                                               std::optional<PaymentId> after, std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        std::string const before = after ? to_sql(*after) : "ffffffff-ffff-ffff-ffff-ffffffffffff";
        return invoices_of(
            tx.exec_params(select_invoices() + kFromInvoices +
                               " WHERE i.merchant_id = $1 AND i.invoice_payment_id < $2"
                               " ORDER BY i.invoice_payment_id DESC LIMIT $3",
                           to_sql(merchant_id), before, limit));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<FeeInvoice>> PgFees::unpaid(MerchantId merchant_id, std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        return invoices_of(tx.exec_params(select_invoices() + kFromInvoices +
                                              " WHERE i.merchant_id = $1 AND f.seq IS NULL"
                                              " ORDER BY i.invoice_payment_id DESC LIMIT $2",
                                          to_sql(merchant_id), limit));
    };
    co_return co_await transact(database_, work);
}

Task<bool> PgFees::add(FeeInvoice invoice, std::size_t known) {
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {invoice.merchant_id});
        if (count_in(tx, invoice.merchant_id, invoice.chain_id, invoice.token) != known)
            return false;
        BulkInsert rows("fee_invoices", {{"merchant_id", "uuid"},
                                         {"invoice_payment_id", "uuid"},
                                         {"invoice_merchant_id", "uuid"},
                                         {"chain_id", "bigint"},
                                         {"token", "bytea"},
                                         {"amount", "numeric"},
                                         {"created_at", "time"}});
        rows.row(invoice.merchant_id, invoice.payment.second, invoice.payment.first,
                 invoice.chain_id, invoice.token, invoice.amount, invoice.created_at);
        rows.run(tx);
        return true;
    };
    co_return co_await transact(database_, work);
}

Task<std::size_t> PgFees::count(MerchantId merchant_id, ChainId chain_id, Address token) {
    auto work = [&](pqxx::work& tx) { return count_in(tx, merchant_id, chain_id, token); };
    co_return co_await transact(database_, work);
}

Task<std::vector<UnbookedInvoice>> PgFees::unbooked(std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        std::vector<UnbookedInvoice> unbooked;
        for (auto const& row :
             tx.exec_params(select_invoices() + ", e.hash AS evidence" + kFromInvoices +
                                " JOIN LATERAL (SELECT hash FROM " +
                                evidence_of("i.invoice_merchant_id", "i.invoice_payment_id") +
                                " all_of ORDER BY rank, booked_at DESC, seq DESC LIMIT 1) e ON true"
                                " WHERE f.seq IS NULL"
                                " ORDER BY i.invoice_payment_id DESC LIMIT $1",
                            limit)) {
            unbooked.push_back({invoice_of(row), bytes_of<32>(row["evidence"])});
        }
        return unbooked;
    };
    co_return co_await transact(database_, work);
}

Task<void> PgFees::commit(FeeCommit commit) {
    FeePayment const payment = payment_of(commit);
    auto work = [&](pqxx::work& tx) {
        lock_merchants(tx, {commit.head.merchant_id});
        move_heads(tx, commit.chain_id, {commit.head}, commit.entries);
        check_invoice(tx, commit, payment);
        insert_entries(tx, commit.entries);
        update_balances(tx, commit.chain_id, commit.entries);
    };
    co_await transact(database_, work);
}

Task<std::vector<FeeStatement>> PgFees::statement(
    MerchantId merchant_id, std::optional<std::pair<Timestamp, Timestamp>> period) {
    Timestamp const begin = period ? period->first : Timestamp{};
    Timestamp const end = period ? period->second : timestamp_from_seconds(253'402'300'800);
    auto work = [&](SnapshotTransaction& tx) {
        tx.exec("SET LOCAL statement_timeout = '10min'");
        require_all_present(tx);
        std::vector<FeeStatement> statements;
        for (auto const& row : tx.exec_params(
                 "WITH moved AS ("
                 " SELECT chain_id, token, booked_at, fee AS accrued, 0 AS reversed, 0 AS paid"
                 "  FROM all_clearings WHERE merchant_id = $1 AND fee > 0"
                 " UNION ALL SELECT chain_id, token, booked_at, fee, 0, 0"
                 "  FROM resolutions WHERE merchant_id = $1 AND fee > 0"
                 " UNION ALL SELECT r.chain_id, p.token, r.booked_at, 0, p.amount, 0"
                 "  FROM reversals r JOIN postings p USING (merchant_id, chain_id, seq)"
                 "  WHERE r.merchant_id = $1 AND p.month = 0 AND p.debit = 'operator_fee'"
                 " UNION ALL SELECT chain_id, token, booked_at, 0, 0, amount"
                 "  FROM fee_payments WHERE merchant_id = $1), of_time AS ("
                 " SELECT chain_id, token, accrued, reversed, paid,"
                 "  booked_at >= to_timestamp($2::bigint / 1000.0) AS is_in FROM moved"
                 "  WHERE booked_at < to_timestamp($3::bigint / 1000.0))"
                 " SELECT chain_id, token,"
                 "  coalesce(sum(accrued - reversed - paid) FILTER (WHERE NOT is_in), 0),"
                 "  coalesce(sum(accrued) FILTER (WHERE is_in), 0),"
                 "  coalesce(sum(reversed) FILTER (WHERE is_in), 0),"
                 "  coalesce(sum(paid) FILTER (WHERE is_in), 0)"
                 " FROM of_time GROUP BY 1, 2 ORDER BY 1, 2",
                 to_sql(merchant_id), to_sql(begin), to_sql(end))) {
            statements.push_back({.chain_id = number_of(row[0]),
                                  .token = address_in(row[1]),
                                  .opening = amount_of(row[2]),
                                  .accrued = amount_of(row[3]),
                                  .reversed = amount_of(row[4]),
                                  .paid = amount_of(row[5])});
        }
        return statements;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
