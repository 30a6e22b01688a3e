#include "record_rows.hpp"

#include <sycee/base/assert.hpp>

#include "bulk_copy.hpp"
#include "months.hpp"
#include "payment_keys.hpp"
#include "planned.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace sycee {
namespace {

// The columns of every record, then its own.
template <class... Names>
constexpr auto with_header(Names... names) {
    return std::array<char const*, 6 + sizeof...(Names)>{
        "merchant_id", "chain_id", "seq", "previous_hash", "hash", "booked_at", names...};
}

constexpr auto kAuthorizations = with_header(
    "payment_id", "tx_hash", "token", "ordinal", "log_index", "sender", "deposit_address", "amount",
    "block_number", "block_hash", "block_time", "rule_version");
constexpr auto kClearings = with_header(
    "authorization_seq", "payment_id", "authorization_hash", "token", "cleared_at_block",
    "fee_version", "fee_basis_points", "gross", "fee", "net", "excess", "shortfall");
constexpr auto kSettlements = with_header("authorization_seq", "payment_id", "clearing_hash",
                                          "batch_number", "finalized_block", "net");
constexpr auto kSettlementBatches = with_header("batch_number", "token", "first_seq", "last_seq",
                                                "settlement_count", "finalized_block", "net");
constexpr auto kUnappliedReceipts = with_header("authorization_seq", "payment_id",
                                                "authorization_hash", "token", "reason", "amount");
constexpr auto kWithdrawals =
    with_header("payment_id", "tx_hash", "token", "ordinal", "log_index", "deposit_address",
                "recipient", "amount", "unexplained", "block_number", "block_hash", "block_time");
constexpr auto kReversals =
    with_header("reversed_seq", "payment_id", "reversed_kind", "reversed_hash", "ancestor_block");
constexpr auto kResolutions = with_header(
    "payment_id", "exception_seq", "exception_hash", "token", "kind", "target_payment_id",
    "fee_version", "fee_basis_points", "amount", "fee", "decided_by", "approved_by", "reason_hash");
constexpr auto kRefunds = with_header("payment_id", "token", "recipient", "amount", "decided_by",
                                      "approved_by", "reason_hash");
constexpr auto kRefundPayments =
    with_header("payment_id", "promise_kind", "promise_seq", "promise_hash", "tx_hash", "token",
                "ordinal", "log_index", "sender", "recipient", "amount", "block_number",
                "block_hash", "block_time", "promised", "finalized_block");
constexpr auto kRefundCancellations =
    with_header("payment_id", "promise_kind", "promise_seq", "promise_hash", "token", "amount",
                "decided_by", "approved_by", "reason_hash");
constexpr auto kTokenLosses =
    with_header("payment_id", "token", "amount", "difference_id", "block_number", "block_hash",
                "decided_by", "approved_by", "reason_hash");
constexpr auto kFeePayments =
    with_header("invoice_merchant_id", "invoice_payment_id", "token", "amount", "settlement_hash");
constexpr auto kCancellations =
    with_header("payment_id", "ends_at", "decided_by", "approved_by", "reason_hash");
constexpr auto kPostings = std::to_array<char const*>(
    {"merchant_id", "chain_id", "seq", "month", "line", "token", "debit", "credit", "amount"});

// One COPY a kind, and PostgreSQL writes a row while the next ones are put together. Each overload
// of operator() writes a record's row.
class EntryInserts {
  public:
    explicit EntryInserts(pqxx::transaction_base& tx) : tx_(tx) {}

    // In the order of the kinds, which is that of what they refer to.
    void run(std::vector<JournalEntry> const& entries) {
        for (std::size_t kind = 0; kind < std::variant_size_v<Record>; ++kind) {
            for (JournalEntry const& entry : entries) {
                if (entry.record.index() == kind) add(entry);
            }
            complete();
        }
        CopyStream<kPostings> postings(tx_, "postings");
        for (JournalEntry const& entry : entries) {
            std::int16_t line = 0;
            Month const month = posting_month(entry.record);
            for (Posting const& posting : postings_of(entry.record)) {
                postings.row(entry.merchant_id, entry.chain_id, entry.sequence, month, line++,
                             ByteView(posting.token), to_string(posting.debit),
                             to_string(posting.credit), posting.amount);
            }
        }
        postings.complete();
    }

