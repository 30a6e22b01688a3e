#include <sycee/base/assert.hpp>
#include <sycee/evm/transfer_order.hpp>
#include <sycee/payment/advance.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace sycee {
namespace {

bool reached(BlockNumber block, BlockNumber head, std::uint32_t confirmations) {
    return block + confirmations <= head + 1;  // the transfer's own block is the first confirmation
}

bool is_final(Transfer const& transfer, ChainStep const& step) {
    return transfer.block_number <= step.progress().finalized;
}

bool is_taken_away(Transfer const& transfer, ChainStep const& step) {
    return step.rolled_back_to && transfer.key.chain_id == step.chain_id &&
           transfer.block_number > *step.rolled_back_to;
}

// A token that is no longer configured counts as one of few decimals: the stricter rule.
Amount value_of(ChainStep const& step, ChainId chain_id, Address const& token, Amount amount) {
    auto const unit =
        std::find_if(step.tokens.begin(), step.tokens.end(), [&](TokenUnit const& candidate) {
            return candidate.chain_id == chain_id && candidate.token == token;
        });
    return value_of(amount, unit == step.tokens.end() ? kValueDecimals : unit->decimals);
}

// What there is to lose: the larger of the price and of what has arrived, so that nobody buys the
// rule of small payments by paying a large one in parts.
Amount value_at_stake(PaymentState const& state, ChainStep const& step) {
    Amount price;
    for (PaymentOption const& option : state.payment.options) {
        price = std::max(price, value_of(step, option.chain_id, option.token, option.amount));
    }
    Amount arrived;
    for (Credit const& credit : state.credits) {
        auto const& key = credit.transfer.key;
        arrived += value_of(step, key.chain_id, key.token, credit.transfer.amount);
    }
    return std::max(price, arrived);
}

// By the finality rule of the transfer's own chain, and within what enough nodes agree on.
bool met_rule(Transfer const& transfer, Amount at_stake, ChainStep const& step) {
    auto const chain = step.chains.find(transfer.key.chain_id);
    if (chain == step.chains.end() || !chain->second) return false;
    ChainProgress const& progress = *chain->second;
    if (transfer.block_number <= progress.finalized) return true;
    auto const& band = band_for(progress.rule, at_stake);
    return band.confirmations != 0 &&
           reached(transfer.block_number, progress.agreed, band.confirmations);
}

PaymentStatus status_in(PaymentState const& state, ChainStep const& step) {
    return status_of(state, chain_time_of(state.payment, step.chains));
}

// The work on one merchant, phase by phase.
class MerchantAdvance {
  public:
    MerchantAdvance(MerchantView view, ChainStep const& step, Timestamp booked_at)
        : view_(std::move(view)),
          step_(step),
          journal_(view_.merchant_id, step.chain_id, view_.head, booked_at) {
        for (auto const& [token, amount] : view_.cleared_not_final)
            not_final_ += value(token, amount);
    }

