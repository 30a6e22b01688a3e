#pragma once

#include <sycee/payment/checkpoint.hpp>
#include <sycee/store/database.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

struct VerifyResult {
    std::uint64_t chains = 0;  // hash chains of (merchant, chain)
    std::uint64_t records = 0;
    std::uint64_t postings = 0;
    std::optional<std::string> first_wrong;  // names the row and what is wrong with it
    // Of journals that began after the checkpoint that it went on from.
    std::vector<std::pair<MerchantId, ChainId>> new_journals;
    // Payments whose fee could not be worked out, since records of before the checkpoint are gone.
    std::uint64_t fees_left_out = 0;
    // As of the checkpoint in the options; whole where nothing is wrong.
    std::vector<JournalState> states;
};

struct VerifyProgress {
    std::uint64_t journals = 0;  // all of them
    std::uint64_t journals_done = 0;
    std::uint64_t all_records = 0;  // that are read, as the heads of the journals say
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
    // Only the journals of this merchant.
    std::optional<MerchantId> merchant_id;
    // With a verified state, and checked by check_export(): what it has is not read again. Whose
    // key has signed it is for the caller. nullptr: from the beginning.
    CheckpointExport const* from = nullptr;
    // How each journal stood at this checkpoint is told in the result. Its records must be those of
    // the checkpoint; it is not older than `from`.
    CheckpointExport const* states_at = nullptr;
};

// Re-adds the books from their records: each hash chain without a gap, each record's hash and
// postings, the order of the stages and of their reversals, what the desk decided; then what the
// records refer to (rule versions, tolerances, reasons) and what is derived from them: heads, live
// credits, live withdrawals and balances. Reads one consistent moment; changes nothing. Memory does
// not grow with a journal, but with what is open in it.
//
// From a checkpoint on, the same of every record after it: each journal must hold the hash that the
// checkpoint has, and a record before it is read only where one after it rests on it. A record of
// before it that was changed, and that nothing rests on, is not seen. Rows of the books that say
// they were booked an hour or more before the checkpoint are taken for older ones.
Task<VerifyResult> verify_books(Database& database, VerifyOptions options = {});

}  // namespace sycee
