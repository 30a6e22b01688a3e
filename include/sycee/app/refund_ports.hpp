#pragma once

#include <sycee/app/ports.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

// The place of a promise to a payer: its record, a refund or a resolution of kind refund.
struct RefundKey {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;

    auto operator<=>(RefundKey const&) const = default;
};

// A transaction by which the merchant says that it kept a promise.
struct RefundReport {
    TransactionHash transaction{};
    std::string reported_by;  // the id of an operator, or of an API key
    Timestamp reported_at{};
    bool answered = false;  // false: it is looked for
    std::string problem;    // why it does not keep the promise; empty: none is known
};

enum class RefundStatus : std::uint8_t {
    frozen,    // promised
    reported,  // said to be paid; the chain has not said so for good
    paid,
    canceled,
};
std::string_view to_string(RefundStatus status);

// A promise with all that is known of it.
struct RefundDetail {
    RefundKey key;
    RecordKind kind = RecordKind::refund;  // or resolution
    PaymentId payment_id;
    std::uint64_t exception_sequence = 0;  // of what is promised from the desk; 0: settled money
    Address token;
    Amount amount;
    Address recipient;     // zero: nobody was named yet
    std::string given_by;  // who named it later: "payer", or the id of an operator or of a key
    std::string reason;
    std::string decided_by;
    std::string approved_by;
    Timestamp created_at{};
    std::optional<RefundReport> report;  // the newest that is looked for; else the newest

    struct Payment {
        Transfer transfer;
        BlockNumber finalized_block = 0;
        std::uint64_t sequence = 0;
        Timestamp booked_at{};
    };
    struct Cancellation {
        std::string reason;
        std::string decided_by;
        std::uint64_t sequence = 0;
        Timestamp booked_at{};
    };
    std::optional<Payment> payment;
    std::optional<Cancellation> cancellation;

    RefundStatus status() const {
        if (payment) return RefundStatus::paid;
        if (cancellation) return RefundStatus::canceled;
        return report && !report->answered ? RefundStatus::reported : RefundStatus::frozen;
    }
};

struct RefundFilter {
    std::optional<MerchantId> merchant_id;  // nothing: of all of them
    std::optional<PaymentId> payment_id;
    bool open_only = false;  // neither paid nor canceled
};

struct RefundPage {
    std::vector<RefundDetail> refunds;
    bool has_more = false;
};

// A refund above the limit of one operator, which waits for another one.
struct RefundRequest {
    RequestId id;
    MerchantId merchant_id;
    ChainId chain_id = 0;
    PaymentId payment_id;
    Address token;
    Address recipient;  // zero: may be given later
    Amount amount;
    std::string reason;
    std::string requested_by;
    Timestamp created_at{};
};

// What one decision about a refund writes: one transaction, or nothing.
struct RefundCommit {
    HeadMove head;
    ChainId chain_id = 0;
    std::vector<JournalEntry> entries;
    std::vector<OutboxEvent> events;
    std::string reason;                // the text behind the record's reason_hash, if it has one
    std::optional<RequestId> request;  // answered by it; gone already: refused
    std::optional<IdempotencyClaim> claim;
    std::vector<std::pair<PaymentKey, Bytes32>> foreign;
    Timestamp now{};
};

struct DueReport {
    RefundKey refund;
    TransactionHash transaction{};
};

class RefundPort {
  public:
    virtual ~RefundPort() = default;
    // Newest first, older than `after`.
    virtual Task<RefundPage> list(RefundFilter filter, std::optional<RefundKey> after,
                                  std::size_t limit) = 0;
    virtual Task<std::optional<RefundDetail>> find(RefundKey key) = 0;
    // That wait, oldest first; at most a thousand.
    virtual Task<std::vector<RefundRequest>> requests() = 0;
    virtual Task<std::optional<RefundRequest>> find_request(RequestId id) = 0;
    // Throws KeyWasUsed, as commit() does, where what it claims was claimed before.
    virtual Task<void> create_request(RefundRequest request,
                                      std::optional<IdempotencyClaim> claim) = 0;
    // False where it was answered already.
    virtual Task<bool> withdraw_request(RequestId id) = 0;
    // Throws Unavailable where the head, a payment or the request is not as it was, a transfer kept
    // another promise meanwhile, what is taken back was reported as paid meanwhile, or the outcome
    // is unknown.
    virtual Task<void> commit(RefundCommit commit) = 0;
    // Once for each promise that names nobody. False where another recipient was given.
    virtual Task<bool> give_recipient(RefundKey key, Address recipient, std::string given_by,
                                      Timestamp now) = 0;
    // The same transaction again changes nothing while it is looked for; another one is looked for
    // beside it. Throws Unavailable where the promise has ended meanwhile.
    virtual Task<void> report(RefundKey key, RefundReport report) = 0;
    // The transactions that are looked for, oldest report first.
    virtual Task<std::vector<TransactionHash>> open_reports(RefundKey key) = 0;
    // What is to be looked for on a chain, those that were not for the longest time first; they
    // count as looked for from now on.
    virtual Task<std::vector<DueReport>> take_due(ChainId chain_id, std::size_t limit,
                                                  Timestamp now) = 0;
    virtual Task<void> answer_report(DueReport report, std::string problem, Timestamp now) = 0;
    // The transfers of that transaction that keep a promise already, of whatever merchant.
    virtual Task<std::vector<TransferKey>> used_transfers(ChainId chain_id,
                                                          TransactionHash transaction) = 0;
};

}  // namespace sycee
