#include <sycee/payment/refund.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace sycee {
namespace {

PaymentState* find_payment(MerchantView& view, PaymentId id) {
    auto const found = std::ranges::find(
        view.payments, id, [](PaymentState const& state) { return state.payment.id; });
    return found == view.payments.end() ? nullptr : &*found;
}

// The one record, and what the shop is told of it.
MerchantStep step_of(MerchantView& view, ChainId chain_id, JournalWriter&& journal,
                     PaymentState const& state, std::string type, ChainsProgress const& chains) {
    MerchantStep step{.first_head = journal.first_head(), .head = journal.head()};
    JournalPositions journals = view.other_journals;
    journals.emplace(chain_id, step.head.sequence);
    step.events.push_back({.type = std::move(type),
                           .payment_id = state.payment.id,
                           .status = status_of(state, chain_time_of(state.payment, chains)),
                           .record_sequence = step.head.sequence,
                           .positions = positions_of(state, journals)});
    step.entries = std::move(journal).take_entries();
    step.payments = std::move(view.payments);
    return step;
}

// A promise that has not ended; refused otherwise.
Result<Promise> frozen_promise(PaymentState const* state, ChainId chain_id,
                               std::uint64_t sequence) {
    Promise const* const promise =
        state == nullptr ? nullptr : find_promise(*state, chain_id, sequence);
    if (promise == nullptr) return refuse("refund", "is not there");
    if (promise->stage == PromiseStage::paid) return refuse("refund", "is paid already");
    if (promise->stage == PromiseStage::canceled) return refuse("refund", "is canceled already");
    return *promise;
}

Result<void> check_amount(PaymentState const& state, ChainId chain_id,
                          RefundDecision const& decision) {
    Amount const left = refundable_amount(state, chain_id, decision.token);
    if (decision.amount.is_zero()) return refuse("amount", "must be above zero");
    if (left.is_zero()) return refuse("payment", "has nothing settled in this token to refund");
    if (decision.amount > left) {
        return refuse("amount", "is more than the " + to_string(left) +
                                    " base units that are left of what is settled");
    }
    return {};
}

}  // namespace

Amount refundable_amount(PaymentState const& state, ChainId chain_id, Address const& token) {
    return settled_amount(state, chain_id, token) - promised_amount(state, chain_id, token);
}

std::vector<Refundable> refundable_of(PaymentState const& state) {
    std::set<std::pair<ChainId, Address>> tokens;
    for (Credit const& credit : state.credits)
        tokens.emplace(credit.transfer.key.chain_id, credit.transfer.key.token);
    for (DeskCredit const& credit : state.desk_credits)
        tokens.emplace(credit.chain_id, credit.token);
    std::vector<Refundable> refundable;
    for (auto const& [chain_id, token] : tokens) {
        Amount const amount = refundable_amount(state, chain_id, token);
        if (!amount.is_zero()) refundable.push_back({chain_id, token, amount});
    }
    return refundable;
}

Promise const* find_promise(PaymentState const& state, ChainId chain_id, std::uint64_t sequence) {
    auto const found = std::ranges::find_if(state.promises, [&](Promise const& promise) {
        return promise.chain_id == chain_id && promise.sequence == sequence;
    });
    return found == state.promises.end() ? nullptr : &*found;
}

Result<void> check_recipient(PaymentState const& state, Address const& token,
                             Address const& recipient) {
    if (recipient == Address{}) return refuse("recipient", "is nobody: the zero address");
    if (recipient == token) return refuse("recipient", "is the contract of the token itself");
    if (recipient == state.payment.deposit_address)
        return refuse("recipient", "is a deposit address of this gateway");
    return {};
}

