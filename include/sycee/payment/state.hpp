#pragma once

#include <sycee/base/time.hpp>
#include <sycee/payment/finality.hpp>
#include <sycee/payment/payment.hpp>
#include <sycee/payment/records.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace sycee {

enum class PaymentStatus : std::uint8_t {
    open,            // nothing arrived yet
    partially_paid,  // something arrived, less than the price
    authorized,      // enough arrived, not yet by the finality rule
    cleared,         // release the goods
    settled,         // final
    expired,         // not covered in time; money that came is on the exceptions desk
    reversed,        // a reorg took a transfer away, and without it the price is not covered
    canceled,        // given up by the shop before anything came; what comes is on the desk
};
std::string_view to_string(PaymentStatus status);
std::optional<PaymentStatus> parse_payment_status(std::string_view name);

// How far a live transfer to a payment has come.
enum class CreditStage : std::uint8_t { authorized, cleared, settled, unapplied };
std::string_view to_string(CreditStage stage);

// A live authorization of a payment, with what has been booked upon it.
struct Credit {
    Transfer transfer;
    std::uint64_t authorization_sequence = 0;
    Bytes32 authorization_hash{};
    Timestamp first_seen_time{};  // block time of its first inclusion, if it has been re-mined
    CreditStage stage = CreditStage::authorized;
    std::uint64_t stage_sequence = 0;  // of the clearing or unapplied record
    Bytes32 stage_hash{};
    std::uint64_t settlement_sequence = 0;
    Bytes32 settlement_hash{};
    Amount gross;  // cleared or settled: the part applied to the payment
    Amount fee;
    Amount excess;     // on the exceptions desk
    Amount shortfall;  // accepted by the tolerance
    Amount resolved;   // of the excess: what was decided on the desk
    std::optional<UnappliedReason> unapplied_reason;
};

// A live transfer out of a payment's deposit address.
struct Outflow {
    Transfer transfer;
    std::uint64_t sequence = 0;
    Bytes32 hash{};
    Amount unexplained;
    Amount resolved;  // of the unexplained receipt: what was decided on the desk
};

// Money of the exceptions desk that was given to a payment.
struct DeskCredit {
    ChainId chain_id = 0;
    Address token;
    Amount amount;
    Amount fee;                            // of amount
    std::uint64_t sequence = 0;            // of the resolution
    bool accepts = false;                  // whatever is missing besides is forgiven
    std::uint64_t exception_sequence = 0;  // of the record that had put it on the desk
};

// How far a promise to a payer has come.
enum class PromiseStage : std::uint8_t { frozen, paid, canceled };
std::string_view to_string(PromiseStage stage);

// Money promised back to a payer: out of what is settled of the payment (a Refund), or out of what
// its address has on the desk (a Resolution of kind refund).
struct Promise {
    ChainId chain_id = 0;
    Address token;
    Amount amount;
    RecordKind kind = RecordKind::refund;  // or resolution
    std::uint64_t sequence = 0;            // of that record
    Bytes32 hash{};
    Address recipient;                     // zero: the promise names none
    std::uint64_t exception_sequence = 0;  // of the record that had put it on the desk; 0: none
    PromiseStage stage = PromiseStage::frozen;
};

// What an issuer destroyed at the payment's address.
struct LostTokens {
    ChainId chain_id = 0;
    Address token;
    Amount amount;
};

// That the shop gave the payment up.
struct Canceled {
    ChainId chain_id = 0;  // in whose journal it stands
    std::uint64_t sequence = 0;
    Bytes32 hash{};
    Timestamp ends_at{};
    Timestamp booked_at{};
};

// A payment and all that is known of its money.
struct PaymentState {
    Payment payment;
    std::vector<Credit> credits;  // in the order in which they were booked
    std::vector<Outflow> outflows;
    std::vector<DeskCredit> desk_credits;
    std::vector<Promise> promises;  // in the order in which they were booked
    std::vector<LostTokens> losses;
    std::optional<Canceled> canceled;
    // Transfers that a reorg took away at some time, with the time of their first block: one that
    // comes back is as late as it was at first.
    std::vector<std::pair<TransferKey, Timestamp>> reversed_transfers;
    bool was_cleared = false;  // a reorg undid a clearing of it: goods may have been released
    // How many records it is made of, those that were reversed and their reversals included: of two
    // states of a payment, the one with more is the later one. As it was read; whoever goes on from
    // there does not count on.
    std::uint64_t version = 0;
};

