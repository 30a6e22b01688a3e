#pragma once

#include <sycee/payment/journal_walk.hpp>

#include <pqxx/pqxx>

#include <cstdint>
#include <functional>

namespace sycee {

struct JournalCounts {
    std::uint64_t records = 0;
    std::uint64_t postings = 0;
};

// Verifies one journal and what is derived from it. Tells `counted` every few thousand records how
// many more there were. Throws WrongRow at the first wrong row.
void check_journal(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                   std::function<void(JournalCounts const&)> const& counted);

}  // namespace sycee
