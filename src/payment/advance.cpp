#include <sycee/base/assert.hpp>
#include <sycee/payment/advance.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace sycee {
namespace {

constexpr std::uint32_t kBasisPoints = 10'000;

bool reached(BlockNumber block, BlockNumber head, std::uint32_t confirmations) {
    return block + confirmations <= head + 1;  // the transfer's own block is the first confirmation
}

// The work on one merchant, phase by phase.
class MerchantAdvance {
  public:
    MerchantAdvance(MerchantView view, ChainStep const& step, Timestamp booked_at)
        : view_(std::move(view)),
          step_(step),
          journal_(view_.merchant_id, step.chain_id, view_.head, booked_at) {}

    MerchantStep run(std::vector<MatchedTransfer> const& transfers) {
        for (PaymentState& state : view_.payments) {
            statuses_before_.push_back(status(state));
            before_.push_back(state);
        }
        if (step_.rolled_back_to) {
            for (PaymentState& state : view_.payments)
                reverse(state, *step_.rolled_back_to);
        }
        for (MatchedTransfer const& matched : transfers)
            book(matched);
        for (std::size_t i = 0; i < view_.payments.size(); ++i) {
            // A cleared payment whose transfers only moved is told once, as it stands in the end.
            bool const only_moved = has_only_moved(i);
            if (!only_moved) tell_about_reversal(i);
            clear(view_.payments[i], only_moved);
            if (only_moved) tell_about_reversal(i);
        }
        for (PaymentState& state : view_.payments)
            put_on_desk(state);
        settle();

        MerchantStep result{.first_head = journal_.first_head(), .head = journal_.head()};
        result.entries = std::move(journal_).take_entries();
        result.events = std::move(events_);
        result.payments = std::move(view_.payments);
        return result;
    }

  private:
    bool on_this_chain(Transfer const& transfer) const {
        return transfer.key.chain_id == step_.chain_id;
    }
    bool rule_holds(Credit const& credit) const {
        return on_this_chain(credit.transfer) &&
               reached(credit.transfer.block_number, step_.head, step_.confirmations);
    }
    PaymentStatus status(PaymentState const& state) const {
        return status_of(state, step_.head_time);
    }
    PaymentState& payment(PaymentId id) {
        auto const found =
            std::find_if(view_.payments.begin(), view_.payments.end(),
                         [id](PaymentState const& state) { return state.payment.id == id; });
        ensure(found != view_.payments.end(), "payment: a matched payment is not in the view");
        return *found;
    }

    PaymentEvent& tell(std::string type, PaymentState const& state, JournalHead record) {
        events_.push_back({.type = std::move(type),
                           .state = state,
                           .status = status(state),
                           .record_sequence = record.sequence,
                           .record_hash = record.hash,
                           .goods_may_be_released = false,
                           .moved = std::nullopt});
        return events_.back();
    }

    JournalHead reverse_record(PaymentId payment_id, Record const& record, std::uint64_t sequence,
                               Bytes32 const& hash, BlockNumber ancestor) {
        Postings const postings = postings_of(record);
        return journal_.append(Reversal{.payment_id = payment_id,
                                        .reversed_kind = kind_of(record),
                                        .reversed_sequence = sequence,
                                        .reversed_hash = hash,
                                        .ancestor_block = ancestor,
                                        .postings = mirror(postings)});
    }

    // The newest record first: what left, then each transfer in with what was booked upon it. A
    // clearing falls only with its authorization.
    void reverse(PaymentState& state, BlockNumber ancestor) {
        auto const taken_away = [&](Transfer const& transfer) {
            return on_this_chain(transfer) && transfer.block_number > ancestor;
        };
        PaymentId const id = state.payment.id;
        for (auto out = state.outflows.rbegin(); out != state.outflows.rend(); ++out) {
            if (!taken_away(out->transfer)) continue;
            reverse_record(id, Withdrawal{id, out->transfer, out->unexplained}, out->sequence,
                           out->hash, ancestor);
        }
        std::erase_if(state.outflows, [&](Outflow const& out) { return taken_away(out.transfer); });

        for (auto credit = state.credits.rbegin(); credit != state.credits.rend(); ++credit) {
            if (!taken_away(credit->transfer)) continue;
            ensure(credit->stage != CreditStage::settled,
                   "stage order: a reorg would take away the settled transfer " +
                       to_hex0x(credit->transfer.key.transaction_hash));
            reverse_credit(id, *credit, ancestor);
            state.reversed_transfers.emplace_back(credit->transfer.key, credit->first_seen_time);
        }
        std::erase_if(state.credits,
                      [&](Credit const& credit) { return taken_away(credit.transfer); });
    }