// By chain time, when nothing more can become part of the payment: `expires_at`, or before it where
// the payment was canceled. A transfer in a later block is late.
Timestamp ends_at(PaymentState const& state);

// Notes what became of the promise with that sequence; what the desk had promised and is taken back
// is open there again. Throws InvariantViolation where there is none.
void end_promise(PaymentState& state, ChainId chain_id, std::uint64_t sequence, PromiseStage stage);

// What is settled of the payment in that token on that chain, less fees: by its own transfers and
// by the desk. And what of it is promised to payers or was paid to them.
Amount settled_amount(PaymentState const& state, ChainId chain_id, Address const& token);
Amount promised_amount(PaymentState const& state, ChainId chain_id, Address const& token);
// What the books say lies at the payment's address.
Amount address_balance(PaymentState const& state, ChainId chain_id, Address const& token);

// Notes that this much was decided about what the record with that sequence put on the desk.
void note_resolved(PaymentState& state, ChainId chain_id, std::uint64_t exception_sequence,
                   Amount amount);

// The time of the first block that had this transfer to the payment: its own, or an earlier one
// that a reorg took away.
Timestamp first_seen_time_of(PaymentState const& state, Transfer const& transfer);
// The same for each credit, where all of them were read anew.
void note_first_seen(PaymentState& state);

// True where a transfer that a reorg took away has not come back.
bool lost_a_transfer(PaymentState const& state);

// How far a chain has been processed.
struct ChainProgress {
    Timestamp head_time{};
    // Up to here enough nodes say the same as we processed; from finalized to the head. Clearing
    // and the exceptions desk count confirmations from here, so that nothing is released on the
    // word of one node.
    BlockNumber agreed = 0;
    BlockNumber finalized = 0;
    FinalityRule rule;
};
// Of each configured chain; nothing: not read yet.
using ChainsProgress = std::map<ChainId, std::optional<ChainProgress>>;

// The chain time of a payment: the slowest one's of the configured chains that it offers, since a
// transfer in time may still stand in a block that was not read. Nothing: one of them was never
// read, or none is configured any more.
std::optional<Timestamp> chain_time_of(Payment const& payment, ChainsProgress const& chains);

// The status at a moment of chain time. Nothing: not known, so nothing expires.
PaymentStatus status_of(PaymentState const& state, std::optional<Timestamp> chain_time);

// What was not as asked for, of all that came. A decision on the desk does not change what came.
struct PaymentFacts {
    bool underpaid = false;  // what came in time was too little, and the time is over
    bool overpaid = false;   // more came than was due
    bool late = false;       // something came in a block after the payment's end
};
PaymentFacts facts_of(PaymentState const& state, PaymentStatus status);
bool is_late(PaymentState const& state, Credit const& credit);

// Whether these credits and the money given to the payment on the desk, each token by its own
// locked price and rounded down, reach the price. A credit that is applied already counts with the
// part that was. `applied[i]` is then the part of credits[i] that goes to the payment: what the
// desk gave first, then the earliest, exactly the price and no more; of an open amount, all of it.
// `shortfall` is what is missing, and accepted: in base units of the token of
// credits[*short_credit], the last one of that token.
struct Coverage {
    bool covered = false;
    std::vector<Amount> applied;
    Amount shortfall;
    std::optional<std::size_t> short_credit;
};
Coverage cover(PaymentState const& state, std::vector<Credit const*> const& credits);

// What the payment is of, in minor units of its currency: the price, or of an open amount what it
// was paid with, each token by its own locked price and rounded down; nothing before that is
// cleared.
std::optional<Amount> payment_amount(PaymentState const& state);

// What covers the payment if the rest is paid with this option: base units of its token, zero where
// it is covered. Counted is what is on the payment or may still become part of it. Of an open
// amount it is the least.
Amount still_due(PaymentState const& state, PaymentOption const& option);

// SHA-256 over what other chains, the desk and the shop have done to the payment. Who decides about
// a payment on one chain must find it unchanged at the commit, or decide again.
Bytes32 foreign_fingerprint(PaymentState const& state, ChainId chain_id);

}  // namespace sycee
