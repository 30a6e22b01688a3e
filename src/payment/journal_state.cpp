#include <sycee/crypto/merkle.hpp>
#include <sycee/payment/journal_state.hpp>

namespace sycee {

std::string journal_name(MerchantId merchant_id, ChainId chain_id) {
    return "merchant " + to_string(merchant_id) + ", chain " + std::to_string(chain_id);
}

Bytes32 state_leaf(JournalState const& state) {
    CanonicalBytes bytes("sycee.journal_state.1");
    bytes.bytes(state.merchant_id.uuid.bytes)
        .number(state.chain_id)
        .number(state.head.sequence)
        .bytes(state.head.hash)
        .number(state.last_batch)
        .number(state.live_credits)
        .number(state.live_withdrawals)
        .number(state.balances.size());
    for (auto const& [key, balance] : state.balances) {
        bytes.bytes(key.first)
            .text(to_string(key.second))
            .number(balance.negative ? 1 : 0)
            .amount(balance.magnitude);
    }
    bytes.number(state.open.size());
    for (auto const& [authorization, clearing] : state.open)
        bytes.number(authorization).number(clearing);
    bytes.number(state.reversed.size());
    for (std::uint64_t const sequence : state.reversed)
        bytes.number(sequence);
    bytes.number(state.decided.size());
    for (auto const& [exception, amount] : state.decided)
        bytes.number(exception).amount(amount);
    bytes.number(state.kept_by.size());
    for (TransferKey const& key : state.kept_by)
        bytes.bytes(key.transaction_hash).bytes(key.token.bytes).number(key.ordinal);
    bytes.number(state.paid_invoices.size());
    for (auto const& [invoice, token] : state.paid_invoices)
        bytes.bytes(invoice.uuid.bytes).bytes(token.bytes);
    return merkle_leaf(bytes.view());
}

}  // namespace sycee