    void reverse_credit(PaymentId id, Credit const& credit, BlockNumber ancestor) {
        Address const token = credit.transfer.key.token;
        if (credit.stage == CreditStage::cleared) {
            Clearing clearing{};
            clearing.token = token;
            clearing.gross = credit.gross;
            clearing.fee = credit.fee;
            clearing.excess = credit.excess;
            reverse_record(id, clearing, credit.stage_sequence, credit.stage_hash, ancestor);
        } else if (credit.stage == CreditStage::unapplied) {
            Unapplied unapplied{};
            unapplied.token = token;
            unapplied.amount = credit.excess;
            reverse_record(id, unapplied, credit.stage_sequence, credit.stage_hash, ancestor);
        }
        Authorization authorization{};
        authorization.transfer = credit.transfer;
        last_reversal_[id] = reverse_record(id, authorization, credit.authorization_sequence,
                                            credit.authorization_hash, ancestor);
    }

    void book(MatchedTransfer const& matched) {
        PaymentState& state = payment(matched.payment_id);
        if (matched.incoming) {
            authorize(state, matched.transfer);
        } else {
            withdraw(state, matched.transfer);
        }
    }

    void authorize(PaymentState& state, Transfer const& transfer) {
        bool const live =
            std::any_of(state.credits.begin(), state.credits.end(),
                        [&](Credit const& credit) { return credit.transfer.key == transfer.key; });
        ensure(!live, "one transfer, one credit: " + to_hex0x(transfer.key.transaction_hash) +
                          " has a live authorization already");
        PaymentStatus const before = status(state);
        JournalHead const record =
            journal_.append(Authorization{state.payment.id, transfer, step_.confirmations});
        Credit credit{.transfer = transfer,
                      .authorization_sequence = record.sequence,
                      .authorization_hash = record.hash,
                      .first_seen_time = transfer.block_time};
        for (auto const& [key, time] : state.reversed_transfers) {
            if (key == transfer.key)
                credit.first_seen_time = std::min(credit.first_seen_time, time);
        }
        state.credits.push_back(credit);
        if (last_reversal_.contains(state.payment.id)) {
            last_reversal_[state.payment.id] = record;  // told as one move, below
            return;
        }
        PaymentStatus const after = status(state);
        if (after != before && after == PaymentStatus::authorized) {
            tell("payment.authorized", state, record);
        } else if (after == PaymentStatus::partially_paid) {
            tell("payment.partially_paid", state, record);
        }
    }

    // Beyond the book balance the rest is booked as received without explanation (a balance older
    // than the address, say): it must not stop the chain.
    void withdraw(PaymentState& state, Transfer const& transfer) {
        Amount in;
        Amount out;
        for (Credit const& credit : state.credits) {
            if (same_token(credit.transfer, transfer)) in += credit.transfer.amount;
        }
        for (Outflow const& outflow : state.outflows) {
            if (!same_token(outflow.transfer, transfer)) continue;
            in += outflow.unexplained;
            out += outflow.transfer.amount;
        }
        Amount const balance = in - out;
        Amount const unexplained = transfer.amount > balance ? transfer.amount - balance : Amount{};
        JournalHead const record =
            journal_.append(Withdrawal{state.payment.id, transfer, unexplained});
        state.outflows.push_back({transfer, record.sequence, record.hash, unexplained});
        tell("funds.moved", state, record).moved = transfer;
    }

    static bool same_token(Transfer const& a, Transfer const& b) {
        return a.key.chain_id == b.key.chain_id && a.key.token == b.key.token;
    }

