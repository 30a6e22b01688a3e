#pragma once

#include <sycee/payment/journal_walk.hpp>

#include <pqxx/pqxx>

#include <cstdint>
#include <functional>
#include <optional>

namespace sycee {

struct JournalCounts {
    std::uint64_t records = 0;
    std::uint64_t postings = 0;
};

// What of a journal is verified.
struct JournalSpan {
    JournalState const* from = nullptr;      // nullptr: everything
    std::optional<Timestamp> checkpoint_at;  // when the checkpoint was made that `from` is of, or
                                             // that does not have this journal yet
    std::optional<JournalHead> state_at;     // how it stood there is asked for
};

struct JournalFound {
    std::optional<JournalState> state;
    std::uint64_t fees_left_out = 0;  // payments of which older records are gone
};

// Verifies one journal and what is derived from it. Tells `counted` every few thousand records how
// many more there were. Throws WrongRow at the first wrong row.
JournalFound check_journal(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                           JournalSpan const& span,
                           std::function<void(JournalCounts const&)> const& counted);

}  // namespace sycee
