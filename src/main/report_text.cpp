#include "report_text.hpp"

#include <sycee/app/amount_text.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/app/trial_balance.hpp>

#include <sstream>

namespace sycee {
namespace {

std::string short_hash(Bytes32 const& hash) {
    return to_hex(hash).substr(0, 12);
}

struct Describe {
    ChainId chain_id;
    Network const& network;

    std::string operator()(Authorization const& record) const {
        auto const& transfer = record.transfer;
        return token_amount(network, chain_id, transfer.key.token, transfer.amount) + " in block " +
               std::to_string(transfer.block_number) + ", transaction " +
               to_hex0x(transfer.key.transaction_hash);
    }
    std::string operator()(Clearing const& record) const {
        return "gross " + token_amount(network, chain_id, record.token, record.gross) + ", fee " +
               token_amount(network, chain_id, record.token, record.fee) + ", net " +
               token_amount(network, chain_id, record.token, record.net) + " at block " +
               std::to_string(record.cleared_at_block);
    }
    std::string operator()(Settlement const& record) const {
        return "in batch " + std::to_string(record.batch_number) + ", final block " +
               std::to_string(record.finalized_block);
    }
    std::string operator()(SettlementBatch const& record) const {
        return "batch " + std::to_string(record.batch_number) + ": " +
               std::to_string(record.settlement_count) + " settlement(s), net " +
               token_amount(network, chain_id, record.token, record.net);
    }
    std::string operator()(Unapplied const& record) const {
        return token_amount(network, chain_id, record.token, record.amount) + ": " +
               std::string(to_string(record.reason));
    }
    std::string operator()(Withdrawal const& record) const {
        return token_amount(network, chain_id, record.transfer.key.token, record.transfer.amount) +
               " to " + to_string(record.transfer.recipient);
    }
    std::string operator()(Reversal const& record) const {
        return "of " + std::string(to_string(record.reversed_kind)) + " " +
               std::to_string(record.reversed_sequence);
    }
    std::string operator()(Resolution const& record) const {
        return std::string(to_string(record.kind)) + " " +
               token_amount(network, chain_id, record.token, record.amount) + " of exception " +
               std::to_string(record.exception_sequence) + " for " +
               to_string(record.target_payment_id) + deciders(record);
    }
    std::string operator()(Refund const& record) const {
        return token_amount(network, chain_id, record.token, record.amount) + " promised to " +
               to_string(record.recipient) + deciders(record);
    }
    std::string operator()(RefundPayment const& record) const {
        Transfer const& transfer = record.transfer;
        return "of " + promise(record) + ": " +
               token_amount(network, chain_id, transfer.key.token, transfer.amount) + " to " +
               to_string(transfer.recipient) + " in block " +
               std::to_string(transfer.block_number) + ", transaction " +
               to_hex0x(transfer.key.transaction_hash);
    }
    std::string operator()(RefundCancellation const& record) const {
        return "of " + promise(record) + ": " +
               token_amount(network, chain_id, record.token, record.amount) + deciders(record);
    }
    std::string operator()(TokenLoss const& record) const {
        return token_amount(network, chain_id, record.token, record.amount) + ", difference " +
               to_string(record.difference_id) + " at block " +
               std::to_string(record.block_number) + deciders(record);
    }
    std::string operator()(FeePayment const& record) const {
        return token_amount(network, chain_id, record.token, record.amount) + " by invoice " +
               to_string(record.invoice_payment_id);
    }

    std::string operator()(Cancellation const& record) const {
        return "ends at " + to_rfc3339(record.ends_at) + deciders(record);
    }

    static std::string deciders(auto const& record) {
        return ", by " + record.decided_by +
               (record.approved_by.empty() ? "" : " and " + record.approved_by);
    }
    static std::string promise(auto const& record) {
        return std::string(to_string(record.promise_kind)) + " " +
               std::to_string(record.promise_sequence);
    }
};

void append(std::ostringstream& out, JournalEntry const& entry, Network const& network) {
    std::string const kind(to_string(kind_of(entry.record)));
    out << "  #" << entry.sequence << "  " << kind << "  " << to_rfc3339(entry.booked_at) << "  "
        << short_hash(entry.hash) << "\n      "
        << std::visit(Describe{entry.chain_id, network}, entry.record) << "\n";
    for (Posting const& posting : postings_of(entry.record)) {
        out << "      " << to_string(posting.debit) << " -> " << to_string(posting.credit) << "  "
            << token_amount(network, entry.chain_id, Address{posting.token}, posting.amount)
            << "\n";
    }
}

std::string signed_amount(BalanceSheet::Balance const& balance, TrialBalance const& sheet,
                          Network const& network) {
    return (balance.negative ? "-" : "") +
           token_amount(network, sheet.chain_id, sheet.token, balance.magnitude);
}

void append(std::ostringstream& out, std::vector<BalanceRow> const& side, TrialBalance const& sheet,
            Network const& network) {
    for (BalanceRow const& row : side) {
        out << "    " << to_string(row.account)
            << std::string(20 - to_string(row.account).size(), ' ')
            << signed_amount(row.balance, sheet, network) << "\n";
    }
}

}  // namespace

std::string timeline_text(PaymentState const& state, PaymentStatus status,
                          PaymentTimeline const& timeline, Network const& network) {
    std::ostringstream out;
    Payment const& payment = state.payment;
    out << to_string(payment.id) << "  " << to_string(status) << "\n  " << amount_text(state)
        << " to " << to_string(payment.deposit_address) << " (derivation index "
        << payment.derivation_index << ")\n\nRecords\n";
    for (auto const& entry : timeline.records)
        append(out, entry, network);
    if (!timeline.batches.empty()) out << "\nSettlement batches\n";
    for (auto const& entry : timeline.batches)
        append(out, entry, network);
    out << "\nEvents\n";
    for (auto const& event : timeline.events) {
        out << "  " << to_string(event.event.id) << "  " << event.event.type
            << (event.is_waiting ? "  waiting" : "") << "\n";
        for (auto const& [delivery, url, attempts] : timeline.deliveries) {
            if (delivery.key.event_id != event.event.id) continue;
            out << "    " << to_string(delivery.key.endpoint_id) << "  "
                << to_string(delivery.state()) << ", " << delivery.attempts << " attempt(s)";
            if (delivery.next_attempt_at)
                out << ", the next one at " << to_rfc3339(*delivery.next_attempt_at);
            out << "\n";
        }
    }
    return std::move(out).str();
}

std::string trial_balance_text(std::vector<BalanceRow> const& rows, Network const& network) {
    std::ostringstream out;
    for (auto const& sheet : trial_balances(rows)) {
        out << sheet.merchant_name << " (" << to_string(sheet.merchant_id) << "), chain "
            << sheet.chain_id << "\n  where the coins are\n";
        append(out, sheet.debits, sheet, network);
        out << "  whose they are\n";
        append(out, sheet.credits, sheet, network);
        out << "  sums: " << signed_amount(sheet.debit_sum, sheet, network) << " = "
            << signed_amount(sheet.credit_sum, sheet, network)
            << (sheet.balanced() ? "  in balance\n" : "  OUT OF BALANCE\n");
    }
    if (rows.empty()) out << "Nothing is booked yet.\n";
    return std::move(out).str();
}

}  // namespace sycee