    // True where the replacing branch holds every transfer that the payment had.
    bool is_all_there(std::size_t index) const {
        auto const& now = view_.payments[index].credits;
        auto const& before = before_[index].credits;
        return std::all_of(before.begin(), before.end(), [&now](Credit const& old) {
            return std::any_of(now.begin(), now.end(), [&old](Credit const& credit) {
                return credit.transfer.key == old.transfer.key;
            });
        });
    }

    bool has_only_moved(std::size_t index) const {
        return last_reversal_.contains(view_.payments[index].payment.id) && is_all_there(index) &&
               statuses_before_[index] == PaymentStatus::cleared;
    }

    // One event for what a reorg did to a payment.
    void tell_about_reversal(std::size_t index) {
        PaymentState const& state = view_.payments[index];
        auto const record = last_reversal_.find(state.payment.id);
        if (record == last_reversal_.end()) return;
        bool const all_there = is_all_there(index);
        PaymentEvent& event =
            tell(all_there ? "payment.moved" : "payment.reversed", state, record->second);
        event.goods_may_be_released =
            !all_there && statuses_before_[index] == PaymentStatus::cleared;
    }

    // Transfers that met the rule and together cover the payment clear in one transaction, with the
    // fixed order of their arrival. Those on other chains count when their own chain cleared them.
    void clear(PaymentState& state, bool silently) {
        std::vector<Credit*> candidates;
        std::vector<Credit const*> counted;
        for (Credit& credit : state.credits) {
            bool const applied =
                credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
            bool const may_clear = credit.stage == CreditStage::authorized && rule_holds(credit) &&
                                   credit.first_seen_time <= state.payment.expires_at;
            if (!applied && !may_clear) continue;
            if (may_clear) candidates.push_back(&credit);
            counted.push_back(&credit);
        }
        if (candidates.empty()) return;
        std::vector<Credit const*> already(counted);
        std::erase_if(
            already, [](Credit const* credit) { return credit->stage == CreditStage::authorized; });
        if (cover(state.payment, already).covered) return;
        Coverage const coverage = cover(state.payment, counted);
        if (!coverage.covered) return;

        PaymentStatus const before = status(state);
        JournalHead record;
        for (std::size_t i = 0; i < counted.size(); ++i) {
            auto const candidate = std::find(candidates.begin(), candidates.end(), counted[i]);
            if (candidate == candidates.end() || coverage.applied[i].is_zero()) continue;
            record = append_clearing(state, **candidate, coverage.applied[i]);
        }
        if (status(state) != before && !silently) tell("payment.cleared", state, record);
    }

    JournalHead append_clearing(PaymentState const& state, Credit& credit, Amount gross) {
        Amount const fee =
            multiply_divide_down(gross, Amount(view_.fee_basis_points), Amount(kBasisPoints));
        Clearing const clearing{.payment_id = state.payment.id,
                                .authorization_sequence = credit.authorization_sequence,
                                .authorization_hash = credit.authorization_hash,
                                .token = credit.transfer.key.token,
                                .cleared_at_block = step_.head,
                                .fee_basis_points = view_.fee_basis_points,
                                .gross = gross,
                                .fee = fee,
                                .net = gross - fee,
                                .excess = credit.transfer.amount - gross};
        JournalHead const record = journal_.append(clearing);
        credit.stage = CreditStage::cleared;
        credit.stage_sequence = record.sequence;
        credit.stage_hash = record.hash;
        credit.gross = gross;
        credit.fee = fee;
        credit.excess = clearing.excess;
        return record;
    }

    // What met the rule and can no longer become part of the payment.
    void put_on_desk(PaymentState& state) {
        PaymentStatus const now = status(state);
        for (Credit& credit : state.credits) {
            if (credit.stage != CreditStage::authorized || !rule_holds(credit)) continue;
            auto const reason = desk_reason(state, credit, now);
            if (!reason) continue;
            JournalHead const record =
                journal_.append(Unapplied{.payment_id = state.payment.id,
                                          .authorization_sequence = credit.authorization_sequence,
                                          .authorization_hash = credit.authorization_hash,
                                          .token = credit.transfer.key.token,
                                          .reason = *reason,
                                          .amount = credit.transfer.amount});
            credit.stage = CreditStage::unapplied;
            credit.stage_sequence = record.sequence;
            credit.stage_hash = record.hash;
            credit.excess = credit.transfer.amount;
            credit.unapplied_reason = reason;
            tell("payment.exception", state, record);
        }
    }

