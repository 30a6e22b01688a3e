#include <sycee/base/assert.hpp>
#include <sycee/payment/history.hpp>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace sycee {
namespace {

// Takes the records of one chain after the other, each chain's in the order of its journal.
class History {
  public:
    explicit History(Payment payment) { state_.payment = std::move(payment); }

    void take(JournalEntry const& entry) {
        entry_ = &entry;
        booked_at_.emplace(std::pair(entry.chain_id, entry.sequence), entry.booked_at);
        std::visit(*this, entry.record);
    }

    // Over all chains, what was booked first is first.
    PaymentState finish() && {
        state_.credits = by_booking(std::move(credits_));
        state_.outflows = by_booking(std::move(outflows_));
        state_.desk_credits = by_booking(std::move(desk_credits_));
        state_.promises = by_booking(std::move(promises_));
        note_first_seen(state_);
        for (auto const& [at, resolution] : resolutions_)
            note_resolved(state_, at.first, resolution->exception_sequence, resolution->amount);
        return std::move(state_);
    }

    void operator()(Authorization const& record) {
        credits_.emplace(place(), Credit{.transfer = record.transfer,
                                         .authorization_sequence = entry_->sequence,
                                         .authorization_hash = entry_->hash});
    }
    void operator()(Clearing const& record) {
        Credit& credit = credit_upon(record.authorization_sequence);
        credit.stage = CreditStage::cleared;
        credit.stage_sequence = entry_->sequence;
        credit.stage_hash = entry_->hash;
        credit.gross = record.gross;
        credit.fee = record.fee;
        credit.excess = record.excess;
        credit.shortfall = record.shortfall;
    }
    void operator()(Settlement const& record) {
        Credit& credit = credit_upon(record.authorization_sequence);
        credit.stage = CreditStage::settled;
        credit.settlement_sequence = entry_->sequence;
        credit.settlement_hash = entry_->hash;
    }
    void operator()(SettlementBatch const&) {}
    void operator()(Unapplied const& record) {
        Credit& credit = credit_upon(record.authorization_sequence);
        credit.stage = CreditStage::unapplied;
        credit.stage_sequence = entry_->sequence;
        credit.stage_hash = entry_->hash;
        credit.excess = record.amount;
        credit.unapplied_reason = record.reason;
    }
    void operator()(Withdrawal const& record) {
        outflows_.emplace(place(), Outflow{.transfer = record.transfer,
                                           .sequence = entry_->sequence,
                                           .hash = entry_->hash,
                                           .unexplained = record.unexplained});
    }
    // Each record falls by a reversal of its own, the authorization as the last one of a transfer.
    void operator()(Reversal const& record) {
        if (record.reversed_kind == RecordKind::clearing) state_.was_cleared = true;
        if (record.reversed_kind == RecordKind::withdrawal) {
            auto const gone = outflows_.erase({entry_->chain_id, record.reversed_sequence});
            ensure(gone == 1, missing("withdrawal", record.reversed_sequence));
        }
        if (record.reversed_kind != RecordKind::authorization) return;
        Credit const& credit = credit_upon(record.reversed_sequence);
        state_.reversed_transfers.emplace_back(credit.transfer.key, credit.transfer.block_time);
        credits_.erase({entry_->chain_id, record.reversed_sequence});
    }
    void operator()(Resolution const& record) {
        if (record.payment_id == state_.payment.id) resolutions_.emplace(place(), &record);
        if (record.kind == ResolutionKind::refund) {
            promises_.emplace(place(), Promise{.chain_id = entry_->chain_id,
                                               .token = record.token,
                                               .amount = record.amount,
                                               .kind = RecordKind::resolution,
                                               .sequence = entry_->sequence,
                                               .hash = entry_->hash,
                                               .exception_sequence = record.exception_sequence});
        }
        if (!pays(record.kind) || record.target_payment_id != state_.payment.id) return;
        desk_credits_.emplace(place(), DeskCredit{.chain_id = entry_->chain_id,
                                                  .token = record.token,
                                                  .amount = record.amount,
                                                  .fee = record.fee,
                                                  .sequence = entry_->sequence,
                                                  .accepts = record.kind == ResolutionKind::accept,
                                                  .exception_sequence = record.exception_sequence});
    }
    void operator()(Refund const& record) {
        promises_.emplace(place(), Promise{.chain_id = entry_->chain_id,
                                           .token = record.token,
                                           .amount = record.amount,
                                           .sequence = entry_->sequence,
                                           .hash = entry_->hash,
                                           .recipient = record.recipient});
    }
    void operator()(RefundPayment const& record) {
        promise(record.promise_sequence).stage = PromiseStage::paid;
    }
    // What the desk had promised is open there again.
    void operator()(RefundCancellation const& record) {
        promise(record.promise_sequence).stage = PromiseStage::canceled;
        resolutions_.erase({entry_->chain_id, record.promise_sequence});
    }
    void operator()(TokenLoss const& record) {
        state_.losses.push_back({entry_->chain_id, record.token, record.amount});
    }
    void operator()(FeePayment const&) {}
    void operator()(Cancellation const& record) {
        state_.canceled = Canceled{.chain_id = entry_->chain_id,
                                   .sequence = entry_->sequence,
                                   .hash = entry_->hash,
                                   .ends_at = record.ends_at,
                                   .booked_at = entry_->booked_at};
    }

