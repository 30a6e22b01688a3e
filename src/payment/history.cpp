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
        for (Credit& credit : state_.credits)
            credit.first_seen_time = first_seen_time_of(state_, credit.transfer);
        sort_by_booking(state_.credits, [](Credit const& credit) {
            return std::pair(credit.transfer.key.chain_id, credit.authorization_sequence);
        });
        sort_by_booking(state_.outflows, [](Outflow const& outflow) {
            return std::pair(outflow.transfer.key.chain_id, outflow.sequence);
        });
        sort_by_booking(state_.desk_credits, [](DeskCredit const& credit) {
            return std::pair(credit.chain_id, credit.sequence);
        });
        return std::move(state_);
    }

    void operator()(Authorization const& record) {
        state_.credits.push_back({.transfer = record.transfer,
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
        state_.outflows.push_back({.transfer = record.transfer,
                                   .sequence = entry_->sequence,
                                   .hash = entry_->hash,
                                   .unexplained = record.unexplained});
    }
    // Each record falls by a reversal of its own, the authorization as the last one of a transfer.
    void operator()(Reversal const& record) {
        if (record.reversed_kind == RecordKind::clearing) state_.was_cleared = true;
        if (record.reversed_kind == RecordKind::withdrawal) {
            auto const gone = std::erase_if(state_.outflows, [&](Outflow const& outflow) {
                return is_here(outflow.transfer) && outflow.sequence == record.reversed_sequence;
            });
            ensure(gone == 1, missing("withdrawal", record.reversed_sequence));
        }
        if (record.reversed_kind != RecordKind::authorization) return;
        Credit const& credit = credit_upon(record.reversed_sequence);
        state_.reversed_transfers.emplace_back(credit.transfer.key, credit.transfer.block_time);
        state_.credits.erase(state_.credits.begin() + (&credit - state_.credits.data()));
    }
    void operator()(Resolution const& record) {
        if (record.payment_id == state_.payment.id) {
            note_resolved(state_, entry_->chain_id, record.exception_sequence, record.amount);
        }
        if (!pays(record.kind) || record.target_payment_id != state_.payment.id) return;
        state_.desk_credits.push_back({.chain_id = entry_->chain_id,
                                       .token = record.token,
                                       .amount = record.amount,
                                       .sequence = entry_->sequence,
                                       .accepts = record.kind == ResolutionKind::accept,
                                       .exception_sequence = record.exception_sequence});
    }

  private:
    using Place = std::pair<ChainId, std::uint64_t>;

    template <class T, class PlaceOf>
    void sort_by_booking(std::vector<T>& all, PlaceOf place_of) const {
        std::sort(all.begin(), all.end(), [&](T const& a, T const& b) {
            return std::pair(booked_at_.at(place_of(a)), place_of(a)) <
                   std::pair(booked_at_.at(place_of(b)), place_of(b));
        });
    }
    bool is_here(Transfer const& transfer) const {
        return transfer.key.chain_id == entry_->chain_id;
    }
    std::string missing(std::string_view kind, std::uint64_t sequence) const {
        return "stage order: record " + std::to_string(entry_->sequence) + " of chain " +
               std::to_string(entry_->chain_id) + " follows upon the " + std::string(kind) + " " +
               std::to_string(sequence) + ", which is not live";
    }
    Credit& credit_upon(std::uint64_t sequence) {
        auto const found =
            std::find_if(state_.credits.begin(), state_.credits.end(), [&](Credit const& credit) {
                return is_here(credit.transfer) && credit.authorization_sequence == sequence;
            });
        ensure(found != state_.credits.end(), missing("authorization", sequence));
        return *found;
    }

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
    return std::move(history).finish();
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
    JournalPositions positions;
    for (auto const& [chain_id, sequence] : journals) {
        if (chains.contains(chain_id)) positions.emplace(chain_id, sequence);
    }
    return positions;
}

}  // namespace sycee
