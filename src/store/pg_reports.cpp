#include <sycee/base/assert.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/store/pg_reports.hpp>

#include "event_rows.hpp"
#include "fee_rows.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"
#include "webhook_rows.hpp"

#include <algorithm>
#include <stdexcept>

namespace sycee {
namespace {

std::string merchant_columns() {
    return "m.merchant_id, m.name, m.extended_public_key, " + fee_columns() + ", " +
           time_column("m.created_at", "created_at");
}

Merchant merchant_of(pqxx::row const& row) {
    return {.id = id_of<MerchantTag>(row["merchant_id"]),
            .name = row["name"].c_str(),
            .extended_public_key = row["extended_public_key"].c_str(),
            .fees = fees_of(row),
            .created_at = time_of(row["created_at"])};
}

ReconciliationStatus reconciliation_of(pqxx::row const& row) {
    ReconciliationStatus status{.block_number = number_of(row["compared_block"]),
                                .compared_at = time_of(row["compared_at"]),
                                .compared = number_of(row["compared"]),
                                .round_ended_at = {},
                                .fault = row["fault"].c_str(),
                                .open_differences = number_of(row["open_differences"])};
    if (!row["round_ended_at"].is_null()) status.round_ended_at = time_of(row["round_ended_at"]);
    return status;
}

std::vector<EventRow> load_events(pqxx::transaction_base& tx, PaymentKey const& payment) {
    std::vector<EventRow> events;
    for (auto const& row :
         tx.exec_params("SELECT " + event_columns("e") +
                            ", e.next_attempt_at IS NOT NULL AS is_waiting"
                            " FROM all_outbox_events e"
                            " WHERE e.merchant_id = $1 AND e.payment_id = $2 ORDER BY e.event_id",
                        to_sql(payment.first), to_sql(payment.second))) {
        events.push_back({event_of(row), row["is_waiting"].as<bool>()});
    }
    return events;
}

std::vector<DeliveryRow> load_deliveries(pqxx::transaction_base& tx, PaymentKey const& payment) {
    std::vector<DeliveryRow> deliveries;
    for (auto const& row :
         tx.exec_params("SELECT " + delivery_columns("d") +
                            ", w.url FROM all_outbox_events e"
                            " JOIN all_webhook_deliveries d USING (merchant_id, event_id)"
                            " LEFT JOIN webhook_endpoints w USING (merchant_id, endpoint_id)"
                            " WHERE e.merchant_id = $1 AND e.payment_id = $2"
                            " ORDER BY event_id, endpoint_id",
                        to_sql(payment.first), to_sql(payment.second))) {
        deliveries.push_back({delivery_of(row), text_of(row["url"]), {}});
    }
    for (auto const& row :
         tx.exec_params("SELECT " + attempt_columns("a") +
                            " FROM all_outbox_events e"
                            " JOIN all_webhook_attempts a USING (merchant_id, event_id)"
                            " WHERE e.merchant_id = $1 AND e.payment_id = $2 ORDER BY a.attempt",
                        to_sql(payment.first), to_sql(payment.second))) {
        DeliveryAttempt attempt = attempt_of(row);
        auto const of = std::ranges::find(deliveries, attempt.key,
                                          [](DeliveryRow const& one) { return one.delivery.key; });
        if (of != deliveries.end()) of->attempts.push_back(std::move(attempt));
    }
    return deliveries;
}

ResolutionReasons load_reasons(pqxx::transaction_base& tx, PaymentKey const& payment) {
    ResolutionReasons reasons;
    for (auto const& row :
         tx.exec_params("SELECT t.chain_id, t.seq, t.reason FROM ("
                        "  SELECT merchant_id, chain_id, seq FROM resolutions"
                        "   WHERE merchant_id = $1 AND (payment_id = $2 OR target_payment_id = $2)"
                        "  UNION ALL SELECT merchant_id, chain_id, seq FROM refunds"
                        "   WHERE merchant_id = $1 AND payment_id = $2"
                        "  UNION ALL SELECT merchant_id, chain_id, seq FROM refund_cancellations"
                        "   WHERE merchant_id = $1 AND payment_id = $2"
                        "  UNION ALL SELECT merchant_id, chain_id, seq FROM token_losses"
                        "   WHERE merchant_id = $1 AND payment_id = $2"
                        "  UNION ALL SELECT merchant_id, chain_id, seq FROM cancellations"
                        "   WHERE merchant_id = $1 AND payment_id = $2) r"
                        " JOIN resolution_reasons t USING (merchant_id, chain_id, seq)",
                        to_sql(payment.first), to_sql(payment.second))) {
        reasons.emplace(std::pair(number_of(row["chain_id"]), number_of(row["seq"])),
                        row["reason"].c_str());
    }
    return reasons;
}

BalanceSheet::Balance balance_of(pqxx::field const& field) {
    std::string_view text = field.c_str();
    bool const negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    auto const amount = parse_base_units(text);
    ensure(amount.has_value(), "store: no amount in account_balances");
    return {*amount, negative};
}

std::vector<BalanceRow> balance_rows(pqxx::result const& result) {
    std::vector<BalanceRow> rows;
    for (auto const& row : result) {
        auto const account = parse_account(row["account"].c_str());
        ensure(account.has_value(), "store: an unknown account");
        rows.push_back({id_of<MerchantTag>(row["merchant_id"]), row["name"].c_str(),
                        number_of(row["chain_id"]), address_in(row["token"]), *account,
                        balance_of(row["balance"])});
    }
    return rows;
}

}  // namespace

Task<std::vector<Merchant>> PgReports::merchants() {
    auto work = [](SnapshotTransaction& tx) {
        std::vector<Merchant> merchants;
        for (auto const& row : tx.exec("SELECT " + merchant_columns() + " FROM merchants m" +
                                       join_fees("m") + " ORDER BY m.merchant_id")) {
            merchants.push_back(merchant_of(row));
        }
        return merchants;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<PaymentTimeline> PgReports::timeline(PaymentKey payment) {
    auto work = [&](SnapshotTransaction& tx) {
        return PaymentTimeline{.records = load_payment_entries(tx, {payment}).at(payment),
                               .batches = load_payment_batches(tx, payment),
                               .events = load_events(tx, payment),
                               .deliveries = load_deliveries(tx, payment),
                               .reasons = load_reasons(tx, payment)};
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<BalanceRow>> PgReports::balances() {
    auto work = [](SnapshotTransaction& tx) {
        return balance_rows(
            tx.exec("SELECT b.merchant_id, m.name, b.chain_id, b.token, b.account, b.balance"
                    " FROM account_balances b JOIN merchants m USING (merchant_id)"
                    " ORDER BY b.merchant_id, b.chain_id, b.token, b.account"));
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<BalanceRow>> PgReports::balances_at(Timestamp moment) {
    auto work = [moment](SnapshotTransaction& tx) {
        tx.exec("SET LOCAL statement_timeout = '10min'");
        require_all_present(tx);
        // A settlement posts nothing itself. On a debit account a debit raises, on the others a
        // credit.
        return balance_rows(tx.exec_params(
            "WITH booked AS ("
            "  SELECT merchant_id, chain_id, seq, booked_at FROM all_authorizations"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM all_clearings"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM settlement_batches"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM all_unapplied_receipts"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM withdrawals"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM reversals"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM resolutions"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM refunds"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM refund_payments"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM refund_cancellations"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM token_losses"
            "  UNION ALL SELECT merchant_id, chain_id, seq, booked_at FROM fee_payments)"
            " SELECT p.merchant_id, m.name, p.chain_id, p.token, side.account,"
            "  sum(CASE WHEN (side.account IN ('coins', 'drawn', 'token_loss')) = side.is_debit"
            "   THEN p.amount ELSE -p.amount END) AS balance"
            " FROM booked JOIN all_postings p USING (merchant_id, chain_id, seq)"
            " JOIN merchants m USING (merchant_id)"
            " CROSS JOIN LATERAL (VALUES (p.debit, true), (p.credit, false))"
            "  AS side(account, is_debit)"
            " WHERE booked.booked_at <= to_timestamp($1::bigint / 1000.0)"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 3, 4, 5",
            to_sql(moment)));
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<ChainStatus>> PgReports::chains() {
    auto work = [](SnapshotTransaction& tx) {
        std::vector<ChainStatus> chains;
        for (auto const& row : tx.exec(
                 "SELECT c.chain_id, head_number, head_hash, parent_hash, finalized_number, " +
                 time_column("b.block_time", "block_time") + ", " + time_column("processed_at") +
                 ", " + time_column("last_reorg_at") +
                 ", last_reorg_depth, stopped_reason, compared_block, compared, fault, " +
                 time_column("r.compared_at", "compared_at") + ", " +
                 time_column("r.round_ended_at", "round_ended_at") +
                 ", (SELECT count(*) FROM balance_differences d WHERE d.chain_id = c.chain_id"
                 "   AND d.closed_at IS NULL) AS open_differences"
                 " FROM chain_cursors c JOIN chain_blocks b"
                 " ON b.chain_id = c.chain_id AND b.number = c.head_number"
                 " LEFT JOIN reconciliations r ON r.chain_id = c.chain_id ORDER BY c.chain_id")) {
            ChainStatus status{
                .chain_id = number_of(row["chain_id"]),
                .head = {number_of(row["head_number"]), bytes_of<32>(row["head_hash"]),
                         bytes_of<32>(row["parent_hash"]), time_of(row["block_time"])},
                .finalized = number_of(row["finalized_number"]),
                .processed_at = time_of(row["processed_at"]),
                .last_reorg_depth = number_of(row["last_reorg_depth"]),
                .stopped_reason = text_of(row["stopped_reason"])};
            if (!row["last_reorg_at"].is_null())
                status.last_reorg_at = time_of(row["last_reorg_at"]);
            if (!row["compared_at"].is_null()) status.reconciliation = reconciliation_of(row);
            chains.push_back(std::move(status));
        }
        return chains;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<bool> PgReports::ready() {
    bool answered = false;
    try {
        co_await database_.check();
        answered = true;
    } catch (std::runtime_error const& error) {
        log_warning("store", "not ready", {{"why", error.what()}});
    }
    co_return answered;
}

Task<std::vector<IssuedAddress>> PgReports::used_addresses() {
    return addresses(
        " WHERE EXISTS (SELECT 1 FROM all_authorizations a"
        " WHERE a.merchant_id = p.merchant_id AND a.payment_id = p.payment_id)",
        true);
}

Task<std::vector<IssuedAddress>> PgReports::issued_addresses() {
    return addresses("", false);
}

Task<std::vector<IssuedAddress>> PgReports::addresses(std::string condition, bool of_all_months) {
    auto work = [&](SnapshotTransaction& tx) {
        if (of_all_months) require_all_present(tx);
        std::vector<IssuedAddress> found;
        for (auto const& row :
             tx.exec("SELECT " + merchant_columns() +
                     ", p.deposit_address, p.derivation_index FROM payments p"
                     " JOIN merchants m USING (merchant_id)" +
                     join_fees("m") + condition + " ORDER BY p.merchant_id, p.derivation_index")) {
            found.push_back({merchant_of(row), address_in(row["deposit_address"]),
                             number_of(row["derivation_index"])});
        }
        return found;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::optional<BookedBalances>> PgReports::booked_balances(ChainId chain_id) {
    auto work = [chain_id](SnapshotTransaction& tx) -> std::optional<BookedBalances> {
        tx.exec("SET LOCAL statement_timeout = '10min'");
        require_all_present(tx);
        auto const cursor = tx.exec_params(
            "SELECT head_number, head_hash FROM chain_cursors WHERE chain_id = $1", chain_id);
        if (cursor.empty()) return std::nullopt;
        BookedBalances booked;
        booked.head.number = number_of(cursor[0][0]);
        booked.head.hash = bytes_of<32>(cursor[0][1]);
        for (auto const& row : tx.exec_params(
                 "SELECT merchant_id, payment_id, deposit_address, token, sum(amount) FROM ("
                 " SELECT a.merchant_id, a.payment_id, a.deposit_address, a.token, a.amount"
                 "  FROM live_credits l JOIN all_authorizations a"
                 "   ON (a.merchant_id, a.chain_id, a.seq)"
                 "    = (l.merchant_id, l.chain_id, l.authorization_seq) WHERE l.chain_id = $1"
                 " UNION ALL"
                 " SELECT w.merchant_id, w.payment_id, w.deposit_address, w.token,"
                 "   w.unexplained - w.amount"
                 "  FROM live_withdrawals l JOIN withdrawals w"
                 "   ON (w.merchant_id, w.chain_id, w.seq)"
                 "    = (l.merchant_id, l.chain_id, l.withdrawal_seq) WHERE l.chain_id = $1"
                 " UNION ALL"
                 " SELECT t.merchant_id, t.payment_id, p.deposit_address, t.token, -t.amount"
                 "  FROM token_losses t JOIN payments p USING (merchant_id, payment_id)"
                 "  WHERE t.chain_id = $1"
                 ") moved GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 4",
                 chain_id)) {
            booked.balances.push_back({{id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1])},
                                       address_in(row[2]),
                                       address_in(row[3]),
                                       amount_of(row[4]),
                                       {},
                                       false});
        }
        return booked;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
