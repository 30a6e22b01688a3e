#pragma once

#include <sycee/store/database.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sycee {

struct VerifyResult {
    std::uint64_t chains = 0;  // hash chains of (merchant, chain)
    std::uint64_t records = 0;
    std::uint64_t postings = 0;
    std::optional<std::string> first_wrong;  // names the row and what is wrong with it
};

// Re-adds the books from their records: each hash chain without a gap, each record's hash and
// postings, the order of the stages and of their reversals, what the desk decided; then what the
// records refer to (rule versions, tolerances, reasons) and what is derived from them: heads, live
// credits, live withdrawals and balances. Reads one consistent moment; changes nothing.
Task<VerifyResult> verify_books(Database& database);

}  // namespace sycee
