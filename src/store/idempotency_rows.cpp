#include "idempotency_rows.hpp"

#include "values.hpp"

namespace sycee {

void write_claim(pqxx::transaction_base& tx, MerchantId merchant_id,
                 std::optional<IdempotencyClaim> const& claim, Timestamp now) {
    if (!claim) return;
    auto const claimed = tx.exec_params(
        "INSERT INTO idempotency_keys"
        " (merchant_id, key, request_hash, status, location, answer, subject, created_at)"
        " VALUES ($1, $2, $3, 0, '', '', $4, to_timestamp($5::bigint / 1000.0))"
        " ON CONFLICT DO NOTHING",
        to_sql(merchant_id), claim->key, to_sql(ByteView(claim->request_hash)), claim->subject,
        to_sql(now));
    if (claimed.affected_rows() != 1) throw KeyWasUsed();
}

}  // namespace sycee