    void operator()(Authorization const& record) {
        Transfer const& transfer = record.transfer;
        row(authorizations_, record.payment_id, ByteView(transfer.key.transaction_hash),
            transfer.key.token, transfer.key.ordinal, transfer.log_index, transfer.sender,
            transfer.recipient, transfer.amount, transfer.block_number,
            ByteView(transfer.block_hash), transfer.block_time, record.rule_version);
    }
    void operator()(Clearing const& record) {
        row(clearings_, record.authorization_sequence, record.payment_id,
            ByteView(record.authorization_hash), record.token, record.cleared_at_block,
            record.fee_version, record.fee_basis_points, record.gross, record.fee, record.net,
            record.excess, record.shortfall);
    }
    void operator()(Settlement const& record) {
        row(settlements_, record.authorization_sequence, record.payment_id,
            ByteView(record.clearing_hash), record.batch_number, record.finalized_block,
            record.net);
    }
    void operator()(SettlementBatch const& record) {
        row(batches_, record.batch_number, record.token, record.first_sequence,
            record.last_sequence, record.settlement_count, record.finalized_block, record.net);
    }
    void operator()(Unapplied const& record) {
        row(unapplied_, record.authorization_sequence, record.payment_id,
            ByteView(record.authorization_hash), record.token, to_string(record.reason),
            record.amount);
    }
    void operator()(Withdrawal const& record) {
        Transfer const& transfer = record.transfer;
        row(withdrawals_, record.payment_id, ByteView(transfer.key.transaction_hash),
            transfer.key.token, transfer.key.ordinal, transfer.log_index, transfer.sender,
            transfer.recipient, transfer.amount, record.unexplained, transfer.block_number,
            ByteView(transfer.block_hash), transfer.block_time);
    }
    void operator()(Reversal const& record) {
        row(reversals_, record.reversed_sequence, record.payment_id,
            to_string(record.reversed_kind), ByteView(record.reversed_hash), record.ancestor_block);
    }
    void operator()(Resolution const& record) {
        row(resolutions_, record.payment_id, record.exception_sequence,
            ByteView(record.exception_hash), record.token, to_string(record.kind),
            record.target_payment_id, record.fee_version, record.fee_basis_points, record.amount,
            record.fee, record.decided_by, record.approved_by, ByteView(record.reason_hash));
    }
    void operator()(Refund const& record) {
        row(refunds_, record.payment_id, record.token, record.recipient, record.amount,
            record.decided_by, record.approved_by, ByteView(record.reason_hash));
    }
    void operator()(RefundPayment const& record) {
        Transfer const& transfer = record.transfer;
        row(refund_payments_, record.payment_id, to_string(record.promise_kind),
            record.promise_sequence, ByteView(record.promise_hash),
            ByteView(transfer.key.transaction_hash), transfer.key.token, transfer.key.ordinal,
            transfer.log_index, transfer.sender, transfer.recipient, transfer.amount,
            transfer.block_number, ByteView(transfer.block_hash), transfer.block_time,
            record.amount, record.finalized_block);
    }
    void operator()(RefundCancellation const& record) {
        row(refund_cancellations_, record.payment_id, to_string(record.promise_kind),
            record.promise_sequence, ByteView(record.promise_hash), record.token, record.amount,
            record.decided_by, record.approved_by, ByteView(record.reason_hash));
    }
    void operator()(TokenLoss const& record) {
        row(token_losses_, record.payment_id, record.token, record.amount, record.difference_id,
            record.block_number, ByteView(record.block_hash), record.decided_by, record.approved_by,
            ByteView(record.reason_hash));
    }
    void operator()(FeePayment const& record) {
        row(fee_payments_, record.invoice_merchant_id, record.invoice_payment_id, record.token,
            record.amount, ByteView(record.settlement_hash));
    }
    void operator()(Cancellation const& record) {
        row(cancellations_, record.payment_id, record.ends_at, record.decided_by,
            record.approved_by, ByteView(record.reason_hash));
    }

