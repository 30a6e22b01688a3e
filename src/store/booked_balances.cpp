#include "booked_balances.hpp"

#include "values.hpp"

namespace sycee {

std::vector<BookedBalance> load_booked_balances(pqxx::transaction_base& tx, ChainId chain_id,
                                                std::set<PaymentKey> const& keys) {
    PgArray merchants;
    PgArray payments;
    for (auto const& [merchant_id, payment_id] : keys) {
        merchants.add(merchant_id);
        payments.add(payment_id);
    }
    std::vector<BookedBalance> balances;
    // An address that differs is asked for even where a reorg has left nothing in the books of it.
    for (auto const& row : tx.exec_params(
             "WITH k AS (SELECT * FROM unnest($2::uuid[], $3::uuid[]) AS k(merchant_id,"
             " payment_id)), moved AS ("
             " SELECT a.merchant_id, a.payment_id, a.seq, a.deposit_address, a.token,"
             "   a.amount FROM k JOIN all_authorizations a USING (merchant_id, payment_id)"
             "   WHERE a.chain_id = $1"
             " UNION ALL"
             " SELECT w.merchant_id, w.payment_id, w.seq, w.deposit_address, w.token,"
             "   w.unexplained - w.amount FROM k JOIN withdrawals w USING (merchant_id,"
             "   payment_id) WHERE w.chain_id = $1"
             " UNION ALL"
             " SELECT t.merchant_id, t.payment_id, t.seq, p.deposit_address, t.token, -t.amount"
             "   FROM k JOIN token_losses t USING (merchant_id, payment_id)"
             "   JOIN payments p USING (merchant_id, payment_id) WHERE t.chain_id = $1"
             " UNION ALL"
             " SELECT d.merchant_id, d.payment_id, NULL, d.address, d.token, 0"
             "   FROM k JOIN balance_differences d USING (merchant_id, payment_id)"
             "   WHERE d.chain_id = $1 AND d.closed_at IS NULL"
             "), live AS (SELECT m.merchant_id, m.payment_id, m.deposit_address, m.token,"
             "   sum(m.amount) AS amount"
             " FROM moved m LEFT JOIN reversals r ON (r.merchant_id, r.chain_id, r.reversed_seq)"
             "   = (m.merchant_id, $1, m.seq) WHERE r.seq IS NULL GROUP BY 1, 2, 3, 4)"
             " SELECT l.merchant_id, l.payment_id, l.deposit_address, l.token, l.amount,"
             "   CASE WHEN a.accepted"
             "     THEN greatest(0, l.amount + a.offset_of_books) END AS accepted,"
             "   EXISTS (SELECT FROM balance_differences d WHERE d.chain_id = $1"
             "     AND d.address = l.deposit_address AND d.token = l.token"
             "     AND d.closed_at IS NULL) AS is_open"
             // What was accepted before a loss was booked is part of that loss.
             " FROM live l LEFT JOIN LATERAL (SELECT d.accepted, d.on_chain - d.booked"
             "   AS offset_of_books FROM balance_differences d WHERE d.chain_id = $1"
             "   AND d.address = l.deposit_address AND d.token = l.token AND (d.accepted OR EXISTS "
             "("
             "     SELECT FROM token_losses t WHERE (t.merchant_id, t.payment_id, t.difference_id)"
             "       = (d.merchant_id, d.payment_id, d.difference_id)))"
             "   ORDER BY d.closed_at DESC, d.difference_id DESC LIMIT 1) a ON true"
             " ORDER BY 1, 2, 4",
             chain_id, merchants.str(), payments.str())) {
        BookedBalance booked{.payment = {id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1])},
                             .address = address_in(row[2]),
                             .token = address_in(row[3]),
                             .amount = amount_of(row[4]),
                             .accepted = {},
                             .is_open = row["is_open"].as<bool>()};
        if (!row["accepted"].is_null()) booked.accepted = amount_of(row["accepted"]);
        balances.push_back(booked);
    }
    return balances;
}

}  // namespace sycee
