#include <sycee/crypto/hash.hpp>
#include <sycee/payment/records.hpp>

#include "record_layout.hpp"

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

namespace sycee {
namespace {

constexpr std::array<std::pair<ResolutionKind, std::string_view>, 4> kResolutionNames{{
    {ResolutionKind::accept, "accept"},
    {ResolutionKind::credit, "credit"},
    {ResolutionKind::write_off, "write_off"},
    {ResolutionKind::refund, "refund"},
}};

// Appends each field to the bytes that are hashed.
struct AppendFields {
    CanonicalBytes& out;

    template <class Tag>
    void operator()(std::string_view, Id<Tag> const& value) const {
        out.bytes(value.uuid.bytes);
    }
    void operator()(std::string_view, Address const& value) const { out.bytes(value.bytes); }
    void operator()(std::string_view, Bytes32 const& value) const { out.bytes(value); }
    void operator()(std::string_view, Amount value) const { out.amount(value); }
    void operator()(std::string_view, std::integral auto value) const { out.number(value); }
    void operator()(std::string_view, std::string const& value) const { out.text(value); }
    template <class Enumeration>
        requires std::is_enum_v<Enumeration>
    void operator()(std::string_view, Enumeration value) const {
        out.text(to_string(value));
    }
    void seconds(std::string_view, Timestamp value) const {
        out.number(static_cast<std::uint64_t>(to_unix_seconds(value)));
    }
    void milliseconds(std::string_view, Timestamp value) const {
        out.number(static_cast<std::uint64_t>(to_unix_milliseconds(value)));
    }
};

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
    Postings operator()(Refund const& record) const {
        return refund_postings(record.token.bytes, record.amount);
    }
    Postings operator()(RefundPayment const& record) const {
        return refund_payment_postings(record.transfer.key.token.bytes, record.amount);
    }
    Postings operator()(RefundCancellation const& record) const {
        Bytes20 const& token = record.token.bytes;
        return mirror(record.promise_kind == RecordKind::resolution
                          ? refund_promise_postings(token, record.amount)
                          : refund_postings(token, record.amount));
    }
    Postings operator()(TokenLoss const& record) const {
        return token_loss_postings(record.token.bytes, record.amount);
    }
    Postings operator()(FeePayment const& record) const {
        return fee_payment_postings(record.token.bytes, record.amount);
    }
    Postings operator()(Cancellation const&) const { return {}; }  // moves no money
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
        case RecordKind::refund:
            return "refund";
        case RecordKind::refund_payment:
            return "refund_payment";
        case RecordKind::refund_cancellation:
            return "refund_cancellation";
        case RecordKind::token_loss:
            return "token_loss";
        case RecordKind::fee_payment:
            return "fee_payment";
        case RecordKind::cancellation:
            return "cancellation";
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
    CanonicalBytes bytes(layout_of(entry.record));
    AppendFields append{bytes};
    visit_place(append, entry);
    bytes.text(to_string(kind_of(entry.record)));
    std::visit([&append](auto const& record) { visit_fields(append, record); }, entry.record);
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
