#include "report_text.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>

namespace sycee {
namespace {

std::string short_hash(Bytes32 const& hash) {
    return to_hex(hash).substr(0, 12);
}

// "50.000000 USDT", or base units where the configuration no longer knows the token.
std::string money(Amount amount, ChainId chain_id, Address const& contract,
                  Network const& network) {
    ChainSettings const* chain = network.chain(chain_id);
    TokenSettings const* token = chain == nullptr ? nullptr : chain->token(contract);
    if (token == nullptr) return to_string(amount) + " base units of " + to_string(contract);
    return to_decimal(amount, token->decimals) + " " + token->symbol;
}

struct Describe {
    ChainId chain_id;
    Network const& network;

    std::string operator()(Authorization const& record) const {
        auto const& transfer = record.transfer;
        return money(transfer.amount, chain_id, transfer.key.token, network) + " in block " +
               std::to_string(transfer.block_number) + ", transaction " +
               to_hex0x(transfer.key.transaction_hash);
    }
    std::string operator()(Clearing const& record) const {
        return "gross " + money(record.gross, chain_id, record.token, network) + ", fee " +
               money(record.fee, chain_id, record.token, network) + ", net " +
               money(record.net, chain_id, record.token, network) + " at block " +
               std::to_string(record.cleared_at_block);
    }
    std::string operator()(Settlement const& record) const {
        return "in batch " + std::to_string(record.batch_number) + ", final block " +
               std::to_string(record.finalized_block);
    }
    std::string operator()(SettlementBatch const& record) const {
        return "batch " + std::to_string(record.batch_number) + ": " +
               std::to_string(record.settlement_count) + " settlement(s), net " +
               money(record.net, chain_id, record.token, network);
    }
    std::string operator()(Unapplied const& record) const {
        return money(record.amount, chain_id, record.token, network) + ": " +
               std::string(to_string(record.reason));
    }
    std::string operator()(Withdrawal const& record) const {
        return money(record.transfer.amount, chain_id, record.transfer.key.token, network) +
               " to " + to_string(record.transfer.recipient);
    }
    std::string operator()(Reversal const& record) const {
        return "of " + std::string(to_string(record.reversed_kind)) + " " +
               std::to_string(record.reversed_sequence);
    }
};

void append(std::ostringstream& out, JournalEntry const& entry, Network const& network) {
    std::string const kind(to_string(kind_of(entry.record)));
    out << "  #" << entry.sequence << "  " << kind << "  " << to_rfc3339(entry.booked_at) << "  "
        << short_hash(entry.hash) << "\n      "
        << std::visit(Describe{entry.chain_id, network}, entry.record) << "\n";
    for (Posting const& posting : postings_of(entry.record)) {
        out << "      " << to_string(posting.debit) << " -> " << to_string(posting.credit) << "  "
            << money(posting.amount, entry.chain_id, Address{posting.token}, network) << "\n";
    }
}

std::string signed_money(BalanceRow const& row, Network const& network) {
    return (row.balance.negative ? "-" : "") +
           money(row.balance.magnitude, row.chain_id, row.token, network);
}

}  // namespace

std::string timeline_text(PaymentState const& state, PaymentStatus status,
                          PaymentTimeline const& timeline, Network const& network) {
    std::ostringstream out;
    Payment const& payment = state.payment;
    out << to_string(payment.id) << "  " << to_string(status) << "\n  "
        << to_decimal(payment.price, currency_decimals(payment.currency).value_or(0)) << " "
        << payment.currency << " to " << to_string(payment.deposit_address) << " (derivation index "
        << payment.derivation_index << ")\n\nRecords\n";
    for (auto const& entry : timeline.records)
        append(out, entry, network);
    if (!timeline.batches.empty()) out << "\nSettlement batches\n";
    for (auto const& entry : timeline.batches)
        append(out, entry, network);
    out << "\nEvents\n";
    for (auto const& event : timeline.events) {
        out << "  " << to_string(event.event.id) << "  " << event.event.type << "  "
            << (event.delivered         ? "delivered"
                : event.next_attempt_at ? "next attempt " + to_rfc3339(*event.next_attempt_at)
                                        : "not delivered")
            << ", " << event.attempts << " attempt(s)\n";
    }
    return std::move(out).str();
}

std::string trial_balance_text(std::vector<BalanceRow> const& rows, Network const& network) {
    std::map<std::tuple<MerchantId, ChainId, Address>, std::vector<BalanceRow const*>> groups;
    for (BalanceRow const& row : rows) {
        groups[{row.merchant_id, row.chain_id, row.token}].push_back(&row);
    }
    std::ostringstream out;
    for (auto const& [key, accounts] : groups) {
        BalanceRow const& first = *accounts.front();
        out << first.merchant_name << " (" << to_string(first.merchant_id) << "), chain "
            << first.chain_id << "\n";
        Amount debit;
        Amount credit;
        for (bool const debit_side : {true, false}) {
            out << (debit_side ? "  where the coins are\n" : "  whose they are\n");
            for (BalanceRow const* row : accounts) {
                if (is_debit_account(row->account) != debit_side) continue;
                out << "    " << to_string(row->account)
                    << std::string(20 - to_string(row->account).size(), ' ')
                    << signed_money(*row, network) << "\n";
                // A debit balance below zero stands on the other side of the sum.
                ((debit_side != row->balance.negative) ? debit : credit) += row->balance.magnitude;
            }
        }
        out << "  sums: " << money(debit, first.chain_id, first.token, network) << " = "
            << money(credit, first.chain_id, first.token, network)
            << (debit == credit ? "  in balance\n" : "  OUT OF BALANCE\n");
    }
    if (groups.empty()) out << "Nothing is booked yet.\n";
    return std::move(out).str();
}

std::string csv_field(std::string const& text) {
    std::string field = text;
    if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos) {
        field.insert(field.begin(), '\'');
    }
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string quoted = "\"";
    for (char const c : field)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

}  // namespace sycee
