#pragma once

#include <sycee/payment/records.hpp>
#include <sycee/payment/state.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace sycee {

// How far one merchant's journals are, by chain: the sequence of the last record. A chain that is
// not named has none.
using JournalPositions = std::map<ChainId, std::uint64_t>;

// A payment as it stood when the merchant's journals were that far. `records`: all records of the
// payment up to there, in any order, and perhaps later ones, which are left out. Records are never
// changed, so the answer is the same at any time. Throws InvariantViolation where a record follows
// upon one that is not there.
PaymentState state_at(Payment payment, std::vector<JournalEntry> const& records,
                      JournalPositions const& positions);

// Which of these journals the payment has records in, and how far they are.
JournalPositions positions_of(PaymentState const& state, JournalPositions const& journals);

}  // namespace sycee
