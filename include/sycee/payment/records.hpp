#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/ledger/journal.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sycee {

// The records of the books (docs/ledger.md). Each is written once and never changed, and is the
// header of its own journal: its place in the hash chain of (merchant, chain), and its postings.

// Stage 1. The transfer is in a canonical block: coins at the merchant's address, not final.
struct Authorization {
    PaymentId payment_id;
    Transfer transfer;
    std::uint64_t rule_version = 0;  // of the finality rule in force
};

// Stage 2. The transfer met the rule and covers the payment, alone or with others.
struct Clearing {
    PaymentId payment_id;
    std::uint64_t authorization_sequence = 0;
    Bytes32 authorization_hash{};
    Address token;
    BlockNumber cleared_at_block = 0;  // the head at which the rule was first seen to hold
    std::uint64_t fee_version = 0;     // of the fee schedule in force
    std::uint32_t fee_basis_points = 0;
    Amount gross;      // the part applied to the payment
    Amount fee;        // of gross, due to the operator
    Amount net;        // gross - fee
    Amount excess;     // what is over: to the exceptions desk
    Amount shortfall;  // missing, and accepted by the tolerance: nothing is posted for it
};

// Stage 3. The block is final: irrevocable.
struct Settlement {
    PaymentId payment_id;
    std::uint64_t authorization_sequence = 0;
    Bytes32 clearing_hash{};
    std::uint64_t batch_number = 0;
    BlockNumber finalized_block = 0;
    Amount net;
};

// The journal that the settlements of one advance of the finalized block share, for one token.
struct SettlementBatch {
    std::uint64_t batch_number = 0;  // from 1, for each merchant and chain
    Address token;
    std::uint64_t first_sequence = 0;  // of its settlements, which are contiguous
    std::uint64_t last_sequence = 0;
    std::uint64_t settlement_count = 0;
    BlockNumber finalized_block = 0;
    Amount net;
};

// A transfer, or what is over of one, that belongs to no payment.
enum class UnappliedReason : std::uint8_t {
    underpaid,          // the payment expired before it was covered
    late,               // the block's time is after the payment's end
    already_paid,       // the payment was covered without it
    token_not_offered,  // another token than the payment's options on this chain
    chain_not_offered,  // on a chain that the payment does not offer
};
std::string_view to_string(UnappliedReason reason);

// To the exceptions desk, once the rule is met.
struct Unapplied {
    PaymentId payment_id;
    std::uint64_t authorization_sequence = 0;
    Bytes32 authorization_hash{};
    Address token;
    UnappliedReason reason = UnappliedReason::underpaid;
    Amount amount;
};

// A transfer out of one of the merchant's deposit addresses.
struct Withdrawal {
    PaymentId payment_id;  // whose deposit address it left
    Transfer transfer;
    Amount unexplained;  // beyond the book balance: booked as received first
};

// What is done with money on the exceptions desk: what of a transfer belongs to no payment, what is
// over, or a receipt that only a withdrawal showed.
enum class ResolutionKind : std::uint8_t {
    accept,     // it pays its own payment, which is then covered whatever is missing
    credit,     // it pays another payment of the merchant
    write_off,  // the merchant keeps it
    refund,     // promised back to the payer
};
std::string_view to_string(ResolutionKind kind);
std::optional<ResolutionKind> parse_resolution_kind(std::string_view name);
// Whether it goes to a payment.
bool pays(ResolutionKind kind);

// Decided by a person, once the transfer is final, so that no reorg can undo what it rests on.
struct Resolution {
    PaymentId payment_id;                  // at whose address the money came in
    std::uint64_t exception_sequence = 0;  // the unapplied record, clearing or withdrawal
    Bytes32 exception_hash{};
    Address token;
    ResolutionKind kind = ResolutionKind::accept;
    PaymentId target_payment_id;    // the payment that it pays; that of the transfer where none
    std::uint64_t fee_version = 0;  // as in a clearing; 0 where it pays no payment
    std::uint32_t fee_basis_points = 0;
    Amount amount;
    Amount fee;               // of amount, due to the operator, where it pays a payment
    std::string decided_by;   // the id of an operator, or of an API key
    std::string approved_by;  // of a second operator; empty: one was enough
    Bytes32 reason_hash{};    // SHA-256 of the reason, whose text stays outside the books
};

enum class RecordKind : std::uint8_t {
    authorization,
    clearing,
    settlement,
    settlement_batch,
    unapplied,
    withdrawal,
    reversal,
    resolution,
    refund,
    refund_payment,
    refund_cancellation,
    token_loss,
    fee_payment,
    cancellation,
};
std::string_view to_string(RecordKind kind);

