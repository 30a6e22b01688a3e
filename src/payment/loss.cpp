#include <sycee/payment/loss.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

// What lies at the address by the books, of what no reorg can take away any more.
Amount kept_balance(PaymentState const& state, ChainId chain_id, Address const& token,
                    BlockNumber finalized) {
    Amount not_final;
    for (Credit const& credit : state.credits) {
        auto const& key = credit.transfer.key;
        if (key.chain_id == chain_id && key.token == token &&
            credit.transfer.block_number > finalized)
            not_final += credit.transfer.amount;
    }
    Amount const all = address_balance(state, chain_id, token);
    return all - std::min(all, not_final);
}

}  // namespace

Result<MerchantStep> book_loss(MerchantView view, ChainId chain_id, LossDecision const& decision,
                               ChainsProgress const& chains, Timestamp booked_at) {
    auto const state = std::find_if(
        view.payments.begin(), view.payments.end(),
        [&decision](PaymentState const& one) { return one.payment.id == decision.payment_id; });
    if (state == view.payments.end() || !view.frozen.contains(decision.payment_id)) {
        return refuse("difference", "is not open");
    }
    auto const chain = chains.find(chain_id);
    BlockNumber const finalized =
        chain == chains.end() || !chain->second ? 0 : chain->second->finalized;
    if (decision.block_number > finalized) {
        return refuse("difference", "was found in block " + std::to_string(decision.block_number) +
                                        ", which is not final yet: a reorg could bring it back");
    }
    if (decision.amount.is_zero()) return refuse("difference", "leaves nothing missing");
    // What could still be taken away as never received can't be lost.
    Amount const there = kept_balance(*state, chain_id, decision.token, finalized);
    if (decision.amount > there) {
        return refuse("difference", "leaves " + to_string(decision.amount) +
                                        " base units missing, but the books have only " +
                                        to_string(there) + " there that were received for good");
    }
    JournalWriter journal(view.merchant_id, chain_id, view.head, booked_at);
    journal.append(TokenLoss{.payment_id = decision.payment_id,
                             .token = decision.token,
                             .amount = decision.amount,
                             .difference_id = decision.difference_id,
                             .block_number = decision.block_number,
                             .block_hash = decision.block_hash,
                             .decided_by = decision.decided_by,
                             .approved_by = decision.approved_by,
                             .reason_hash = decision.reason_hash});
    state->losses.push_back(
        {.chain_id = chain_id, .token = decision.token, .amount = decision.amount});
    MerchantStep step{.first_head = journal.first_head(), .head = journal.head()};
    step.entries = std::move(journal).take_entries();
    step.payments = std::move(view.payments);
    return step;
}

}  // namespace sycee