Result<MerchantStep> promise_refund(MerchantView view, ChainId chain_id,
                                    RefundDecision const& decision, ChainsProgress const& chains,
                                    Timestamp booked_at) {
    PaymentState* const state = find_payment(view, decision.payment_id);
    if (state == nullptr) return refuse("payment", "is not a payment of this merchant");
    if (view.frozen.contains(decision.payment_id)) {
        return refuse("payment",
                      "is at an address whose balance is not what the books say: see `sycee "
                      "difference list`");
    }
    if (decision.recipient != Address{}) {
        auto const checked = check_recipient(*state, decision.token, decision.recipient);
        if (!checked) return std::unexpected(checked.error());
    }
    if (auto const checked = check_amount(*state, chain_id, decision); !checked)
        return std::unexpected(checked.error());

    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    JournalHead const record = journal.append(Refund{.payment_id = decision.payment_id,
                                                     .token = decision.token,
                                                     .recipient = decision.recipient,
                                                     .amount = decision.amount,
                                                     .decided_by = decision.decided_by,
                                                     .approved_by = decision.approved_by,
                                                     .reason_hash = decision.reason_hash});
    state->promises.push_back({.chain_id = chain_id,
                               .token = decision.token,
                               .amount = decision.amount,
                               .sequence = record.sequence,
                               .hash = record.hash,
                               .recipient = decision.recipient});
    return step_of(view, chain_id, std::move(journal), *state, "refund.created", chains);
}

std::vector<Transfer> fitting_transfers(Promise const& promise, Address const& recipient,
                                        std::vector<Transfer> const& transfers) {
    std::vector<Transfer> fitting;
    std::ranges::copy_if(transfers, std::back_inserter(fitting), [&](Transfer const& transfer) {
        return transfer.key.chain_id == promise.chain_id && transfer.key.token == promise.token &&
               transfer.recipient == recipient && transfer.amount >= promise.amount;
    });
    std::ranges::sort(fitting, {}, [](Transfer const& transfer) {
        return std::pair(transfer.amount, transfer.key.ordinal);
    });
    return fitting;
}

bool is_before_promise(Timestamp block_time, Timestamp promised_at) {
    return block_time < promised_at - kPromiseClockSlack;
}

Result<MerchantStep> keep_promise(MerchantView view, ChainId chain_id, PromiseKept const& kept,
                                  ChainsProgress const& chains, Timestamp booked_at) {
    PaymentState* const state = find_payment(view, kept.payment_id);
    auto const promise = frozen_promise(state, chain_id, kept.promise_sequence);
    if (!promise) return std::unexpected(promise.error());
    Transfer const& transfer = kept.transfer;
    auto const chain = chains.find(chain_id);
    bool const is_final =
        chain != chains.end() && chain->second && transfer.block_number <= chain->second->finalized;
    if (!is_final) return refuse("transaction", "is not final yet: a reorg could take it away");
    bool const names_another =
        promise->recipient != Address{} && promise->recipient != kept.recipient;
    if (names_another || kept.recipient == Address{})
        return refuse("refund", "has another recipient, or none");
    if (is_before_promise(transfer.block_time, kept.promised_at))
        return refuse("transaction", "is older than the refund: it paid something else");
    if (fitting_transfers(*promise, kept.recipient, {transfer}).empty()) {
        return refuse("transaction",
                      "does not send the refund's token to its recipient, or not enough of it");
    }

    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    journal.append(RefundPayment{.payment_id = kept.payment_id,
                                 .promise_kind = promise->kind,
                                 .promise_sequence = promise->sequence,
                                 .promise_hash = promise->hash,
                                 .transfer = transfer,
                                 .amount = promise->amount,
                                 .finalized_block = chain->second->finalized});
    end_promise(*state, chain_id, promise->sequence, PromiseStage::paid);
    return step_of(view, chain_id, std::move(journal), *state, "refund.paid", chains);
}

Result<MerchantStep> cancel_promise(MerchantView view, ChainId chain_id,
                                    CancelDecision const& decision, ChainsProgress const& chains,
                                    Timestamp booked_at) {
    PaymentState* const state = find_payment(view, decision.payment_id);
    auto const promise = frozen_promise(state, chain_id, decision.promise_sequence);
    if (!promise) return std::unexpected(promise.error());

    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    journal.append(RefundCancellation{.payment_id = decision.payment_id,
                                      .promise_kind = promise->kind,
                                      .promise_sequence = promise->sequence,
                                      .promise_hash = promise->hash,
                                      .token = promise->token,
                                      .amount = promise->amount,
                                      .decided_by = decision.decided_by,
                                      .approved_by = "",
                                      .reason_hash = decision.reason_hash});
    end_promise(*state, chain_id, promise->sequence, PromiseStage::canceled);
    return step_of(view, chain_id, std::move(journal), *state, "refund.canceled", chains);
}

}  // namespace sycee
