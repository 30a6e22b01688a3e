#include "journal_reader.hpp"

#include <sycee/crypto/hash.hpp>

#include "book_writer.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "values.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace sycee {
namespace {

constexpr int kRowsAtOnce = 1'000;
constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
// PostgreSQL counts time from 2000-01-01, in microseconds.
constexpr std::int64_t kPostgresEpoch = 946'684'800;

// Thrown where a column holds what none of our rows can hold; JournalReader adds which row it is.
class WrongColumn : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The columns of one row in binary format, from left to right.
class Columns {
  public:
    explicit Columns(pqxx::row const& row) : field_(row.begin()) {}

    std::uint64_t number() {
        std::int64_t const value = integer();
        if (value < 0) refuse("is below zero", -1);
        return static_cast<std::uint64_t>(value);
    }
    std::uint32_t small_number() {
        std::uint64_t const value = number();
        if (value > std::numeric_limits<std::uint32_t>::max()) refuse("is too large", -1);
        return static_cast<std::uint32_t>(value);
    }
    std::int64_t integer() {
        ByteView const bytes = next();
        if (bytes.size() != 8 && bytes.size() != 4 && bytes.size() != 2)
            refuse("is no integer", -1);
        std::uint64_t value = (bytes[0] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
        for (std::uint8_t const byte : bytes)
            value = (value << 8U) | byte;
        return static_cast<std::int64_t>(value);
    }
    template <std::size_t N>
    Bytes<N> bytes() {
        ByteView const from = next();
        if (from.size() != N) refuse("has a wrong length", -1);
        Bytes<N> result;
        std::memcpy(result.data(), from.data(), N);
        return result;
    }
    Address address() { return {bytes<20>()}; }
    template <class Tag>
    Id<Tag> id() {
        return {{bytes<16>()}};
    }
    PaymentId payment() { return id<PaymentTag>(); }
    std::string_view text() {
        ByteView const from = next();
        return {reinterpret_cast<char const*>(from.data()), from.size()};
    }
    template <class Parse>
    auto name(Parse const& parse) {
        auto const value = parse(text());
        if (!value) refuse("names what is not known", -1);
        return *value;
    }
    // The hash is over whole units, so what is below them would not be covered by it.
    Timestamp time(std::chrono::microseconds unit) {
        std::int64_t const micros = integer();
        if (micros <= std::numeric_limits<std::int64_t>::min() / 2 ||
            micros >= std::numeric_limits<std::int64_t>::max() / 2) {
            refuse("is no time", -1);
        }
        if (micros % unit.count() != 0) {
            refuse(unit.count() == 1'000 ? "has a part of a millisecond" : "has a part of a second",
                   -1);
        }
        return Timestamp{std::chrono::milliseconds{kPostgresEpoch * 1'000 + micros / 1'000}};
    }
    Timestamp booked_at() { return time(std::chrono::milliseconds(1)); }
    Timestamp block_time() { return time(std::chrono::seconds(1)); }

    // The numeric of PostgreSQL: digits of base 10,000, the weight of the first, sign, scale.
    Amount amount() {
        ByteView const bytes = next();
        auto const word = [&bytes](std::size_t i) {
            return static_cast<std::uint16_t>(bytes[2 * i] << 8U | bytes[2 * i + 1]);
        };
        if (bytes.size() < 8) refuse("is no amount", -1);
        std::size_t const digits = word(0);
        auto const weight = static_cast<std::int16_t>(word(1));
        bool const whole = word(2) == 0 && word(3) == 0 && bytes.size() == 8 + 2 * digits &&
                           (digits == 0 || (weight >= 0 && digits <= std::size_t(weight) + 1));
        if (!whole || weight > 9) refuse("is no whole amount", -1);
        Amount value;
        for (int i = 0; digits != 0 && i <= weight; ++i) {
            Uint128 const digit = std::size_t(i) < digits ? word(4 + std::size_t(i)) : 0;
            if (value.base_units() > (Amount::max().base_units() - digit) / 10'000)
                refuse("is 2^128 or above", -1);
            value = Amount(value.base_units() * 10'000 + digit);
        }
        return value;
    }

  private:
    ByteView next() {
        if (field_->is_null()) refuse("is null", 0);
        ByteView const bytes{reinterpret_cast<std::uint8_t const*>(field_->c_str()),
                             field_->size()};
        ++field_;
        return bytes;
    }
    // `step`: where the column stands, from the one that comes next.
    [[noreturn]] void refuse(char const* what, int step) const {
        auto column = field_;
        column += step;
        throw WrongColumn(std::string(column->name()) + " " + what);
    }

    pqxx::const_row_iterator field_;
};

// How the records of one kind stand in their table; the number comes first.
struct Book {
    char const* table;
    bool has_number_index;
    char const* columns;  // after the header
    Record (*read)(ChainId chain_id, Columns& columns);
};

constexpr char const* kHeader = "seq, previous_hash, hash, booked_at, ";

Transfer transfer_in(ChainId chain_id, Columns& from) {
    Transfer transfer;
    transfer.key.chain_id = chain_id;
    transfer.key.transaction_hash = from.bytes<32>();
    transfer.key.token = from.address();
    transfer.key.ordinal = from.small_number();
    transfer.log_index = from.small_number();
    transfer.sender = from.address();
    transfer.recipient = from.address();
    transfer.amount = from.amount();
    transfer.block_number = from.number();
    transfer.block_hash = from.bytes<32>();
    transfer.block_time = from.block_time();
    return transfer;
}

// Braces are evaluated from left to right, as the columns are read.
constexpr std::array<Book, std::variant_size_v<Record>> kBooks{{
    {"authorizations", true,
     "payment_id, tx_hash, token, ordinal, log_index, sender, deposit_address, amount,"
     " block_number, block_hash, block_time, rule_version",
     [](ChainId chain_id, Columns& from) -> Record {
         return Authorization{from.payment(), transfer_in(chain_id, from), from.number()};
     }},
    {"clearings", false,
     "payment_id, authorization_seq, authorization_hash, token, cleared_at_block,"
     " fee_version, fee_basis_points, gross, fee, net, excess, shortfall",
     [](ChainId, Columns& from) -> Record {
         return Clearing{.payment_id = from.payment(),
                         .authorization_sequence = from.number(),
                         .authorization_hash = from.bytes<32>(),
                         .token = from.address(),
                         .cleared_at_block = from.number(),
                         .fee_version = from.number(),
                         .fee_basis_points = from.small_number(),
                         .gross = from.amount(),
                         .fee = from.amount(),
                         .net = from.amount(),
                         .excess = from.amount(),
                         .shortfall = from.amount()};
     }},
    {"settlements", false,
     "payment_id, authorization_seq, clearing_hash, batch_number, finalized_block, net",
     [](ChainId, Columns& from) -> Record {
         return Settlement{.payment_id = from.payment(),
                           .authorization_sequence = from.number(),
                           .clearing_hash = from.bytes<32>(),
                           .batch_number = from.number(),
                           .finalized_block = from.number(),
                           .net = from.amount()};
     }},
    {"settlement_batches", false,
     "batch_number, token, first_seq, last_seq, settlement_count, finalized_block, net",
     [](ChainId, Columns& from) -> Record {
         return SettlementBatch{.batch_number = from.number(),
                                .token = from.address(),
                                .first_sequence = from.number(),
                                .last_sequence = from.number(),
                                .settlement_count = from.number(),
                                .finalized_block = from.number(),
                                .net = from.amount()};
     }},
    {"unapplied_receipts", false,
     "payment_id, authorization_seq, authorization_hash, token, reason, amount",
     [](ChainId, Columns& from) -> Record {
         return Unapplied{.payment_id = from.payment(),
                          .authorization_sequence = from.number(),
                          .authorization_hash = from.bytes<32>(),
                          .token = from.address(),
                          .reason = from.name(&parse_unapplied_reason),
                          .amount = from.amount()};
     }},
    {"withdrawals", true,
     "payment_id, tx_hash, token, ordinal, log_index, deposit_address, recipient, amount,"
     " block_number, block_hash, block_time, unexplained",
     [](ChainId chain_id, Columns& from) -> Record {
         return Withdrawal{from.payment(), transfer_in(chain_id, from), from.amount()};
     }},
    {"reversals", false, "payment_id, reversed_kind, reversed_seq, reversed_hash, ancestor_block",
     [](ChainId, Columns& from) -> Record {
         return Reversal{.payment_id = from.payment(),
                         .reversed_kind = from.name(&parse_record_kind),
                         .reversed_sequence = from.number(),
                         .reversed_hash = from.bytes<32>(),
                         .ancestor_block = from.number(),
                         .postings = {}};
     }},
    {"resolutions", true,
     "payment_id, exception_seq, exception_hash, token, kind, target_payment_id,"
     " fee_version, fee_basis_points, amount, fee, decided_by, approved_by, reason_hash",
     [](ChainId, Columns& from) -> Record {
         return Resolution{.payment_id = from.payment(),
                           .exception_sequence = from.number(),
                           .exception_hash = from.bytes<32>(),
                           .token = from.address(),
                           .kind = from.name(&parse_resolution_kind),
                           .target_payment_id = from.payment(),
                           .fee_version = from.number(),
                           .fee_basis_points = from.small_number(),
                           .amount = from.amount(),
                           .fee = from.amount(),
                           .decided_by = std::string(from.text()),
                           .approved_by = std::string(from.text()),
                           .reason_hash = from.bytes<32>()};
     }},
    {"refunds", true, "payment_id, token, recipient, amount, decided_by, approved_by, reason_hash",
     [](ChainId, Columns& from) -> Record {
         return Refund{.payment_id = from.payment(),
                       .token = from.address(),
                       .recipient = from.address(),
                       .amount = from.amount(),
                       .decided_by = std::string(from.text()),
                       .approved_by = std::string(from.text()),
                       .reason_hash = from.bytes<32>()};
     }},
    {"refund_payments", false,
     "payment_id, promise_kind, promise_seq, promise_hash, tx_hash, token, ordinal, log_index,"
     " sender, recipient, amount, block_number, block_hash, block_time, promised, finalized_block",
     [](ChainId chain_id, Columns& from) -> Record {
         return RefundPayment{.payment_id = from.payment(),
                              .promise_kind = from.name(&parse_record_kind),
                              .promise_sequence = from.number(),
                              .promise_hash = from.bytes<32>(),
                              .transfer = transfer_in(chain_id, from),
                              .amount = from.amount(),
                              .finalized_block = from.number()};
     }},
    {"refund_cancellations", true,
     "payment_id, promise_kind, promise_seq, promise_hash, token, amount, decided_by,"
     " approved_by, reason_hash",
     [](ChainId, Columns& from) -> Record {
         return RefundCancellation{.payment_id = from.payment(),
                                   .promise_kind = from.name(&parse_record_kind),
                                   .promise_sequence = from.number(),
                                   .promise_hash = from.bytes<32>(),
                                   .token = from.address(),
                                   .amount = from.amount(),
                                   .decided_by = std::string(from.text()),
                                   .approved_by = std::string(from.text()),
                                   .reason_hash = from.bytes<32>()};
     }},
    {"token_losses", true,
     "payment_id, token, amount, difference_id, block_number, block_hash, decided_by,"
     " approved_by, reason_hash",
     [](ChainId, Columns& from) -> Record {
         return TokenLoss{.payment_id = from.payment(),
                          .token = from.address(),
                          .amount = from.amount(),
                          .difference_id = from.id<DifferenceTag>(),
                          .block_number = from.number(),
                          .block_hash = from.bytes<32>(),
                          .decided_by = std::string(from.text()),
                          .approved_by = std::string(from.text()),
                          .reason_hash = from.bytes<32>()};
     }},
    {"fee_payments", true,
     "invoice_merchant_id, invoice_payment_id, token, amount, settlement_hash",
     [](ChainId, Columns& from) -> Record {
         return FeePayment{.invoice_merchant_id = from.id<MerchantTag>(),
                           .invoice_payment_id = from.payment(),
                           .token = from.address(),
                           .amount = from.amount(),
                           .settlement_hash = from.bytes<32>()};
     }},
    {"cancellations", true, "payment_id, ends_at, decided_by, approved_by, reason_hash",
     [](ChainId, Columns& from) -> Record {
         return Cancellation{.payment_id = from.payment(),
                             .ends_at = from.block_time(),
                             .decided_by = std::string(from.text()),
                             .approved_by = std::string(from.text()),
                             .reason_hash = from.bytes<32>()};
     }},
}};

std::string of_journal(MerchantId merchant_id, ChainId chain_id) {
    return " WHERE merchant_id = '" + to_sql(merchant_id) + "' AND chain_id = " + to_sql(chain_id);
}

std::string select_book(Book const& book) {
    return std::string("SELECT ") + kHeader + book.columns + " FROM " + all_of(book.table);
}

// Of a row that select_book() selects. Throws WrongColumn.
JournalEntry read_entry(Book const& book, MerchantId merchant_id, ChainId chain_id,
                        pqxx::row const& row) {
    Columns columns(row);
    return {.merchant_id = merchant_id,
            .chain_id = chain_id,
            .sequence = columns.number(),
            .previous_hash = columns.bytes<32>(),
            .hash = columns.bytes<32>(),
            .booked_at = columns.booked_at(),
            .record = book.read(chain_id, columns)};
}

std::string changed_text(RecordKind kind, std::uint64_t sequence, WrongColumn const& wrong) {
    return std::string(to_string(kind)) + " " + std::to_string(sequence) +
           " has been changed: " + wrong.what();
}

}  // namespace

std::string RowStream::declare(std::string const& name, std::string const& query) {
    return "DECLARE " + name + " BINARY NO SCROLL CURSOR FOR " + query + ";";
}

pqxx::row const* RowStream::peek() {
    if (row_) return &*row_;
    if (index_ == rows_.size()) {
        if (ended_) return nullptr;
        rows_ = tx_->exec("FETCH " + std::to_string(kRowsAtOnce) + " FROM " + name_);
        index_ = 0;
        ended_ = rows_.size() < kRowsAtOnce;
        if (rows_.empty()) return nullptr;
    }
    row_ = rows_[index_];
    return &*row_;
}

void RowStream::advance() {
    row_.reset();
    ++index_;
}

JournalReader::JournalReader(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                             std::uint64_t after, std::optional<Timestamp> since)
    : where_(journal_name(merchant_id, chain_id)),
      merchant_id_(merchant_id),
      chain_id_(chain_id),
      postings_(tx, "postings"),
      live_credits_(tx, "live_credits"),
      live_withdrawals_(tx, "live_withdrawals"),
      reasons_(tx, "resolution_reasons") {
    std::string declarations = "CLOSE ALL;";
    auto const declare = [&](std::string const& table, std::string const& select,
                             std::string const& number, std::string const& order = "",
                             std::string const& condition = "") {
        // A number below zero is one that was changed: it is read by whoever reads from the first.
        std::string const above =
            after == 0 ? "" : " AND " + number + " > " + std::to_string(after) + condition;
        declarations += RowStream::declare(table, select + of_journal(merchant_id, chain_id) +
                                                      above + " ORDER BY " + number + order);
    };
    std::string const lately = since ? " AND booked_at >= " + timestamp_literal(*since) : "";
    for (Book const& book : kBooks) {
        declare(book.table, select_book(book), "seq", "", book.has_number_index ? "" : lately);
        books_.emplace_back(tx, book.table);
    }
    declare("postings", "SELECT seq, line, debit, credit, token, amount, month FROM all_postings",
            "seq", ", line");
    for (auto const& [table, number] :
         {std::pair<std::string, std::string>("live_credits", "authorization_seq"),
          {"live_withdrawals", "withdrawal_seq"}})
        declare(table, "SELECT " + number + ", tx_hash, token, ordinal FROM " + table, number);
    declare("resolution_reasons", "SELECT seq, reason FROM resolution_reasons", "seq");
    tx.exec(declarations);
    for (std::size_t kind = 0; kind < kKinds; ++kind)
        next_of_[kind] = sequence_of(books_[kind]);
}

std::map<std::uint64_t, JournalContext::OlderRecords> read_authorizations(
    pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
    std::vector<std::uint64_t> const& sequences) {
    PgArray numbers;
    for (std::uint64_t const sequence : sequences)
        numbers.add(sequence);
    std::map<std::uint64_t, JournalContext::OlderRecords> found;
    auto const read = [&](RecordKind kind, char const* number, auto const& take) {
        Book const& book = kBooks[static_cast<std::size_t>(kind)];
        std::string const name = std::string("older_") + book.table;
        tx.exec(RowStream::declare(name, select_book(book) + of_journal(merchant_id, chain_id) +
                                             " AND " + number + " = ANY(" +
                                             tx.quote(numbers.str()) + "::bigint[])"));
        RowStream rows(tx, name);
        for (auto const* row = rows.peek(); row != nullptr; row = rows.peek()) {
            std::int64_t const sequence = Columns(*row).integer();
            try {
                take(read_entry(book, merchant_id, chain_id, *row));
            } catch (WrongColumn const& wrong) {
                throw WrongRow(journal_name(merchant_id, chain_id) + ": " +
                               changed_text(kind, static_cast<std::uint64_t>(sequence), wrong));
            }
            rows.advance();
        }
        tx.exec("CLOSE " + name);
    };
    read(RecordKind::authorization, "seq",
         [&found](JournalEntry entry) { found[entry.sequence].authorization = std::move(entry); });
    // The older one, should somebody have inserted a second.
    read(RecordKind::clearing, "authorization_seq", [&found](JournalEntry entry) {
        auto& clearing = found[std::get<Clearing>(entry.record).authorization_sequence].clearing;
        if (!clearing || entry.sequence < clearing->sequence) clearing = std::move(entry);
    });
    return found;
}

std::uint64_t JournalReader::sequence_of(RowStream& stream) const {
    auto const* const row = stream.peek();
    if (row == nullptr) return kNone;
    std::int64_t const sequence = Columns(*row).integer();
    if (sequence < 0) {
        throw WrongRow(where_ + ": " + stream.name() + " has a row with the number " +
                       std::to_string(sequence));
    }
    return static_cast<std::uint64_t>(sequence);
}

std::optional<JournalEntry> JournalReader::next(std::vector<PostedLine>& postings) {
    auto const first = std::min_element(next_of_.begin(), next_of_.end());
    std::uint64_t const sequence = *first;
    postings.clear();
    months_.clear();
    take_postings(sequence, postings);
    if (sequence == kNone) return std::nullopt;
    if (auto const other = std::find(first + 1, next_of_.end(), sequence);
        other != next_of_.end()) {
        throw WrongRow(where_ + ": number " + std::to_string(sequence) + " stands twice, in " +
                       kBooks[static_cast<std::size_t>(first - next_of_.begin())].table + " and " +
                       kBooks[static_cast<std::size_t>(other - next_of_.begin())].table);
    }
    auto const kind = static_cast<std::size_t>(first - next_of_.begin());
    RowStream& stream = books_[kind];
    try {
        auto entry = read_entry(kBooks[kind], merchant_id_, chain_id_, *stream.peek());
        stream.advance();
        *first = sequence_of(stream);
        return entry;
    } catch (WrongColumn const& wrong) {
        throw WrongRow(where_ + ": " +
                       changed_text(static_cast<RecordKind>(kind), sequence, wrong));
    }
}

void JournalReader::require_month(std::uint64_t sequence, Month month,
                                  std::vector<PostedLine> const& postings) const {
    for (std::size_t i = 0; i < postings.size(); ++i) {
        if (months_[i] == month) continue;
        throw WrongRow(where_ + ": a posting of number " + std::to_string(sequence) + ", line " +
                       std::to_string(postings[i].line) + ", has been changed: month is " +
                       std::to_string(months_[i]) + ", not " + std::to_string(month));
    }
}

void JournalReader::take_postings(std::uint64_t sequence, std::vector<PostedLine>& postings) {
    for (auto const* row = postings_.peek(); row != nullptr; row = postings_.peek()) {
        Columns columns(*row);
        std::int64_t const of = columns.integer();
        if (of < 0 || static_cast<std::uint64_t>(of) < sequence) {
            throw WrongRow(where_ + ": postings of number " + std::to_string(of) +
                           " have no record");
        }
        if (static_cast<std::uint64_t>(of) != sequence) return;
        PostedLine line;
        try {
            line.line = columns.integer();
            line.posting.debit = columns.name(&parse_account);
            line.posting.credit = columns.name(&parse_account);
            line.posting.token = columns.bytes<20>();
            line.posting.amount = columns.amount();
            months_.push_back(columns.number());
        } catch (WrongColumn const& wrong) {
            throw WrongRow(where_ + ": a posting of number " + std::to_string(sequence) +
                           ", line " + std::to_string(line.line) +
                           ", has been changed: " + wrong.what());
        }
        postings.push_back(line);
        postings_.advance();
    }
}

std::optional<LiveIndexWalk::Row> JournalReader::next_live(RowStream& stream) const {
    auto const* const row = stream.peek();
    if (row == nullptr) return std::nullopt;
    LiveIndexWalk::Row live;
    try {
        Columns columns(*row);
        live.sequence = columns.number();
        live.key.chain_id = chain_id_;
        live.key.transaction_hash = columns.bytes<32>();
        live.key.token = columns.address();
        live.key.ordinal = columns.small_number();
    } catch (WrongColumn const& wrong) {
        throw WrongRow(where_ + ": " + stream.name() + " has a row for number " +
                       std::to_string(live.sequence) + " that was changed: " + wrong.what());
    }
    stream.advance();
    return live;
}

std::optional<JournalReader::Reason> JournalReader::next_reason() {
    auto const* const row = reasons_.peek();
    if (row == nullptr) return std::nullopt;
    Reason reason;
    try {
        Columns columns(*row);
        reason.sequence = columns.number();
        reason.hash = sha256(as_bytes(columns.text()));
    } catch (WrongColumn const& wrong) {
        throw WrongRow(where_ + ": a row of resolution_reasons was changed: " + wrong.what());
    }
    reasons_.advance();
    return reason;
}

}  // namespace sycee
