#pragma once

#include <sycee/payment/records.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace sycee {

// The one description of what a record's hash covers: `visit` is called with each field's name and
// value, in the order of the bytes. It is the hash that reads it, what a receipt shows, and what
// reads a receipt back, into a record that is not const.
//
// A visitor takes what is overloaded below, and seconds() for a time of the chain.

template <class T, class Value>
concept Either = std::same_as<std::remove_const_t<T>, Value>;

template <class Visit>
void visit_fields(Visit& visit, Either<Transfer> auto& transfer) {
    visit("transaction_hash", transfer.key.transaction_hash);
    visit("token", transfer.key.token);
    visit("ordinal", transfer.key.ordinal);
    visit("log_index", transfer.log_index);
    visit("sender", transfer.sender);
    visit("recipient", transfer.recipient);
    visit("amount", transfer.amount);
    visit("block_number", transfer.block_number);
    visit("block_hash", transfer.block_hash);
    visit.seconds("block_time", transfer.block_time);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Authorization> auto& record) {
    visit("payment_id", record.payment_id);
    visit_fields(visit, record.transfer);
    visit("rule_version", record.rule_version);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Clearing> auto& record) {
    visit("payment_id", record.payment_id);
    visit("authorization_sequence", record.authorization_sequence);
    visit("authorization_hash", record.authorization_hash);
    visit("token", record.token);
    visit("cleared_at_block", record.cleared_at_block);
    if (record.fee_version != 0) visit("fee_version", record.fee_version);
    visit("fee_basis_points", record.fee_basis_points);
    visit("gross", record.gross);
    visit("fee", record.fee);
    visit("net", record.net);
    visit("excess", record.excess);
    visit("shortfall", record.shortfall);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Settlement> auto& record) {
    visit("payment_id", record.payment_id);
    visit("authorization_sequence", record.authorization_sequence);
    visit("clearing_hash", record.clearing_hash);
    visit("batch_number", record.batch_number);
    visit("finalized_block", record.finalized_block);
    visit("net", record.net);
}

template <class Visit>
void visit_fields(Visit& visit, Either<SettlementBatch> auto& record) {
    visit("batch_number", record.batch_number);
    visit("token", record.token);
    visit("first_sequence", record.first_sequence);
    visit("last_sequence", record.last_sequence);
    visit("settlement_count", record.settlement_count);
    visit("finalized_block", record.finalized_block);
    visit("net", record.net);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Unapplied> auto& record) {
    visit("payment_id", record.payment_id);
    visit("authorization_sequence", record.authorization_sequence);
    visit("authorization_hash", record.authorization_hash);
    visit("token", record.token);
    visit("reason", record.reason);
    visit("amount", record.amount);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Withdrawal> auto& record) {
    visit("payment_id", record.payment_id);
    visit_fields(visit, record.transfer);
    visit("unexplained", record.unexplained);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Reversal> auto& record) {
    visit("payment_id", record.payment_id);
    visit("reversed_kind", record.reversed_kind);
    visit("reversed_sequence", record.reversed_sequence);
    visit("reversed_hash", record.reversed_hash);
    visit("ancestor_block", record.ancestor_block);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Resolution> auto& record) {
    visit("payment_id", record.payment_id);
    visit("exception_sequence", record.exception_sequence);
    visit("exception_hash", record.exception_hash);
    visit("token", record.token);
    visit("resolution", record.kind);
    visit("target_payment_id", record.target_payment_id);
    if (record.fee_version != 0) visit("fee_version", record.fee_version);
    visit("fee_basis_points", record.fee_basis_points);
    visit("amount", record.amount);
    visit("fee", record.fee);
    visit("decided_by", record.decided_by);
    visit("approved_by", record.approved_by);
    visit("reason_hash", record.reason_hash);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Refund> auto& record) {
    visit("payment_id", record.payment_id);
    visit("token", record.token);
    visit("recipient", record.recipient);
    visit("amount", record.amount);
    visit("decided_by", record.decided_by);
    visit("approved_by", record.approved_by);
    visit("reason_hash", record.reason_hash);
}

// The amount of the promise beside that of the transfer needs another name.
template <class Visit>
void visit_fields(Visit& visit, Either<RefundPayment> auto& record) {
    visit("payment_id", record.payment_id);
    visit("promise_kind", record.promise_kind);
    visit("promise_sequence", record.promise_sequence);
    visit("promise_hash", record.promise_hash);
    visit_fields(visit, record.transfer);
    visit("promised", record.amount);
    visit("finalized_block", record.finalized_block);
}

template <class Visit>
void visit_fields(Visit& visit, Either<RefundCancellation> auto& record) {
    visit("payment_id", record.payment_id);
    visit("promise_kind", record.promise_kind);
    visit("promise_sequence", record.promise_sequence);
    visit("promise_hash", record.promise_hash);
    visit("token", record.token);
    visit("amount", record.amount);
    visit("decided_by", record.decided_by);
    visit("approved_by", record.approved_by);
    visit("reason_hash", record.reason_hash);
}

template <class Visit>
void visit_fields(Visit& visit, Either<TokenLoss> auto& record) {
    visit("payment_id", record.payment_id);
    visit("token", record.token);
    visit("amount", record.amount);
    visit("difference_id", record.difference_id);
    visit("block_number", record.block_number);
    visit("block_hash", record.block_hash);
    visit("decided_by", record.decided_by);
    visit("approved_by", record.approved_by);
    visit("reason_hash", record.reason_hash);
}

template <class Visit>
void visit_fields(Visit& visit, Either<FeePayment> auto& record) {
    visit("invoice_merchant_id", record.invoice_merchant_id);
    visit("invoice_payment_id", record.invoice_payment_id);
    visit("token", record.token);
    visit("amount", record.amount);
    visit("settlement_hash", record.settlement_hash);
}

template <class Visit>
void visit_fields(Visit& visit, Either<Cancellation> auto& record) {
    visit("payment_id", record.payment_id);
    visit.seconds("ends_at", record.ends_at);
    visit("decided_by", record.decided_by);
    visit("approved_by", record.approved_by);
    visit("reason_hash", record.reason_hash);
}

// What stands first in the bytes: it names the layout of all that follows. The second one has a
// `fee_version`, the first one was in use before there were any. The third one is that of the kinds
// that came after both.
constexpr std::string_view kFirstLayout = "sycee.record.1";
constexpr std::string_view kSecondLayout = "sycee.record.2";
constexpr std::string_view kThirdLayout = "sycee.record.3";
inline std::string_view layout_of(Record const& record) {
    if (kind_of(record) > RecordKind::resolution) return kThirdLayout;
    auto const* clearing = std::get_if<Clearing>(&record);
    auto const* resolution = std::get_if<Resolution>(&record);
    bool const names_fees = (clearing != nullptr && clearing->fee_version != 0) ||
                            (resolution != nullptr && resolution->fee_version != 0);
    return names_fees ? kSecondLayout : kFirstLayout;
}

// Between the layout and the record's own fields.
template <class Visit>
void visit_place(Visit& visit, Either<JournalEntry> auto& entry) {
    visit("merchant_id", entry.merchant_id);
    visit("chain_id", entry.chain_id);
    visit("sequence", entry.sequence);
    visit("previous_hash", entry.previous_hash);
    visit.milliseconds("booked_at", entry.booked_at);
}

}  // namespace sycee