  private:
    void add(JournalEntry const& entry) {
        ensure(entry.hash == hash_of(entry), "store: an entry's hash is not its own");
        entry_ = &entry;
        std::visit(*this, entry.record);
    }
    // Of the kind whose rows were sent.
    void complete() {
        authorizations_.complete();
        clearings_.complete();
        settlements_.complete();
        batches_.complete();
        unapplied_.complete();
        withdrawals_.complete();
        reversals_.complete();
        resolutions_.complete();
        refunds_.complete();
        refund_payments_.complete();
        refund_cancellations_.complete();
        token_losses_.complete();
        fee_payments_.complete();
        cancellations_.complete();
    }
    template <class Rows, class... Values>
    void row(Rows& rows, Values const&... values) {
        rows.row(entry_->merchant_id, entry_->chain_id, entry_->sequence,
                 ByteView(entry_->previous_hash), ByteView(entry_->hash), entry_->booked_at,
                 values...);
    }

    pqxx::transaction_base& tx_;
    JournalEntry const* entry_ = nullptr;
    CopyStream<kAuthorizations> authorizations_{tx_, "authorizations"};
    CopyStream<kClearings> clearings_{tx_, "clearings"};
    CopyStream<kSettlements> settlements_{tx_, "settlements"};
    CopyStream<kSettlementBatches> batches_{tx_, "settlement_batches"};
    CopyStream<kUnappliedReceipts> unapplied_{tx_, "unapplied_receipts"};
    CopyStream<kWithdrawals> withdrawals_{tx_, "withdrawals"};
    CopyStream<kReversals> reversals_{tx_, "reversals"};
    CopyStream<kResolutions> resolutions_{tx_, "resolutions"};
    CopyStream<kRefunds> refunds_{tx_, "refunds"};
    CopyStream<kRefundPayments> refund_payments_{tx_, "refund_payments"};
    CopyStream<kRefundCancellations> refund_cancellations_{tx_, "refund_cancellations"};
    CopyStream<kTokenLosses> token_losses_{tx_, "token_losses"};
    CopyStream<kFeePayments> fee_payments_{tx_, "fee_payments"};
    CopyStream<kCancellations> cancellations_{tx_, "cancellations"};
};

PaymentId payment_in(pqxx::row const& row) {
    return id_of<PaymentTag>(row["payment_id"]);
}

Record authorization_of(pqxx::row const& row) {
    return Authorization{payment_in(row), incoming_transfer_of(row),
                         number_of(row["rule_version"])};
}

Record clearing_of(pqxx::row const& row) {
    return Clearing{.payment_id = payment_in(row),
                    .authorization_sequence = number_of(row["authorization_seq"]),
                    .authorization_hash = bytes_of<32>(row["authorization_hash"]),
                    .token = address_in(row["token"]),
                    .cleared_at_block = number_of(row["cleared_at_block"]),
                    .fee_version = number_of(row["fee_version"]),
                    .fee_basis_points = row["fee_basis_points"].as<std::uint32_t>(),
                    .gross = amount_of(row["gross"]),
                    .fee = amount_of(row["fee"]),
                    .net = amount_of(row["net"]),
                    .excess = amount_of(row["excess"]),
                    .shortfall = amount_of(row["shortfall"])};
}

Record settlement_of(pqxx::row const& row) {
    return Settlement{.payment_id = payment_in(row),
                      .authorization_sequence = number_of(row["authorization_seq"]),
                      .clearing_hash = bytes_of<32>(row["clearing_hash"]),
                      .batch_number = number_of(row["batch_number"]),
                      .finalized_block = number_of(row["finalized_block"]),
                      .net = amount_of(row["net"])};
}

Record batch_of(pqxx::row const& row) {
    return SettlementBatch{.batch_number = number_of(row["batch_number"]),
                           .token = address_in(row["token"]),
                           .first_sequence = number_of(row["first_seq"]),
                           .last_sequence = number_of(row["last_seq"]),
                           .settlement_count = number_of(row["settlement_count"]),
                           .finalized_block = number_of(row["finalized_block"]),
                           .net = amount_of(row["net"])};
}

Record unapplied_of(pqxx::row const& row) {
    auto const reason = parse_unapplied_reason(row["reason"].c_str());
    ensure(reason.has_value(), "store: an unknown reason in unapplied_receipts");
    return Unapplied{.payment_id = payment_in(row),
                     .authorization_sequence = number_of(row["authorization_seq"]),
                     .authorization_hash = bytes_of<32>(row["authorization_hash"]),
                     .token = address_in(row["token"]),
                     .reason = *reason,
                     .amount = amount_of(row["amount"])};
}

Record withdrawal_of(pqxx::row const& row) {
    return Withdrawal{payment_in(row), outgoing_transfer_of(row), amount_of(row["unexplained"])};
}

Record reversal_of(pqxx::row const& row) {
    auto const kind = parse_record_kind(row["reversed_kind"].c_str());
    ensure(kind.has_value(), "store: an unknown kind in reversals");
    return Reversal{.payment_id = payment_in(row),
                    .reversed_kind = *kind,
                    .reversed_sequence = number_of(row["reversed_seq"]),
                    .reversed_hash = bytes_of<32>(row["reversed_hash"]),
                    .ancestor_block = number_of(row["ancestor_block"]),
                    .postings = {}};
}

Record resolution_of(pqxx::row const& row) {
    return Resolution{.payment_id = payment_in(row),
                      .exception_sequence = number_of(row["exception_seq"]),
                      .exception_hash = bytes_of<32>(row["exception_hash"]),
                      .token = address_in(row["token"]),
                      .kind = resolution_kind_of(row["kind"]),
                      .target_payment_id = id_of<PaymentTag>(row["target_payment_id"]),
                      .fee_version = number_of(row["fee_version"]),
                      .fee_basis_points = row["fee_basis_points"].as<std::uint32_t>(),
                      .amount = amount_of(row["amount"]),
                      .fee = amount_of(row["fee"]),
                      .decided_by = row["decided_by"].c_str(),
                      .approved_by = row["approved_by"].c_str(),
                      .reason_hash = bytes_of<32>(row["reason_hash"])};
}

RecordKind record_kind_of(pqxx::field const& field) {
    auto const kind = parse_record_kind(field.c_str());
    ensure(kind.has_value(), "store: an unknown kind of record");
    return *kind;
}

Record refund_of(pqxx::row const& row) {
    return Refund{.payment_id = payment_in(row),
                  .token = address_in(row["token"]),
                  .recipient = address_in(row["recipient"]),
                  .amount = amount_of(row["amount"]),
                  .decided_by = row["decided_by"].c_str(),
                  .approved_by = row["approved_by"].c_str(),
                  .reason_hash = bytes_of<32>(row["reason_hash"])};
}

Record refund_payment_of(pqxx::row const& row) {
    return RefundPayment{.payment_id = payment_in(row),
                         .promise_kind = record_kind_of(row["promise_kind"]),
                         .promise_sequence = number_of(row["promise_seq"]),
                         .promise_hash = bytes_of<32>(row["promise_hash"]),
                         .transfer = transfer_of(row, "sender", "recipient"),
                         .amount = amount_of(row["promised"]),
                         .finalized_block = number_of(row["finalized_block"])};
}

Record refund_cancellation_of(pqxx::row const& row) {
    return RefundCancellation{.payment_id = payment_in(row),
                              .promise_kind = record_kind_of(row["promise_kind"]),
                              .promise_sequence = number_of(row["promise_seq"]),
                              .promise_hash = bytes_of<32>(row["promise_hash"]),
                              .token = address_in(row["token"]),
                              .amount = amount_of(row["amount"]),
                              .decided_by = row["decided_by"].c_str(),
                              .approved_by = row["approved_by"].c_str(),
                              .reason_hash = bytes_of<32>(row["reason_hash"])};
}

Record token_loss_of(pqxx::row const& row) {
    return TokenLoss{.payment_id = payment_in(row),
                     .token = address_in(row["token"]),
                     .amount = amount_of(row["amount"]),
                     .difference_id = id_of<DifferenceTag>(row["difference_id"]),
                     .block_number = number_of(row["block_number"]),
                     .block_hash = bytes_of<32>(row["block_hash"]),
                     .decided_by = row["decided_by"].c_str(),
                     .approved_by = row["approved_by"].c_str(),
                     .reason_hash = bytes_of<32>(row["reason_hash"])};
}

Record fee_payment_of(pqxx::row const& row) {
    return FeePayment{.invoice_merchant_id = id_of<MerchantTag>(row["invoice_merchant_id"]),
                      .invoice_payment_id = id_of<PaymentTag>(row["invoice_payment_id"]),
                      .token = address_in(row["token"]),
                      .amount = amount_of(row["amount"]),
                      .settlement_hash = bytes_of<32>(row["settlement_hash"])};
}

Record cancellation_of(pqxx::row const& row) {
    return Cancellation{.payment_id = payment_in(row),
                        .ends_at = time_of(row["block_millis"]),
                        .decided_by = row["decided_by"].c_str(),
                        .approved_by = row["approved_by"].c_str(),
                        .reason_hash = bytes_of<32>(row["reason_hash"])};
}

struct BookTable {
    char const* name;
    char const* chain_time;  // its column with a time of the chain; nullptr: none
    Record (*read)(pqxx::row const&);
};

constexpr std::array<BookTable, std::variant_size_v<Record>> kBooks{
    {{"authorizations", "block_time", &authorization_of},
     {"clearings", nullptr, &clearing_of},
     {"settlements", nullptr, &settlement_of},
     {"settlement_batches", nullptr, &batch_of},
     {"unapplied_receipts", nullptr, &unapplied_of},
     {"withdrawals", "block_time", &withdrawal_of},
     {"reversals", nullptr, &reversal_of},
     {"resolutions", nullptr, &resolution_of},
     {"refunds", nullptr, &refund_of},
     {"refund_payments", "block_time", &refund_payment_of},
     {"refund_cancellations", nullptr, &refund_cancellation_of},
     {"token_losses", nullptr, &token_loss_of},
     {"fee_payments", nullptr, &fee_payment_of},
     {"cancellations", "ends_at", &cancellation_of}}};

// Whoever reads all records of a payment is told which of them can't be read.
[[noreturn]] void refuse_row(pqxx::row const& row, BookTable const& book, char const* why) {
    auto const kind = static_cast<RecordKind>(&book - kBooks.data());
    throw InvariantViolation(std::string(to_string(kind)) + " " + row["seq"].c_str() +
                             " has been changed: " + why);
}

JournalEntry read_entry(pqxx::row const& row, BookTable const& book) {
    return {.merchant_id = id_of<MerchantTag>(row["merchant_id"]),
            .chain_id = number_of(row["chain_id"]),
            .sequence = number_of(row["seq"]),
            .previous_hash = bytes_of<32>(row["previous_hash"]),
            .hash = bytes_of<32>(row["hash"]),
            .booked_at = time_of(row["booked_millis"]),
            .record = book.read(row)};
}

JournalEntry entry_of(pqxx::row const& row, BookTable const& book) {
    try {
        return read_entry(row, book);
    } catch (InvariantViolation const& violation) {
        refuse_row(row, book, violation.what());
    } catch (pqxx::conversion_error const& error) {
        refuse_row(row, book, error.what());
    }
}

// An infinite time, which nobody here writes, would fail the query and with it all of its rows.
std::string times_of(BookTable const& book) {
    auto const finite = [](std::string const& column, std::string const& name) {
        return "CASE WHEN isfinite(" + column + ") THEN (extract(epoch from " + column +
               ") * 1000)::bigint END AS " + name;
    };
    return finite("b.booked_at", "booked_millis") +
           (book.chain_time == nullptr
                ? ""
                : ", " + finite("b." + std::string(book.chain_time), "block_millis"));
}

std::string select_from(BookTable const& book) {
    return "SELECT b.*, " + times_of(book) + " FROM " + all_of(book.name) + " b ";
}

void sort_by_sequence(std::vector<JournalEntry>& entries) {
    std::sort(entries.begin(), entries.end(), [](JournalEntry const& a, JournalEntry const& b) {
        return std::pair(a.chain_id, a.sequence) < std::pair(b.chain_id, b.sequence);
    });
}

struct StoredPosting {
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;
    Posting posting;
};

void add_reversed_postings(std::vector<JournalEntry>& entries,
                           std::vector<StoredPosting> const& postings) {
    std::map<std::pair<ChainId, std::uint64_t>, Postings> by_sequence;
    for (auto const& stored : postings) {
        by_sequence[{stored.chain_id, stored.sequence}].push_back(stored.posting);
    }
    for (JournalEntry& entry : entries) {
        if (auto* reversal = std::get_if<Reversal>(&entry.record)) {
            reversal->postings = by_sequence[{entry.chain_id, entry.sequence}];
        }
    }
}

Account account_of(pqxx::field const& field) {
    auto const account = parse_account(field.c_str());
    ensure(account.has_value(), "store: an unknown account in postings");
    return *account;
}

Posting posting_of(pqxx::row const& row) {
    return {account_of(row["debit"]), account_of(row["credit"]), bytes_of<20>(row["token"]),
            amount_of(row["amount"])};
}

}  // namespace