// Settled money of one payment, promised back to a payer. The desk's other way to promise is a
// Resolution of kind refund. Each promise is kept or cancelled once, and whole.
struct Refund {
    PaymentId payment_id;
    Address token;
    // By the merchant's word, never the sender of a transfer; zero: the payer says it later.
    Address recipient;
    Amount amount;            // at most what is settled of the payment less its other promises
    std::string decided_by;   // the id of an operator, or of an API key
    std::string approved_by;  // of a second operator; empty: one was enough
    Bytes32 reason_hash{};    // SHA-256 of the reason, whose text stays outside the books
};

// A promise was seen kept: a final transfer of its token, from whatever wallet.
struct RefundPayment {
    PaymentId payment_id;                          // of the promise
    RecordKind promise_kind = RecordKind::refund;  // or resolution
    std::uint64_t promise_sequence = 0;
    Bytes32 promise_hash{};
    Transfer transfer;  // to the recipient, of the amount or more
    Amount amount;      // of the promise
    BlockNumber finalized_block = 0;
};

// A promise is taken back: settled money is the merchant's again, money of the desk lies there
// again.
struct RefundCancellation {
    PaymentId payment_id;                          // of the promise
    RecordKind promise_kind = RecordKind::refund;  // or resolution
    std::uint64_t promise_sequence = 0;
    Bytes32 promise_hash{};
    Address token;
    Amount amount;  // of the promise
    std::string decided_by;
    std::string approved_by;
    Bytes32 reason_hash{};
};

// The issuer of a token destroyed what lay at a deposit address: a difference between the books and
// the chain that two operators accepted.
struct TokenLoss {
    PaymentId payment_id;  // whose deposit address it was
    Address token;
    Amount amount;                 // at most what the books say lies at the address
    DifferenceId difference_id;    // as it was found
    BlockNumber block_number = 0;  // in which the address was compared
    BlockHash block_hash{};
    std::string decided_by;
    std::string approved_by;
    Bytes32 reason_hash{};
};

// The merchant paid an invoice of the operator's, which is a payment of another merchant's.
struct FeePayment {
    MerchantId invoice_merchant_id;
    PaymentId invoice_payment_id;
    Address token;
    Amount amount;              // of operator_fee, in this token on this chain
    Bytes32 settlement_hash{};  // of the invoice's last settlement: it is paid for good
};

// The shop gave up a payment for which nothing had come: its end is brought forward. It moves no
// money. What stands in a block that no chain of the payment had processed then is late.
struct Cancellation {
    PaymentId payment_id;
    Timestamp ends_at{};     // by chain time, in whole seconds: a transfer in a later block is late
    std::string decided_by;  // the id of an operator, or of an API key
    std::string approved_by;  // empty: one was enough
    Bytes32 reason_hash{};    // SHA-256 of the reason, whose text stays outside the books
};

// Undoes what a reorg took away: the postings of the reversed record, the other way round.
struct Reversal {
    PaymentId payment_id;
    RecordKind reversed_kind = RecordKind::authorization;
    std::uint64_t reversed_sequence = 0;
    Bytes32 reversed_hash{};
    BlockNumber ancestor_block = 0;  // the last block that both branches share
    Postings postings;               // mirrored already
};

using Record = std::variant<Authorization, Clearing, Settlement, SettlementBatch, Unapplied,
                            Withdrawal, Reversal, Resolution, Refund, RefundPayment,
                            RefundCancellation, TokenLoss, FeePayment, Cancellation>;

RecordKind kind_of(Record const& record);
Postings postings_of(Record const& record);

// A record in its place in the hash chain of one merchant and chain.
struct JournalEntry {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;
    Bytes32 previous_hash{};
    Bytes32 hash{};
    Timestamp booked_at{};
    Record record;
};

// SHA-256 over everything in the entry but its hash, and its postings. A record that names a fee
// schedule is hashed with it, under another tag than those of before there were any; the kinds from
// refund on have a tag of their own.
Bytes32 hash_of(JournalEntry const& entry);

// Appends to one hash chain. Pure: what it made is in entries(), to be written in one transaction
// that moves the head from first_head() to head().
class JournalWriter {
  public:
    JournalWriter(MerchantId merchant_id, ChainId chain_id, JournalHead head, Timestamp booked_at)
        : merchant_id_(merchant_id),
          chain_id_(chain_id),
          first_head_(head),
          head_(head),
          booked_at_(booked_at) {}

    JournalHead append(Record record);
    JournalHead first_head() const { return first_head_; }
    JournalHead head() const { return head_; }
    std::vector<JournalEntry> const& entries() const { return entries_; }
    std::vector<JournalEntry> take_entries() && { return std::move(entries_); }

  private:
    MerchantId merchant_id_;
    ChainId chain_id_;
    JournalHead first_head_;
    JournalHead head_;
    Timestamp booked_at_;
    std::vector<JournalEntry> entries_;
};

}  // namespace sycee
