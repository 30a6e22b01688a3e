#pragma once

#include <sycee/app/idempotency.hpp>

#include <pqxx/pqxx>

namespace sycee {

// Claims the key in the transaction of what the request does; its answer is kept later. Throws
// KeyWasUsed.
void write_claim(pqxx::transaction_base& tx, MerchantId merchant_id,
                 std::optional<IdempotencyClaim> const& claim, Timestamp now);

}  // namespace sycee
