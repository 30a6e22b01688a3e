#pragma once

#include <sycee/payment/fee.hpp>
#include <sycee/payment/journal_state.hpp>
#include <sycee/payment/records.hpp>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Thrown at the first wrong row; its text names the row and what is wrong with it.
class WrongRow : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What a walk over one journal has to ask about, now and then: it keeps only what is not final.
class JournalContext {
  public:
    JournalContext() = default;
    JournalContext(JournalContext const&) = delete;
    JournalContext& operator=(JournalContext const&) = delete;
    virtual ~JournalContext() = default;

    // An authorization that was open where the walk began, and its clearing where it had one; what
    // is not there any more is left out. A walk from the first record never asks.
    struct OlderRecords {
        std::optional<JournalEntry> authorization;
        std::optional<JournalEntry> clearing;
    };
    virtual OlderRecords older_records(std::uint64_t /*authorization*/) { return {}; }

    // All records of the payment in this journal, the later ones too, and the resolutions that pay
    // it. Valid until the next call.
    virtual std::span<JournalEntry const> records_of(PaymentId payment_id) = 0;
    // What may be missing of the payment in this token; nothing where it does not offer the token.
    virtual std::optional<Amount> tolerance_of(PaymentId payment_id, Address const& token) = 0;
    // Whether the chain has this version of the finality rule.
    virtual bool has_rule(std::uint64_t version) = 0;
    // That version of the merchant's fees; nullptr where there is none.
    virtual FeeSchedule const* fees(std::uint64_t version) = 0;
};

// A posting as it is stored: `line` is its place among those of its record, from 0.
struct PostedLine {
    std::int64_t line = 0;
    Posting posting;
};

// Walks one hash chain from its first record, or from where another walk stood, to its head and
// checks each record with its postings against what came before. What it keeps is what is not final
// yet, a number for each record that was reversed, an amount for each that was decided upon at the
// desk, and a key for each refund and each invoice that was paid: so its memory does not grow with
// the journal, but with what is open in it, or rare.
class JournalWalk {
  public:
    JournalWalk(MerchantId merchant_id, ChainId chain_id, JournalContext& context);
    // Goes on from there. A record before it that one after it rests on is read again: its hash is
    // worked out anew, and must be the one that the later record holds.
    JournalWalk(JournalState const& from, JournalContext& context);

    // The next record. The postings of a reversal are worked out from what it reverses: those in
    // `entry` are not looked at. Throws WrongRow.
    void pass(JournalEntry entry, std::span<PostedLine const> stored);
    // After the last record. Throws WrongRow.
    void finish() const;
    // How the journal stands. Throws WrongRow between records that must stand together.
    JournalState state() const;

    JournalHead head() const { return head_; }
    std::uint64_t last_batch() const { return last_batch_; }
    BalanceSheet const& sheet() const { return sheet_; }
    // How many authorizations it remembers, because they are neither settled nor on the desk.
    std::size_t open() const { return open_.size() + older_.size(); }
    // How many transfers in and out are live, as live_credits and live_withdrawals must say.
    std::uint64_t live_credits() const { return live_credits_; }
    std::uint64_t live_withdrawals() const { return live_withdrawals_; }

    // Called by pass(), one for each kind of record.
    void operator()(Authorization const& record);
    void operator()(Clearing const& record);
    void operator()(Settlement const& record);
    void operator()(SettlementBatch const& record);
    void operator()(Unapplied const& record);
    void operator()(Withdrawal const& record);
    void operator()(Reversal const& record);
    void operator()(Resolution const& record);
    void operator()(Refund const& record);
    void operator()(RefundPayment const& record);
    void operator()(RefundCancellation const& record);
    void operator()(TokenLoss const& record);
    void operator()(FeePayment const& record);
    void operator()(Cancellation const& record);

  private:
    struct Open {  // an authorization that is neither settled nor on the desk
        PaymentId payment_id;
        TransferKey key;
        Amount amount;
        Bytes32 hash{};
        std::uint64_t clearing = 0;  // 0: none
        Bytes32 clearing_hash{};
        Amount net;
    };
    struct HashOfKey {
        std::size_t operator()(TransferKey const& key) const;
    };

