#pragma once

#include <sycee/payment/fee.hpp>
#include <sycee/payment/history.hpp>
#include <sycee/payment/records.hpp>
#include <sycee/payment/state.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// One step of a chain, as its follower saw it: perhaps blocks taken away, then blocks added.
struct ChainStep {
    ChainId chain_id = 0;
    std::optional<BlockNumber>
        rolled_back_to;             // the last block kept, where a reorg took blocks away
    BlockNumber head = 0;           // newest processed block after the step
    std::vector<TokenUnit> tokens;  // of all configured chains
    ChainsProgress chains;          // all configured ones; this one as it stands after the step
    bool repairs = false;           // settled records may be reversed: `sycee chain repair` only

    ChainProgress const& progress() const { return chains.at(chain_id).value(); }
};

// What the step needs to know of one merchant.
struct MerchantView {
    MerchantId merchant_id;
    JournalHead head;
    std::uint64_t last_batch_number = 0;
    FeeSchedule fees;                                           // in force
    std::vector<std::pair<Address, Amount>> cleared_not_final;  // by token, on this chain
    JournalPositions other_journals;  // of the other chains, when `payments` was read
    // Whose address holds another balance on this chain than the books say: nothing of them is
    // cleared, settled or decided upon until a person has looked.
    std::set<PaymentId> frozen;
    std::vector<PaymentState> payments;  // those that the step may move
};

// Transfers of the step's new blocks at this merchant's addresses, in block and log order.
struct MatchedTransfer {
    PaymentId payment_id;
    Transfer transfer;
    bool incoming = true;  // false: out of the address. A transfer between two of ours is both.
};

// Something that a shop is told.
struct PaymentEvent {
    std::string type;  // "payment.cleared"
    PaymentId payment_id;
    PaymentStatus status = PaymentStatus::open;
    std::uint64_t record_sequence = 0;
    JournalPositions positions;          // the payment is told as it stood then (state_at)
    bool goods_may_be_released = false;  // payment.reversed: it had been cleared
};

struct MerchantStep {
    JournalHead first_head;
    JournalHead head;
    std::vector<JournalEntry> entries;
    std::vector<PaymentEvent> events;
    std::vector<PaymentState> payments;  // as they stand after the step
};

// Decides what one step of a chain means for one merchant's books: reversals first, newest record
// first; then authorizations and withdrawals; then clearings and what belongs to no payment; then
// one settlement batch for each token. Pure. Throws InvariantViolation where the step would undo a
// settled record and is not a repair.
MerchantStep advance_merchant(MerchantView view, std::vector<MatchedTransfer> const& transfers,
                              ChainStep const& step, Timestamp booked_at);

// True where the payment has a live transfer on this chain that a later step can still move: to
// clear, to settle, to put on the desk, or to reverse.
bool has_open_work(PaymentState const& state, ChainStep const& step);

// What this step can do with a payment that it brings no transfer for.
enum class Attention : std::uint8_t {
    none,
    // Its money waits for more of it or for the end of its time. What the desk gave to it meanwhile
    // moves it as well.
    waits,
    due,  // the step may move it
};
Attention attention_for(PaymentState const& state, ChainStep const& step);

}  // namespace sycee