Transfer transfer_of(pqxx::row const& row, char const* sender, char const* recipient) {
    return {.key = {number_of(row["chain_id"]), bytes_of<32>(row["tx_hash"]),
                    address_in(row["token"]), row["ordinal"].as<std::uint32_t>()},
            .log_index = row["log_index"].as<std::uint32_t>(),
            .sender = address_in(row[sender]),
            .recipient = address_in(row[recipient]),
            .amount = amount_of(row["amount"]),
            .block_number = number_of(row["block_number"]),
            .block_hash = bytes_of<32>(row["block_hash"]),
            .block_time = time_of(row["block_millis"])};
}

Transfer incoming_transfer_of(pqxx::row const& row) {
    return transfer_of(row, "sender", "deposit_address");
}

Transfer outgoing_transfer_of(pqxx::row const& row) {
    return transfer_of(row, "deposit_address", "recipient");
}

std::optional<UnappliedReason> parse_unapplied_reason(std::string_view name) {
    for (auto const reason :
         {UnappliedReason::underpaid, UnappliedReason::late, UnappliedReason::already_paid,
          UnappliedReason::token_not_offered, UnappliedReason::chain_not_offered}) {
        if (to_string(reason) == name) return reason;
    }
    return std::nullopt;
}

std::optional<RecordKind> parse_record_kind(std::string_view name) {
    for (auto const kind :
         {RecordKind::authorization, RecordKind::clearing, RecordKind::settlement,
          RecordKind::settlement_batch, RecordKind::unapplied, RecordKind::withdrawal,
          RecordKind::reversal, RecordKind::resolution, RecordKind::refund,
          RecordKind::refund_payment, RecordKind::refund_cancellation, RecordKind::token_loss,
          RecordKind::fee_payment, RecordKind::cancellation}) {
        if (to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

ResolutionKind resolution_kind_of(pqxx::field const& field) {
    auto const kind = parse_resolution_kind(field.c_str());
    ensure(kind.has_value(), "store: an unknown kind of resolution");
    return *kind;
}

void insert_entries(pqxx::transaction_base& tx, std::vector<JournalEntry> const& entries) {
    EntryInserts(tx).run(entries);
}

std::map<PaymentKey, std::vector<JournalEntry>> load_payment_entries(
    pqxx::transaction_base& tx, std::vector<PaymentKey> const& payments) {
    // What is booked upon an authorization is found by its sequence, which is in its primary key.
    static constexpr char const* kOfPayment = " b USING (merchant_id, payment_id)";
    static constexpr char const* kUponAuthorization =
        " b ON (b.merchant_id, b.chain_id, b.authorization_seq)"
        " = (a.merchant_id, a.chain_id, a.seq) AND b.payment_id = a.payment_id";
    static constexpr char const* kOfEitherPayment =
        " b ON b.merchant_id = k.merchant_id"
        " AND (b.payment_id = k.payment_id OR b.target_payment_id = k.payment_id)";
    static std::map<std::string, std::string> const kJoins{
        {"authorizations", kOfPayment},
        {"withdrawals", kOfPayment},
        {"clearings", kUponAuthorization},
        {"settlements", kUponAuthorization},
        {"unapplied_receipts", kUponAuthorization},
        {"reversals", kOfPayment},
        {"resolutions", kOfEitherPayment},
        {"refunds", kOfPayment},
        {"refund_payments", kOfPayment},
        {"refund_cancellations", kOfPayment},
        {"token_losses", kOfPayment},
        {"cancellations", kOfPayment}};
    std::map<PaymentKey, std::vector<JournalEntry>> entries;
    for (PaymentKey const& key : payments)
        entries.emplace(key, std::vector<JournalEntry>{});
    if (entries.empty()) return entries;
    require_present(tx, payments);
    auto const keys = arrays_of(payments);
    PaymentIdRange const range = range_of(payments);
    for (BookTable const& book : kBooks) {
        auto const join = kJoins.find(book.name);
        if (join == kJoins.end()) continue;
        std::string const table = all_of(book.name);
        bool const by_month = table != book.name;
        std::string const upon = join->second == kUponAuthorization
                                     ? "JOIN all_authorizations a USING (merchant_id, payment_id) "
                                     : "";
        std::string const query =
            "SELECT k.payment_id AS of_payment, b.*, " + times_of(book) +
            " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id) " + upon + "JOIN " +
            table + join->second +
            (by_month ? " WHERE b.payment_id BETWEEN $3::uuid AND $4::uuid" : "") +
            (upon.empty() ? "" : " AND a.payment_id BETWEEN $3::uuid AND $4::uuid");
        auto const rows = by_month ? exec_planned(tx, query, keys.merchants, keys.payments,
                                                  range.first, range.last)
                                   : exec_planned(tx, query, keys.merchants, keys.payments);
        for (auto const& row : rows) {
            PaymentKey const key{id_of<MerchantTag>(row["merchant_id"]),
                                 id_of<PaymentTag>(row["of_payment"])};
            entries.at(key).push_back(entry_of(row, book));
        }
    }
    std::map<PaymentKey, std::vector<StoredPosting>> reversed;
    for (auto const& row : exec_planned(
             tx,
             "SELECT r.merchant_id, r.payment_id, r.chain_id, r.seq, p.token, p.debit, p.credit,"
             " p.amount FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id)"
             " JOIN reversals r USING (merchant_id, payment_id)"
             " JOIN postings p USING (merchant_id, chain_id, seq) WHERE p.month = 0"
             " ORDER BY r.chain_id, r.seq, p.line",
             keys.merchants, keys.payments)) {
        reversed[{id_of<MerchantTag>(row["merchant_id"]), id_of<PaymentTag>(row["payment_id"])}]
            .push_back({number_of(row["chain_id"]), number_of(row["seq"]), posting_of(row)});
    }
    for (auto& [key, of_payment] : entries) {
        sort_by_sequence(of_payment);
        add_reversed_postings(of_payment, reversed[key]);
    }
    return entries;
}

std::vector<JournalEntry> load_fee_payments(pqxx::transaction_base& tx) {
    BookTable const& book = kBooks[static_cast<std::size_t>(RecordKind::fee_payment)];
    std::vector<JournalEntry> entries;
    for (auto const& row : tx.exec(select_from(book) + "ORDER BY b.merchant_id, b.chain_id, b.seq"))
        entries.push_back(entry_of(row, book));
    return entries;
}

std::vector<JournalEntry> load_payment_batches(pqxx::transaction_base& tx, PaymentKey payment) {
    BookTable const& book = kBooks[3];
    auto const rows =
        tx.exec_params(select_from(book) +
                           "WHERE b.merchant_id = $1 AND (b.chain_id, b.batch_number) IN ("
                           " SELECT s.chain_id, s.batch_number FROM all_authorizations a"
                           " JOIN all_settlements s"
                           " ON s.merchant_id = a.merchant_id AND s.chain_id = a.chain_id"
                           " AND s.authorization_seq = a.seq AND s.payment_id = a.payment_id WHERE "
                           "a.merchant_id = $1 AND a.payment_id = $2)",
                       to_sql(payment.first), to_sql(payment.second));
    std::vector<JournalEntry> entries;
    for (auto const& row : rows)
        entries.push_back(entry_of(row, book));
    sort_by_sequence(entries);
    return entries;
}

}  // namespace sycee