    void require(bool holds, char const* what) const {
        if (!holds) refuse(what);
    }
    [[noreturn]] void refuse(std::string const& what) const;
    void check(JournalEntry& entry, std::span<PostedLine const> stored);
    void require_place(JournalEntry const& entry) const;
    void require_postings(std::span<PostedLine const> stored, Postings const& meant) const;
    void require_fall() const;
    void require_fee(std::uint64_t version, std::uint32_t basis_points, Amount gross,
                     Amount fee) const;
    void require_known(bool holds, std::string const& what) const;
    void require_unchanged(JournalEntry const& older) const;
    [[noreturn]] void refuse_missing(std::string const& what) const;
    // nullptr where it is not open.
    Open* find_open(std::uint64_t authorization);
    Open read_again(std::uint64_t authorization, std::uint64_t clearing);
    Open& require_open(std::uint64_t authorization, PaymentId payment_id, Address const& token);
    void keep(std::uint64_t authorization, Open const& open);
    void drop(std::uint64_t authorization);
    // The records of the payment that were passed already and not reversed.
    std::vector<JournalEntry const*> standing(PaymentId payment_id);
    // What is promised to payers out of what is settled of the payment, and what is settled of it.
    struct Settled {
        Amount settled;
        Amount promised;
    };
    Settled settled_of(PaymentId payment_id, Address const& token);
    // What a record that ends a promise names; it must stand, and end once.
    struct NamedPromise {
        Address token;
        Address recipient;  // zero: any
        Amount amount;
        std::uint64_t exception = 0;
    };
    NamedPromise require_promise(PaymentId payment_id, RecordKind kind, std::uint64_t sequence,
                                 Bytes32 const& hash);
    void require_deciders(std::string const& decided_by, std::string const& approved_by) const;
    // A record that was passed already; nullptr where there is none.
    JournalEntry const* passed(PaymentId payment_id, std::uint64_t sequence);
    Open opened_again(PaymentId payment_id, std::uint64_t authorization);
    void require_alone(TransferKey const& key, Reversal const& record);
    // What the record undoes, mirrored: the postings that it must have.
    Postings take_back(Reversal const& record);
    Postings take_back(Authorization const& authorized, Reversal const& record);
    Postings take_back(Clearing const& cleared, Reversal const& record);
    Postings take_back(Settlement const& settled, Reversal const& record);
    Postings take_back(Unapplied const& unapplied, Reversal const& record);
    Postings take_back(Withdrawal const& withdrawn, Reversal const& record);

    std::string where_;
    MerchantId merchant_id_;
    ChainId chain_id_;
    JournalContext& context_;
    JournalEntry const* entry_ = nullptr;
    std::uint64_t start_ = 0;  // the number after which the walk began
    JournalHead head_;
    BalanceSheet sheet_;
    boost::unordered_flat_map<std::uint64_t, Open> open_;
    // Those open at the start that nothing has asked for yet, with their clearing or 0.
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> older_;
    boost::unordered_flat_map<TransferKey, std::uint64_t, HashOfKey> open_keys_;
    boost::unordered_flat_set<std::uint64_t> reversed_;
    boost::unordered_flat_map<std::uint64_t, Amount> decided_;   // of an exception
    boost::unordered_flat_set<TransferKey, HashOfKey> kept_by_;  // transfers that kept a promise
    std::set<std::pair<PaymentId, Address>> paid_invoices_;
    std::uint64_t falls_ = 0;  // must be reversed next; 0: nothing
    std::uint64_t live_credits_ = 0;
    std::uint64_t live_withdrawals_ = 0;
    std::uint64_t last_batch_ = 0;
    std::uint64_t batch_count_ = 0;  // of the settlements that wait for their batch
    Address batch_token_;
    Amount batch_net_;
};

// Compares an index over live transfers, live_credits or live_withdrawals, with the records that it
// must have a row for: exactly those that were not reversed. Both come in the order of their
// numbers, so that only what is reversed later is remembered.
class LiveIndexWalk {
  public:
    struct Row {
        TransferKey key;
        std::uint64_t sequence = 0;
    };

    // `next` gives the rows of the index in the order of their numbers, then nothing.
    LiveIndexWalk(std::string where, std::string table, std::function<std::optional<Row>()> next);

    // The next record, and what is reversed of those passed. Throw WrongRow.
    void booked(std::uint64_t sequence, TransferKey const& key);
    void reversed(std::uint64_t sequence);
    // After the last record. Throws WrongRow.
    void finish();

  private:
    [[noreturn]] void refuse(std::string const& what) const;
    [[noreturn]] void refuse_stray(Row const& row) const;

    std::string at_;
    std::function<std::optional<Row>()> next_;
    std::optional<Row> row_;
    std::map<std::uint64_t, TransferKey> missing_;  // without a row: reversed later, or wrong
};

}  // namespace sycee
