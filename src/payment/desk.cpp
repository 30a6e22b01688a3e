#include <sycee/payment/desk.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

PaymentState* find_payment(MerchantView& view, PaymentId id) {
    auto const found =
        std::find_if(view.payments.begin(), view.payments.end(),
                     [id](PaymentState const& state) { return state.payment.id == id; });
    return found == view.payments.end() ? nullptr : &*found;
}

Result<void> check_amount(ExceptionItem const& item, Amount amount) {
    Amount const left = item.amount - item.resolved;
    if (left.is_zero()) return refuse("exception", "is resolved already");
    if (amount.is_zero()) return refuse("amount", "must be above zero");
    if (amount > left) {
        return refuse("amount", "is more than the " + to_string(left) +
                                    " base units that are left of the exception");
    }
    return {};
}

// Something that came in time and is not cleared: what covers the payment without it would send it
// to the desk.
bool has_part_on_its_way(PaymentState const& state) {
    return std::ranges::any_of(state.credits, [&state](Credit const& credit) {
        auto const& key = credit.transfer.key;
        return credit.stage == CreditStage::authorized && !is_late(state, credit) &&
               state.payment.option_for(key.chain_id, key.token) != nullptr;
    });
}

// Only what a payment still needs can go to it: what is over would be on the desk again. To an open
// amount as much as one likes.
Result<void> check_target(PaymentState const& target, ExceptionItem const& item, Amount amount,
                          PaymentStatus status) {
    auto const& key = item.transfer.key;
    auto const* option = target.payment.option_for(key.chain_id, key.token);
    if (option == nullptr) {
        return refuse("target", "has no price in this token on this chain");
    }
    if (status == PaymentStatus::cleared || status == PaymentStatus::settled) {
        return refuse("target", "is paid already");
    }
    Amount const due = still_due(target, *option);
    if (due.is_zero()) return refuse("target", "is covered by transfers that are on their way");
    bool const takes_more = target.payment.open_amount && !has_part_on_its_way(target);
    if (amount > due && !takes_more) {
        return refuse("amount", "is more than the " + to_string(due) +
                                    " base units that the payment still needs");
    }
    return {};
}

}  // namespace

std::optional<ExceptionItem> find_exception(PaymentState const& state, ChainId chain_id,
                                            std::uint64_t sequence) {
    for (Credit const& credit : state.credits) {
        bool const named = credit.transfer.key.chain_id == chain_id &&
                           credit.stage != CreditStage::authorized &&
                           credit.stage_sequence == sequence;
        if (!named || credit.excess.is_zero()) continue;
        return ExceptionItem{sequence, credit.stage_hash, credit.transfer, credit.excess,
                             credit.resolved};
    }
    for (Outflow const& outflow : state.outflows) {
        bool const named =
            outflow.transfer.key.chain_id == chain_id && outflow.sequence == sequence;
        if (!named || outflow.unexplained.is_zero()) continue;
        return ExceptionItem{sequence, outflow.hash, outflow.transfer, outflow.unexplained,
                             outflow.resolved};
    }
    return std::nullopt;
}

Result<MerchantStep> resolve_exception(MerchantView view, ChainId chain_id,
                                       Decision const& decision, ChainsProgress const& chains,
                                       Timestamp booked_at) {
    PaymentState* const origin = find_payment(view, decision.payment_id);
    auto const item = origin == nullptr
                          ? std::nullopt
                          : find_exception(*origin, chain_id, decision.exception_sequence);
    if (!item) return refuse("exception", "is not on the desk");
    if (view.frozen.contains(decision.payment_id) ||
        view.frozen.contains(decision.target.value_or(decision.payment_id))) {
        return refuse("exception",
                      "is or goes to a payment at an address whose balance is not what the books "
                      "say: see `sycee "
                      "difference list`");
    }
    auto const chain = chains.find(chain_id);
    bool const is_final = chain != chains.end() && chain->second &&
                          item->transfer.block_number <= chain->second->finalized;
    if (!is_final) return refuse("exception", "is not final yet: a reorg could take it away");
    if (auto const checked = check_amount(*item, decision.amount); !checked) {
        return std::unexpected(checked.error());
    }
    bool const credits = decision.kind == ResolutionKind::credit;
    if (credits != decision.target.has_value()) {
        return refuse("target", credits ? "is missing: which payment does it pay?"
                                        : "goes with \"credit\" only");
    }
    PaymentId const target_id = decision.target.value_or(decision.payment_id);
    if (credits && target_id == decision.payment_id) {
        return refuse("target", "is the payment itself: \"accept\" does that");
    }
    PaymentState* const target = find_payment(view, target_id);
    if (target == nullptr) return refuse("target", "is not a payment of this merchant");
    auto const status = [&chains](PaymentState const& state) {
        return status_of(state, chain_time_of(state.payment, chains));
    };
    if (pays(decision.kind)) {
        auto const checked = check_target(*target, *item, decision.amount, status(*target));
        if (!checked) return std::unexpected(checked.error());
    }

    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    Address const token = item->transfer.key.token;
    FeeSchedule const fees = pays(decision.kind) ? view.fees : FeeSchedule{};
    Amount fee;
    if (pays(decision.kind)) {
        target->desk_credits.push_back({.chain_id = chain_id,
                                        .token = token,
                                        .amount = decision.amount,
                                        .sequence = view.head.sequence + 1,
                                        .accepts = decision.kind == ResolutionKind::accept,
                                        .exception_sequence = item->sequence});
        fee = fee_of_last_part(fees, *target, *target->payment.option_for(chain_id, token),
                               decision.amount);
        target->desk_credits.back().fee = fee;
    }
    JournalHead const record = journal.append(Resolution{.payment_id = decision.payment_id,
                                                         .exception_sequence = item->sequence,
                                                         .exception_hash = item->hash,
                                                         .token = token,
                                                         .kind = decision.kind,
                                                         .target_payment_id = target_id,
                                                         .fee_version = fees.version,
                                                         .fee_basis_points = fees.basis_points,
                                                         .amount = decision.amount,
                                                         .fee = fee,
                                                         .decided_by = decision.decided_by,
                                                         .approved_by = decision.approved_by,
                                                         .reason_hash = decision.reason_hash});
    note_resolved(*origin, chain_id, item->sequence, decision.amount);
    if (decision.kind == ResolutionKind::refund) {
        origin->promises.push_back({.chain_id = chain_id,
                                    .token = token,
                                    .amount = decision.amount,
                                    .kind = RecordKind::resolution,
                                    .sequence = record.sequence,
                                    .hash = record.hash,
                                    .exception_sequence = item->sequence});
    }

    MerchantStep step{.first_head = journal.first_head(), .head = journal.head()};
    JournalPositions journals = view.other_journals;
    journals.emplace(chain_id, record.sequence);
    auto const tell = [&](std::string type, PaymentState const& state) {
        step.events.push_back({.type = std::move(type),
                               .payment_id = state.payment.id,
                               .status = status(state),
                               .record_sequence = record.sequence,
                               .positions = positions_of(state, journals)});
    };
    tell("payment.exception_resolved", *origin);
    PaymentStatus const now = status(*target);
    bool const paid = now == PaymentStatus::cleared || now == PaymentStatus::settled;
    if (pays(decision.kind) && paid) {
        // What a person decided is final at once; the goods are released on the same word as
        // always.
        tell("payment.cleared", *target);
        if (now == PaymentStatus::settled) tell("payment.settled", *target);
    }
    step.entries = std::move(journal).take_entries();
    step.payments = std::move(view.payments);
    return step;
}

}  // namespace sycee
