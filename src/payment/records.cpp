#include <sycee/crypto/hash.hpp>
#include <sycee/payment/records.hpp>

#include <array>
#include <utility>

namespace sycee {
namespace {

constexpr std::array<std::pair<ResolutionKind, std::string_view>, 4> kResolutionNames{{
    {ResolutionKind::accept, "accept"},
    {ResolutionKind::credit, "credit"},
    {ResolutionKind::write_off, "write_off"},
    {ResolutionKind::refund, "refund"},
}};

void append(CanonicalBytes& out, Transfer const& transfer) {
    out.bytes(transfer.key.transaction_hash)
        .bytes(transfer.key.token.bytes)
        .number(transfer.key.ordinal)
        .number(transfer.log_index)
        .bytes(transfer.sender.bytes)
        .bytes(transfer.recipient.bytes)
        .amount(transfer.amount)
        .number(transfer.block_number)
        .bytes(transfer.block_hash)
        .number(static_cast<std::uint64_t>(to_unix_seconds(transfer.block_time)));
}

struct AppendFields {
    CanonicalBytes& out;

    void operator()(Authorization const& record) const {
        out.bytes(record.payment_id.uuid.bytes);
        append(out, record.transfer);
        out.number(record.rule_version);
    }
    void operator()(Clearing const& record) const {
        out.bytes(record.payment_id.uuid.bytes)
            .number(record.authorization_sequence)
            .bytes(record.authorization_hash)
            .bytes(record.token.bytes)
            .number(record.cleared_at_block);
        if (record.fee_version != 0) out.number(record.fee_version);
        out.number(record.fee_basis_points)
            .amount(record.gross)
            .amount(record.fee)
            .amount(record.net)
            .amount(record.excess)
            .amount(record.shortfall);
    }
    void operator()(Settlement const& record) const {
        out.bytes(record.payment_id.uuid.bytes)
            .number(record.authorization_sequence)
            .bytes(record.clearing_hash)
            .number(record.batch_number)
            .number(record.finalized_block)
            .amount(record.net);
    }
    void operator()(SettlementBatch const& record) const {
        out.number(record.batch_number)
            .bytes(record.token.bytes)
            .number(record.first_sequence)
            .number(record.last_sequence)
            .number(record.settlement_count)
            .number(record.finalized_block)
            .amount(record.net);
    }
    void operator()(Unapplied const& record) const {
        out.bytes(record.payment_id.uuid.bytes)
            .number(record.authorization_sequence)
            .bytes(record.authorization_hash)
            .bytes(record.token.bytes)
            .text(to_string(record.reason))
            .amount(record.amount);
    }
    void operator()(Withdrawal const& record) const {
        out.bytes(record.payment_id.uuid.bytes);
        append(out, record.transfer);
        out.amount(record.unexplained);
    }
    void operator()(Reversal const& record) const {
        out.bytes(record.payment_id.uuid.bytes)
            .text(to_string(record.reversed_kind))
            .number(record.reversed_sequence)
            .bytes(record.reversed_hash)
            .number(record.ancestor_block);
    }
    void operator()(Resolution const& record) const {
        out.bytes(record.payment_id.uuid.bytes)
            .number(record.exception_sequence)
            .bytes(record.exception_hash)
            .bytes(record.token.bytes)
            .text(to_string(record.kind))
            .bytes(record.target_payment_id.uuid.bytes);
        if (record.fee_version != 0) out.number(record.fee_version);
        out.number(record.fee_basis_points)
            .amount(record.amount)
            .amount(record.fee)
            .text(record.decided_by)
            .text(record.approved_by)
            .bytes(record.reason_hash);
    }
};

bool names_fees(Record const& record) {
    auto const* clearing = std::get_if<Clearing>(&record);
    auto const* resolution = std::get_if<Resolution>(&record);
    return (clearing != nullptr && clearing->fee_version != 0) ||
           (resolution != nullptr && resolution->fee_version != 0);
}

struct PostingsOf {
    Postings operator()(Authorization const& record) const {
        return authorization_postings(record.transfer.key.token.bytes, record.transfer.amount);
    }
    Postings operator()(Clearing const& record) const {
        return clearing_postings(record.token.bytes, record.gross, record.fee, record.excess);
    }
    Postings operator()(Settlement const&) const { return {}; }  // the batch posts for all
    Postings operator()(SettlementBatch const& record) const {
        return settlement_postings(record.token.bytes, record.net);
    }
    Postings operator()(Unapplied const& record) const {
        return unapplied_postings(record.token.bytes, record.amount);
    }
    Postings operator()(Withdrawal const& record) const {
        return withdrawal_postings(record.transfer.key.token.bytes, record.transfer.amount,
                                   record.unexplained);
    }
    Postings operator()(Reversal const& record) const { return record.postings; }
    Postings operator()(Resolution const& record) const {
        if (record.kind == ResolutionKind::refund) {
            return refund_promise_postings(record.token.bytes, record.amount);
        }
        return desk_credit_postings(record.token.bytes, record.amount, record.fee);
    }
};

}  // namespace

std::string_view to_string(UnappliedReason reason) {
    switch (reason) {
        case UnappliedReason::underpaid:
            return "underpaid";
        case UnappliedReason::late:
            return "late";
        case UnappliedReason::already_paid:
            return "already_paid";
        case UnappliedReason::token_not_offered:
            return "token_not_offered";
        case UnappliedReason::chain_not_offered:
            return "chain_not_offered";
    }
    return "";
}

std::string_view to_string(ResolutionKind kind) {
    return kResolutionNames[static_cast<std::size_t>(kind)].second;
}

std::optional<ResolutionKind> parse_resolution_kind(std::string_view name) {
    for (auto const& [kind, kind_name] : kResolutionNames) {
        if (kind_name == name) return kind;
    }
    return std::nullopt;
}

bool pays(ResolutionKind kind) {
    return kind == ResolutionKind::accept || kind == ResolutionKind::credit;
}

std::string_view to_string(RecordKind kind) {
    switch (kind) {
        case RecordKind::authorization:
            return "authorization";
        case RecordKind::clearing:
            return "clearing";
        case RecordKind::settlement:
            return "settlement";
        case RecordKind::settlement_batch:
            return "settlement_batch";
        case RecordKind::unapplied:
            return "unapplied";
        case RecordKind::withdrawal:
            return "withdrawal";
        case RecordKind::reversal:
            return "reversal";
        case RecordKind::resolution:
            return "resolution";
    }
    return "";
}

RecordKind kind_of(Record const& record) {
    return static_cast<RecordKind>(record.index());  // the enumerators stand in the variant's order
}

Postings postings_of(Record const& record) {
    return std::visit(PostingsOf{}, record);
}

Bytes32 hash_of(JournalEntry const& entry) {
    CanonicalBytes bytes(names_fees(entry.record) ? "sycee.record.2" : "sycee.record.1");
    bytes.bytes(entry.merchant_id.uuid.bytes)
        .number(entry.chain_id)
        .number(entry.sequence)
        .bytes(entry.previous_hash)
        .number(static_cast<std::uint64_t>(to_unix_milliseconds(entry.booked_at)))
        .text(to_string(kind_of(entry.record)));
    std::visit(AppendFields{bytes}, entry.record);
    bytes.postings(postings_of(entry.record));
    return sha256(bytes.view());
}

JournalHead JournalWriter::append(Record record) {
    JournalEntry entry{.merchant_id = merchant_id_,
                       .chain_id = chain_id_,
                       .sequence = head_.sequence + 1,
                       .previous_hash = head_.hash,
                       .booked_at = booked_at_,
                       .record = std::move(record)};
    entry.hash = hash_of(entry);
    head_ = {entry.sequence, entry.hash};
    entries_.push_back(std::move(entry));
    return head_;
}

}  // namespace sycee
