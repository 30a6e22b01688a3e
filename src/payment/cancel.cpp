#include <sycee/payment/cancel.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

// Block times are whole seconds, and the next block may have the same one as the last.
Timestamp earliest_end(Timestamp chain_time) {
    return std::chrono::floor<std::chrono::seconds>(chain_time) - 1s;
}

}  // namespace

Result<MerchantStep> cancel_payment(MerchantView view, ChainId chain_id,
                                    CancelPayment const& cancellation, ChainsProgress const& chains,
                                    Timestamp booked_at) {
    auto const state =
        std::ranges::find(view.payments, cancellation.payment_id,
                          [](PaymentState const& candidate) { return candidate.payment.id; });
    if (state == view.payments.end()) return refuse("payment", "is not a payment of this merchant");
    if (state->canceled) return refuse("status", "is canceled already");
    auto const time = chain_time_of(state->payment, chains);
    if (!time) return refuse("chains", "one of the payment's chains is not being followed");
    if (*time > state->payment.expires_at) return refuse("status", "is expired");
    // Whatever it is: it may still move, and the desk may give it to this payment.
    if (!state->credits.empty()) return refuse("transfers", "have come for it");
    if (!state->desk_credits.empty()) return refuse("transfers", "were given to it by the desk");
    if (lost_a_transfer(*state))
        return refuse("transfers", "have come for it, and may come back: a reorg took them away");
    Timestamp const ends_at = cancellation.ends_at.value_or(earliest_end(*time));
    if (ends_at >= *time) return refuse("chains", "have not processed everything up to its end");

    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    JournalHead const record =
        journal.append(Cancellation{.payment_id = cancellation.payment_id,
                                    .ends_at = ends_at,
                                    .decided_by = cancellation.decided_by,
                                    .approved_by = cancellation.approved_by,
                                    .reason_hash = cancellation.reason_hash});
    state->canceled = Canceled{.chain_id = chain_id,
                               .sequence = record.sequence,
                               .hash = record.hash,
                               .ends_at = ends_at,
                               .booked_at = booked_at};
    ++state->version;
    MerchantStep step{.first_head = journal.first_head(), .head = journal.head()};
    JournalPositions journals = view.other_journals;
    journals.emplace(chain_id, record.sequence);
    step.events.push_back({.type = "payment.canceled",
                           .payment_id = state->payment.id,
                           .status = status_of(*state, time),
                           .record_sequence = record.sequence,
                           .positions = positions_of(*state, journals)});
    step.entries = std::move(journal).take_entries();
    step.payments = std::move(view.payments);
    return step;
}

}  // namespace sycee