    std::optional<UnappliedReason> desk_reason(PaymentState const& state, Credit const& credit,
                                               PaymentStatus now) const {
        auto const& key = credit.transfer.key;
        if (state.payment.option_for(key.chain_id, key.token) == nullptr) {
            return UnappliedReason::token_not_offered;
        }
        if (credit.first_seen_time > state.payment.expires_at) return UnappliedReason::late;
        if (now == PaymentStatus::cleared || now == PaymentStatus::settled) {
            return UnappliedReason::already_paid;
        }
        bool const over_time = step_.head_time > state.payment.expires_at;
        if (over_time && now != PaymentStatus::authorized) return UnappliedReason::underpaid;
        return std::nullopt;
    }

    // One batch for each token: its settlements are contiguous, and it posts their sum in one row.
    void settle() {
        std::map<Address, std::vector<std::pair<PaymentState*, Credit*>>> by_token;
        for (PaymentState& state : view_.payments) {
            for (Credit& credit : state.credits) {
                if (credit.stage == CreditStage::cleared && on_this_chain(credit.transfer) &&
                    credit.transfer.block_number <= step_.finalized) {
                    by_token[credit.transfer.key.token].emplace_back(&state, &credit);
                }
            }
        }
        for (auto const& [token, credits] : by_token) {
            SettlementBatch batch{.batch_number = ++view_.last_batch_number,
                                  .token = token,
                                  .first_sequence = journal_.head().sequence + 1,
                                  .settlement_count = credits.size(),
                                  .finalized_block = step_.finalized};
            for (auto const& [state, credit] : credits) {
                batch.net += credit->gross - credit->fee;
                append_settlement(*state, *credit, batch.batch_number);
            }
            batch.last_sequence = journal_.head().sequence;
            journal_.append(batch);
        }
    }

    void append_settlement(PaymentState& state, Credit& credit, std::uint64_t batch_number) {
        JournalHead const record =
            journal_.append(Settlement{.payment_id = state.payment.id,
                                       .authorization_sequence = credit.authorization_sequence,
                                       .clearing_hash = credit.stage_hash,
                                       .batch_number = batch_number,
                                       .finalized_block = step_.finalized,
                                       .net = credit.gross - credit.fee});
        credit.stage = CreditStage::settled;
        credit.settlement_sequence = record.sequence;
        if (status(state) == PaymentStatus::settled) tell("payment.settled", state, record);
    }

    MerchantView view_;
    ChainStep const& step_;
    JournalWriter journal_;
    std::vector<PaymentEvent> events_;
    std::vector<PaymentStatus> statuses_before_;
    std::vector<PaymentState> before_;
    std::map<PaymentId, JournalHead> last_reversal_;
};

}  // namespace

MerchantStep advance_merchant(MerchantView view, std::vector<MatchedTransfer> const& transfers,
                              ChainStep const& step, Timestamp booked_at) {
    return MerchantAdvance(std::move(view), step, booked_at).run(transfers);
}

bool has_open_work(PaymentState const& state, ChainStep const& step) {
    auto const open = [&step](Transfer const& transfer, bool done) {
        return transfer.key.chain_id == step.chain_id &&
               (!done || transfer.block_number > step.finalized);
    };
    return std::any_of(state.credits.begin(), state.credits.end(),
                       [&](Credit const& credit) {
                           bool const done = credit.stage == CreditStage::settled ||
                                             credit.stage == CreditStage::unapplied;
                           return open(credit.transfer, done);
                       }) ||
           std::any_of(state.outflows.begin(), state.outflows.end(),
                       [&](Outflow const& outflow) { return open(outflow.transfer, true); });
}

}  // namespace sycee
