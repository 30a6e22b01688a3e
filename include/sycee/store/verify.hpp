#pragma once

#include <sycee/store/database.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sycee {

struct VerifyResult {
    std::uint64_t chains = 0;  // hash chains of (merchant, chain)
    std::uint64_t records = 0;
    std::uint64_t postings = 0;
    std::optional<std::string> first_wrong;  // names the row and what is wrong with it
};

struct VerifyProgress {
    std::uint64_t journals = 0;  // all of them
    std::uint64_t journals_done = 0;
    std::uint64_t all_records = 0;  // as the heads of the journals say
    std::uint64_t records = 0;      // verified
    std::uint64_t postings = 0;
};

struct VerifyOptions {
    // How many journals are read at once, each by a thread and a connection of its own. All of them
    // see the same moment.
    std::size_t connections = 1;
    // Called every few thousand records and after the last one, by one thread at a time, none of
    // them the caller's.
    std::function<void(VerifyProgress const&)> progress;
};

// Re-adds the books from their records: each hash chain without a gap, each record's hash and
// postings, the order of the stages and of their reversals, what the desk decided; then what the
// records refer to (rule versions, tolerances, reasons) and what is derived from them: heads, live
// credits, live withdrawals and balances. Reads one consistent moment; changes nothing. Memory does
// not grow with a journal, but with what is open in it.
Task<VerifyResult> verify_books(Database& database, VerifyOptions options = {});

}  // namespace sycee
