#pragma once

#include <sycee/base/id.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/ledger/journal.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// "merchant mer_…, chain 1": which journal it is, for messages.
std::string journal_name(MerchantId merchant_id, ChainId chain_id);

// How a walk over a journal stood after one of its records: all that another walk needs to go on
// from there. It grows with what is open in the journal, not with its length (JournalWalk).
struct JournalState {
    // An authorization that is neither settled nor on the desk. Its content is read again where it
    // is needed, and is known by the hash that the record upon it holds.
    struct Open {
        std::uint64_t authorization = 0;
        std::uint64_t clearing = 0;  // 0: none

        bool operator==(Open const&) const = default;
    };
    struct Decided {
        std::uint64_t exception = 0;
        Amount amount;  // by all decisions together

        bool operator==(Decided const&) const = default;
    };

    MerchantId merchant_id;
    ChainId chain_id = 0;
    JournalHead head;
    std::uint64_t last_batch = 0;
    std::uint64_t live_credits = 0;  // how many
    std::uint64_t live_withdrawals = 0;
    std::map<BalanceSheet::Key, BalanceSheet::Balance> balances;
    std::vector<Open> open;               // by authorization
    std::vector<std::uint64_t> reversed;  // rising
    std::vector<Decided> decided;         // by exception
    std::vector<TransferKey> kept_by;     // rising: those that kept promises of refunds
    std::vector<std::pair<PaymentId, Address>> paid_invoices;  // rising, with their tokens

    bool operator==(JournalState const&) const = default;
};

// The leaf of a journal in the tree over all journals that is signed.
Bytes32 state_leaf(JournalState const& state);

}  // namespace sycee