  private:
    using Place = std::pair<ChainId, std::uint64_t>;

    Place place() const { return {entry_->chain_id, entry_->sequence}; }
    template <class T>
    std::vector<T> by_booking(std::map<Place, T> all) const {
        std::vector<std::pair<Timestamp, Place>> order;
        for (auto const& [at, value] : all)
            order.emplace_back(booked_at_.at(at), at);
        std::sort(order.begin(), order.end());
        std::vector<T> values;
        for (auto const& [time, at] : order)
            values.push_back(std::move(all.at(at)));
        return values;
    }
    std::string missing(std::string_view kind, std::uint64_t sequence) const {
        return "stage order: record " + std::to_string(entry_->sequence) + " of chain " +
               std::to_string(entry_->chain_id) + " follows upon the " + std::string(kind) + " " +
               std::to_string(sequence) + ", which is not live";
    }
    Credit& credit_upon(std::uint64_t sequence) {
        auto const found = credits_.find({entry_->chain_id, sequence});
        if (found == credits_.end()) ensure(false, missing("authorization", sequence));
        return found->second;
    }

    Promise& promise(std::uint64_t sequence) {
        auto const found = promises_.find({entry_->chain_id, sequence});
        if (found == promises_.end()) ensure(false, missing("promise", sequence));
        return found->second;
    }

    std::map<Place, Credit> credits_;  // by the place of the authorization
    std::map<Place, Outflow> outflows_;
    std::map<Place, DeskCredit> desk_credits_;
    std::map<Place, Promise> promises_;
    std::map<Place, Resolution const*> resolutions_;  // of its own exceptions
    PaymentState state_;
    JournalEntry const* entry_ = nullptr;
    std::map<Place, Timestamp> booked_at_;
};

}  // namespace

PaymentState state_at(Payment payment, std::vector<JournalEntry> const& records,
                      JournalPositions const& positions) {
    std::vector<JournalEntry const*> booked;  // the clock may have gone back between two of them
    for (JournalEntry const& entry : records) {
        auto const position = positions.find(entry.chain_id);
        if (position != positions.end() && entry.sequence <= position->second) {
            booked.push_back(&entry);
        }
    }
    std::sort(booked.begin(), booked.end(), [](JournalEntry const* a, JournalEntry const* b) {
        return std::tie(a->chain_id, a->sequence) < std::tie(b->chain_id, b->sequence);
    });
    History history(std::move(payment));
    for (JournalEntry const* entry : booked)
        history.take(*entry);
    PaymentState state = std::move(history).finish();
    state.version = booked.size();
    return state;
}

JournalPositions positions_of(PaymentState const& state, JournalPositions const& journals) {
    std::set<ChainId> chains;
    for (Credit const& credit : state.credits)
        chains.insert(credit.transfer.key.chain_id);
    for (auto const& [key, time] : state.reversed_transfers)
        chains.insert(key.chain_id);
    for (Outflow const& outflow : state.outflows)
        chains.insert(outflow.transfer.key.chain_id);
    for (DeskCredit const& credit : state.desk_credits)
        chains.insert(credit.chain_id);
    if (state.canceled) chains.insert(state.canceled->chain_id);
    JournalPositions positions;
    for (auto const& [chain_id, sequence] : journals) {
        if (chains.contains(chain_id)) positions.emplace(chain_id, sequence);
    }
    return positions;
}

}  // namespace sycee