    MerchantStep run(std::vector<MatchedTransfer> const& transfers) {
        for (PaymentState& state : view_.payments) {
            place_[state.payment.id] = before_.size();
            statuses_before_.push_back(status(state));
            before_.push_back(state);
        }
        if (step_.rolled_back_to) {
            for (PaymentState& state : view_.payments)
                reverse(state);
        }
        for (MatchedTransfer const& matched : transfers)
            book(matched);
        for (std::size_t i = 0; i < view_.payments.size(); ++i) {
            tell_about_arrival(i);
            clear_and_tell(i);
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
    PaymentStatus status(PaymentState const& state) const { return status_in(state, step_); }
    PaymentState& payment(PaymentId id) {
        auto const found = place_.find(id);
        ensure(found != place_.end(), "payment: a matched payment is not in the view");
        return view_.payments[found->second];
    }

    PaymentEvent& tell(std::string type, PaymentState const& state, JournalHead record) {
        JournalPositions journals = view_.other_journals;
        journals.emplace(step_.chain_id, journal_.head().sequence);
        events_.push_back({.type = std::move(type),
                           .payment_id = state.payment.id,
                           .status = status(state),
                           .record_sequence = record.sequence,
                           .positions = positions_of(state, journals)});
        return events_.back();
    }

    Amount value(Address const& token, Amount amount) const {
        return value_of(step_, step_.chain_id, token, amount);
    }

    JournalHead reverse_record(PaymentId payment_id, RecordKind kind, std::uint64_t sequence,
                               Bytes32 const& hash, Postings const& postings) {
        return journal_.append(Reversal{.payment_id = payment_id,
                                        .reversed_kind = kind,
                                        .reversed_sequence = sequence,
                                        .reversed_hash = hash,
                                        .ancestor_block = *step_.rolled_back_to,
                                        .postings = mirror(postings)});
    }

    // The newest record first: what left, then each transfer in with what was booked upon it. A
    // clearing falls only with its authorization.
    void reverse(PaymentState& state) {
        PaymentId const id = state.payment.id;
        for (auto out = state.outflows.rbegin(); out != state.outflows.rend(); ++out) {
            if (!is_taken_away(out->transfer, step_)) continue;
            ensure(out->resolved.is_zero(), decided_upon(out->transfer));
            reverse_record(id, RecordKind::withdrawal, out->sequence, out->hash,
                           postings_of(Withdrawal{id, out->transfer, out->unexplained}));
        }
        std::erase_if(state.outflows,
                      [&](Outflow const& out) { return is_taken_away(out.transfer, step_); });

        for (auto credit = state.credits.rbegin(); credit != state.credits.rend(); ++credit) {
            if (!is_taken_away(credit->transfer, step_)) continue;
            ensure(credit->resolved.is_zero(), decided_upon(credit->transfer));
            bool const was_settled = credit->stage == CreditStage::settled;
            reverse_credit(state, *credit);
            credit->stage = CreditStage::authorized;
            if (was_settled) require_promises(state, credit->transfer);
            state.reversed_transfers.emplace_back(credit->transfer.key, credit->first_seen_time);
        }
        std::erase_if(state.credits,
                      [&](Credit const& credit) { return is_taken_away(credit.transfer, step_); });
        require_losses(state);
    }

    // Nor is anything taken away as never received that is booked as lost.
    void require_losses(PaymentState const& state) const {
        for (LostTokens const& lost : state.losses) {
            if (lost.chain_id != step_.chain_id) continue;
            Amount in;
            Amount out;
            for (Credit const& credit : state.credits) {
                if (is_of(credit.transfer.key, lost)) in += credit.transfer.amount;
            }
            for (Outflow const& outflow : state.outflows) {
                if (!is_of(outflow.transfer.key, lost)) continue;
                in += outflow.unexplained;
                out += outflow.transfer.amount;
            }
            for (LostTokens const& other : state.losses) {
                if (other.chain_id == lost.chain_id && other.token == lost.token)
                    out += other.amount;
            }
            ensure(out <= in, "stage order: a reorg would take away what is booked as lost at " +
                                  to_string(state.payment.deposit_address));
        }
    }

    static bool is_of(TransferKey const& key, LostTokens const& lost) {
        return key.chain_id == lost.chain_id && key.token == lost.token;
    }

    // What was promised to a payer rests on what is settled: no reorg takes that away below it.
    void require_promises(PaymentState const& state, Transfer const& gone) const {
        TransferKey const& key = gone.key;
        ensure(promised_amount(state, key.chain_id, key.token) <=
                   settled_amount(state, key.chain_id, key.token),
               "stage order: a reorg would take away the settled transfer " +
                   to_hex0x(key.transaction_hash) + ", of which a part was promised to a payer");
    }

    static std::string decided_upon(Transfer const& transfer) {
        return "stage order: a reorg would take away the transfer " +
               to_hex0x(transfer.key.transaction_hash) + ", which was decided upon at the desk";
    }

    void reverse_credit(PaymentState& state, Credit const& credit) {
        PaymentId const id = state.payment.id;
        Address const token = credit.transfer.key.token;
        if (credit.stage == CreditStage::settled) {
            ensure(step_.repairs, "stage order: a reorg would take away the settled transfer " +
                                      to_hex0x(credit.transfer.key.transaction_hash));
            reverse_record(id, RecordKind::settlement, credit.settlement_sequence,
                           credit.settlement_hash,
                           settlement_postings(token.bytes, credit.gross - credit.fee));
        } else if (credit.stage == CreditStage::cleared) {
            not_final_ -= std::min(not_final_, value(token, credit.gross - credit.fee));
        }
        if (credit.stage == CreditStage::unapplied) {
            reverse_record(id, RecordKind::unapplied, credit.stage_sequence, credit.stage_hash,
                           unapplied_postings(token.bytes, credit.excess));
        } else if (credit.stage != CreditStage::authorized) {
            state.was_cleared = true;
            reverse_record(id, RecordKind::clearing, credit.stage_sequence, credit.stage_hash,
                           clearing_postings(token.bytes, credit.gross, credit.fee, credit.excess));
        }
        last_reversal_[id] = reverse_record(
            id, RecordKind::authorization, credit.authorization_sequence, credit.authorization_hash,
            authorization_postings(token.bytes, credit.transfer.amount));
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
        JournalHead const record = journal_.append(
            Authorization{state.payment.id, transfer, step_.progress().rule.version});
        state.credits.push_back({.transfer = transfer,
                                 .authorization_sequence = record.sequence,
                                 .authorization_hash = record.hash,
                                 .first_seen_time = first_seen_time_of(state, transfer)});
        auto& told = last_reversal_.contains(state.payment.id) ? last_reversal_ : arrived_;
        told[state.payment.id] = record;
    }

    // Once for all that the step's blocks brought the payment.
    void tell_about_arrival(std::size_t index) {
        PaymentState const& state = view_.payments[index];
        auto const record = arrived_.find(state.payment.id);
        if (record == arrived_.end() || last_reversal_.contains(state.payment.id)) return;
        PaymentStatus const now = status(state);
        if (now == PaymentStatus::authorized && statuses_before_[index] != now) {
            tell("payment.authorized", state, record->second);
        } else if (now == PaymentStatus::partially_paid) {
            tell("payment.partially_paid", state, record->second);
        }
    }

    // Beyond the book balance the rest is booked as received without explanation (a balance older
    // than the address, say): it must not stop the chain.
    void withdraw(PaymentState& state, Transfer const& transfer) {
        Amount const balance = address_balance(state, transfer.key.chain_id, transfer.key.token);
        Amount const unexplained = transfer.amount > balance ? transfer.amount - balance : Amount{};
        JournalHead const record =
            journal_.append(Withdrawal{state.payment.id, transfer, unexplained});
        state.outflows.push_back({.transfer = transfer,
                                  .sequence = record.sequence,
                                  .hash = record.hash,
                                  .unexplained = unexplained});
        tell("funds.moved", state, record);
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

    // What clears in this step: of which transfer how much.
    struct Part {
        Credit* credit = nullptr;
        Amount gross;
        Amount shortfall;
    };

    // A cleared payment whose transfers only moved is told once, as it stands in the end.
    void clear_and_tell(std::size_t index) {
        PaymentState& state = view_.payments[index];
        auto const parts = parts_to_clear(state);
        bool const only_moved = has_only_moved(index, parts);
        // An open amount may be another one afterwards: what the shop was told is taken back, and
        // it is told what it is now.
        bool const another_amount = state.payment.open_amount && was_released(index) &&
                                    last_reversal_.contains(state.payment.id) && !only_moved;
        if (!only_moved) tell_about_reversal(index, is_all_there(index) && !another_amount);
        bool const is_still_paid = another_amount && is_cleared(status(state));
        clear(state, parts, only_moved);
        if (only_moved) tell_about_reversal(index, true);
        if (!is_still_paid) return;
        JournalHead const record = last_reversal_.at(state.payment.id);
        tell("payment.cleared", state, record);
        bool const is_settled = status(state) == PaymentStatus::settled;
        if (is_settled && statuses_before_[index] != PaymentStatus::settled)
            tell("payment.settled", state, record);
    }

    // Released by an earlier clearing that a reorg undid counts as well: the shop is told that the
    // payment is whole again, not that it is and was. Not of an open amount, which is what it is
    // paid with: there only the same transfers of the same amounts, which a transaction that is
    // mined again need not have, are the same when they are cleared anew in this step.
    bool has_only_moved(std::size_t index, std::vector<Part> const& parts) const {
        PaymentState const& state = view_.payments[index];
        if (!last_reversal_.contains(state.payment.id) || !is_all_there(index)) return false;
        if (!state.payment.open_amount)
            return was_released(index) || (state.was_cleared && !lost_a_transfer(state));
        auto now = applied_to(state);
        for (Part const& part : parts)
            now.emplace(part.credit->transfer.key, part.gross);
        return was_released(index) && now == applied_to(before_[index]);
    }

    static std::map<TransferKey, Amount> applied_to(PaymentState const& state) {
        std::map<TransferKey, Amount> applied;
        for (Credit const& credit : state.credits) {
            if (is_applied(credit)) applied.emplace(credit.transfer.key, credit.gross);
        }
        return applied;
    }

    static bool is_applied(Credit const& credit) {
        return credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
    }
    static bool is_cleared(PaymentStatus status) {
        return status == PaymentStatus::cleared || status == PaymentStatus::settled;
    }

    bool was_released(std::size_t index) const { return is_cleared(statuses_before_[index]); }

    // One event for what a reorg did to a payment.
    void tell_about_reversal(std::size_t index, bool moved) {
        PaymentState const& state = view_.payments[index];
        auto const record = last_reversal_.find(state.payment.id);
        if (record == last_reversal_.end()) return;
        PaymentEvent& event =
            tell(moved ? "payment.moved" : "payment.reversed", state, record->second);
        event.goods_may_be_released = !moved && (was_released(index) || state.was_cleared);
    }

    // Transfers that met the rule and together cover the payment clear in one transaction: what is
    // applied already, then the first on the chains, no more of them than it takes. So what a
    // payment is paid with does not hang on how many blocks a step has, or on who wrote it down
    // first. Those on other chains count as well; they are cleared by a step of their own chain. Of
    // an open amount, what is here may be enough by itself, and leave nothing to pay for those: it
    // does not wait for them, since nothing here knows whether they will ever be cleared.
    std::vector<Part> parts_to_clear(PaymentState& state) const {
        std::vector<Credit*> candidates;
        std::vector<Credit const*> counted;
        std::vector<Credit const*> waiting;
        Amount const at_stake = value_at_stake(state, step_);
        for (Credit& credit : state.credits) {
            if (is_applied(credit)) {
                counted.push_back(&credit);
            } else if (may_clear(state, credit, at_stake)) {
                if (on_this_chain(credit.transfer)) candidates.push_back(&credit);
                waiting.push_back(&credit);
            }
        }
        if (candidates.empty()) return {};
        std::sort(waiting.begin(), waiting.end(), [](Credit const* a, Credit const* b) {
            return is_earlier(a->transfer, b->transfer);
        });
        Coverage coverage = cover(state, counted);
        if (coverage.covered) return {};
        for (std::size_t i = 0; i < waiting.size() && !coverage.covered; ++i) {
            counted.push_back(waiting[i]);
            coverage = cover(state, counted);
        }
        if (!coverage.covered || !is_within_cap(counted, candidates, coverage)) return {};

        std::vector<Part> parts;
        for (std::size_t i = 0; i < counted.size(); ++i) {
            auto const candidate = std::find(candidates.begin(), candidates.end(), counted[i]);
            if (candidate == candidates.end() || coverage.applied[i].is_zero()) continue;
            Amount const shortfall = coverage.short_credit == i ? coverage.shortfall : Amount{};
            parts.push_back({*candidate, coverage.applied[i], shortfall});
        }
        return parts;
    }

    void clear(PaymentState& state, std::vector<Part> const& parts, bool silently) {
        if (parts.empty()) return;
        PaymentStatus const before = status(state);
        JournalHead record;
        for (Part const& part : parts)
            record = append_clearing(state, *part.credit, part.gross, part.shortfall);
        if (status(state) == before || silently) return;
        // Cleared before, moved by a reorg, and whole again: the shop has released already.
        bool const again =
            !state.payment.open_amount && state.was_cleared && !lost_a_transfer(state);
        tell(again ? "payment.moved" : "payment.cleared", state, record);
    }

    bool may_clear(PaymentState const& state, Credit const& credit, Amount at_stake) const {
        return credit.stage == CreditStage::authorized && !is_frozen(state, credit) &&
               credit.first_seen_time <= ends_at(state) &&
               met_rule(credit.transfer, at_stake, step_);
    }

    // By its own chain: of another one nothing is known here but what that chain has booked.
    bool is_frozen(PaymentState const& state, Credit const& credit) const {
        return on_this_chain(credit.transfer) && view_.frozen.contains(state.payment.id);
    }

    // Whether what would be cleared before it is final keeps the merchant below its cap. What is
    // final already adds nothing: it settles in this same step.
    bool is_within_cap(std::vector<Credit const*> const& counted,
                       std::vector<Credit*> const& candidates, Coverage const& coverage) const {
        if (!step_.progress().rule.most_not_final) return true;
        Amount sum = not_final_;
        for (std::size_t i = 0; i < counted.size(); ++i) {
            bool const cleared_now =
                std::find(candidates.begin(), candidates.end(), counted[i]) != candidates.end();
            if (!cleared_now || is_final(counted[i]->transfer, step_)) continue;
            sum += value(counted[i]->transfer.key.token, coverage.applied[i]);
        }
        return sum == not_final_ || sum <= *step_.progress().rule.most_not_final;
    }

    JournalHead append_clearing(PaymentState const& state, Credit& credit, Amount gross,
                                Amount shortfall) {
        auto const& key = credit.transfer.key;
        credit.stage = CreditStage::cleared;
        credit.gross = gross;
        auto const* option = state.payment.option_for(key.chain_id, key.token);
        ensure(option != nullptr, "payment: a clearing in a token that is not offered");
        Amount const fee = fee_of_last_part(view_.fees, state, *option, gross);
        Clearing const clearing{.payment_id = state.payment.id,
                                .authorization_sequence = credit.authorization_sequence,
                                .authorization_hash = credit.authorization_hash,
                                .token = credit.transfer.key.token,
                                .cleared_at_block = step_.head,
                                .fee_version = view_.fees.version,
                                .fee_basis_points = view_.fees.basis_points,
                                .gross = gross,
                                .fee = fee,
                                .net = gross - fee,
                                .excess = credit.transfer.amount - gross,
                                .shortfall = shortfall};
        JournalHead const record = journal_.append(clearing);
        credit.stage_sequence = record.sequence;
        credit.stage_hash = record.hash;
        credit.fee = fee;
        credit.excess = clearing.excess;
        credit.shortfall = shortfall;
        not_final_ += value(clearing.token, clearing.net);
        return record;
    }

    // What met the rule and can no longer become part of the payment. The shop is told once,
    // however many transfers there are: whoever sends dust must not make us write a book for each
    // grain.
    void put_on_desk(PaymentState& state) {
        PaymentStatus const now = status(state);
        Amount const at_stake = value_at_stake(state, step_);
        std::optional<JournalHead> last;
        for (Credit& credit : state.credits) {
            bool const waits = credit.stage == CreditStage::authorized &&
                               on_this_chain(credit.transfer) &&
                               met_rule(credit.transfer, at_stake, step_);
            if (!waits) continue;
            auto const reason = desk_reason(state, credit, now);
            if (!reason) continue;
            last =
                journal_.append(Unapplied{.payment_id = state.payment.id,
                                          .authorization_sequence = credit.authorization_sequence,
                                          .authorization_hash = credit.authorization_hash,
                                          .token = credit.transfer.key.token,
                                          .reason = *reason,
                                          .amount = credit.transfer.amount});
            credit.stage = CreditStage::unapplied;
            credit.stage_sequence = last->sequence;
            credit.stage_hash = last->hash;
            credit.excess = credit.transfer.amount;
            credit.unapplied_reason = reason;
        }
        if (last) tell("payment.exception", state, *last);
    }

    std::optional<UnappliedReason> desk_reason(PaymentState const& state, Credit const& credit,
                                               PaymentStatus now) const {
        Payment const& payment = state.payment;
        auto const& key = credit.transfer.key;
        if (!payment.offers(key.chain_id)) return UnappliedReason::chain_not_offered;
        if (payment.option_for(key.chain_id, key.token) == nullptr) {
            return UnappliedReason::token_not_offered;
        }
        if (credit.first_seen_time > ends_at(state)) return UnappliedReason::late;
        if (now == PaymentStatus::cleared || now == PaymentStatus::settled) {
            return UnappliedReason::already_paid;
        }
        auto const time = chain_time_of(payment, step_.chains);
        bool const over = time && *time > ends_at(state);
        if (over && now != PaymentStatus::authorized) return UnappliedReason::underpaid;
        return std::nullopt;
    }

    // One batch for each token: its settlements are contiguous, and it posts their sum in one row.
    void settle() {
        std::map<Address, std::vector<std::pair<PaymentState*, Credit*>>> by_token;
        for (PaymentState& state : view_.payments) {
            for (Credit& credit : state.credits) {
                if (credit.stage == CreditStage::cleared && on_this_chain(credit.transfer) &&
                    is_final(credit.transfer, step_) && !is_frozen(state, credit)) {
                    by_token[credit.transfer.key.token].emplace_back(&state, &credit);
                }
            }
        }
        for (auto const& [token, credits] : by_token) {
            SettlementBatch batch{.batch_number = ++view_.last_batch_number,
                                  .token = token,
                                  .first_sequence = journal_.head().sequence + 1,
                                  .settlement_count = credits.size(),
                                  .finalized_block = step_.progress().finalized};
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
                                       .finalized_block = step_.progress().finalized,
                                       .net = credit.gross - credit.fee});
        credit.stage = CreditStage::settled;
        credit.settlement_sequence = record.sequence;
        credit.settlement_hash = record.hash;
        if (status(state) == PaymentStatus::settled) tell("payment.settled", state, record);
    }

    MerchantView view_;
    ChainStep const& step_;
    JournalWriter journal_;
    std::vector<PaymentEvent> events_;
    std::vector<PaymentStatus> statuses_before_;
    std::vector<PaymentState> before_;
    std::map<PaymentId, std::size_t> place_;  // in view_.payments
    std::map<PaymentId, JournalHead> arrived_;
    std::map<PaymentId, JournalHead> last_reversal_;
    Amount not_final_;  // value cleared and not final on this chain
};

}  // namespace

MerchantStep advance_merchant(MerchantView view, std::vector<MatchedTransfer> const& transfers,
                              ChainStep const& step, Timestamp booked_at) {
    return MerchantAdvance(std::move(view), step, booked_at).run(transfers);
}

bool has_open_work(PaymentState const& state, ChainStep const& step) {
    auto const open = [&step](Transfer const& transfer, bool done) {
        return transfer.key.chain_id == step.chain_id && (!done || !is_final(transfer, step));
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

Attention attention_for(PaymentState const& state, ChainStep const& step) {
    for (Outflow const& outflow : state.outflows) {
        if (is_taken_away(outflow.transfer, step)) return Attention::due;
    }
    bool is_any_met = false;
    std::optional<Amount> at_stake;
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key.chain_id != step.chain_id) continue;
        if (is_taken_away(credit.transfer, step)) return Attention::due;
        if (credit.stage == CreditStage::cleared && is_final(credit.transfer, step))
            return Attention::due;
        if (credit.stage != CreditStage::authorized) continue;
        auto const& key = credit.transfer.key;
        bool const counts = state.payment.option_for(key.chain_id, key.token) != nullptr &&
                            credit.first_seen_time <= ends_at(state);
        if (is_any_met && counts) continue;
        if (!at_stake) at_stake = value_at_stake(state, step);
        bool const is_met = met_rule(credit.transfer, *at_stake, step);
        // What can't become part of the payment goes to the desk, whatever else is waited for.
        if (is_met && !counts) return Attention::due;
        is_any_met = is_any_met || is_met;
    }
    if (!is_any_met) return Attention::none;
    // What comes on another chain shows only where the payment is read again.
    bool const offers_others =
        std::any_of(state.payment.options.begin(), state.payment.options.end(),
                    [&step](auto const& option) { return option.chain_id != step.chain_id; });
    bool const waits = !offers_others && status_in(state, step) == PaymentStatus::partially_paid;
    return waits ? Attention::waits : Attention::due;
}

}  // namespace sycee
