#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/payment/records.hpp>

#include <pqxx/pqxx>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// Rows of authorizations and withdrawals selected with all their columns, block_time as
// block_millis; the parties by the names of their columns, or by their table's.
Transfer transfer_of(pqxx::row const& row, char const* sender, char const* recipient);
Transfer incoming_transfer_of(pqxx::row const& row);
Transfer outgoing_transfer_of(pqxx::row const& row);
std::optional<UnappliedReason> parse_unapplied_reason(std::string_view name);
std::optional<RecordKind> parse_record_kind(std::string_view name);
ResolutionKind resolution_kind_of(pqxx::field const& field);

// Writes the records with their postings, a statement for each kind. Throws InvariantViolation
// where a hash is not its record's own.
void insert_entries(pqxx::transaction_base& tx, std::vector<JournalEntry> const& entries);

// Every record of each of these payments with their reversals, in the order of chain and sequence.
// A reversal's postings are those stored with it.
std::map<PaymentKey, std::vector<JournalEntry>> load_payment_entries(
    pqxx::transaction_base& tx, std::vector<PaymentKey> const& payments);
// Those of all merchants, by merchant, chain and sequence.
std::vector<JournalEntry> load_fee_payments(pqxx::transaction_base& tx);
// The settlement batches that hold settlements of the payment.
std::vector<JournalEntry> load_payment_batches(pqxx::transaction_base& tx, PaymentKey payment);

}  // namespace sycee
