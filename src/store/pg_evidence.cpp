#include <sycee/app/csv.hpp>
#include <sycee/app/statement_text.hpp>
#include <sycee/store/pg_evidence.hpp>

#include "book_writer.hpp"
#include "checkpoint_rows.hpp"
#include "journal_reader.hpp"
#include "months.hpp"
#include "session.hpp"
#include "statement_rows.hpp"
#include "values.hpp"
#include "verify_snapshot.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kLinesAtOnce = 1'000;
constexpr std::size_t kWriteAtOnce = std::size_t{1} << 16U;  // bytes
constexpr std::chrono::seconds kLongestQuery{3'600};
constexpr char const* kPostings = "postings.csv";

// The types of PostgreSQL (pg_type.oid) whose values go into CSV as they are.
constexpr std::array<pqxx::oid, 4> kNumberTypes{20, 21, 23, 1700};
constexpr pqxx::oid kUuidType = 2950;

// "2026-11-26T10:00:00.123Z"
std::string utc(std::string const& column) {
    return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS " +
           column.substr(column.find('.') + 1);
}
// As it is hashed.
std::string hex(std::string const& column) {
    return "encode(" + column + ", 'hex') AS " + column.substr(column.find('.') + 1);
}
std::string id_hex(std::string const& column) {
    return "replace(" + column + "::text, '-', '') AS " + column.substr(column.find('.') + 1);
}

// An id for people, where the column is named for what it is of.
std::string id_text(std::string_view column, pqxx::field const& field) {
    if (column == "merchant") return to_string(id_of<MerchantTag>(field));
    if (column == "payment") return to_string(id_of<PaymentTag>(field));
    if (column == "operator") return to_string(id_of<OperatorTag>(field));
    return field.c_str();
}

std::string cell(pqxx::result const& rows, pqxx::row const& row, pqxx::row::size_type column) {
    pqxx::field const field = row[column];
    if (field.is_null()) return "";
    auto const type = rows.column_type(column);
    if (std::ranges::find(kNumberTypes, type) != kNumberTypes.end()) return field.c_str();
    if (type == kUuidType) return id_text(rows.column_name(column), field);
    return csv_field(field.c_str());
}

std::string csv_row(std::vector<std::string> const& cells) {
    std::string line;
    for (std::string const& one : cells)
        line += (&one == cells.data() ? "" : ",") + one;
    return line + "\r\n";
}

// Text for one file, handed on when enough of it is there.
class Buffered {
  public:
    Buffered(EvidenceSink& sink, std::string file) : sink_(sink), file_(std::move(file)) {
        sink_.write(file_, "", 0);
    }
    void add(std::string const& text, std::uint64_t rows = 1) {
        text_ += text;
        rows_ += rows;
        if (text_.size() >= kWriteAtOnce) flush();
    }
    void close() {
        flush();
        sink_.close(file_);
    }

  private:
    void flush() {
        sink_.write(file_, text_, rows_);
        text_.clear();
        rows_ = 0;
    }

    EvidenceSink& sink_;
    std::string file_;
    std::string text_;
    std::uint64_t rows_ = 0;
};

class Evidence {
  public:
    Evidence(SnapshotTransaction& tx, EvidenceQuery const& query, Network const& network,
             EvidenceSink& sink, EvidenceFound& found)
        : tx_(tx), query_(query), network_(network), sink_(sink), found_(found) {}

    void write() {
        require_merchant();
        write_tables();
        write_journals();
        write_checkpoints();
        if (query_.period) write_statements();
    }

  private:
    void require_merchant() {
        if (!query_.merchant_id) return;
        auto const found = tx_.exec_params("SELECT 1 FROM merchants WHERE merchant_id = $1",
                                           to_sql(*query_.merchant_id));
        if (found.empty())
            throw std::runtime_error("there is no merchant " + to_string(*query_.merchant_id));
    }
    // " WHERE p.merchant_id = ..." where one merchant is asked for, else " WHERE true".
    std::string of_merchant(std::string const& table) const {
        if (!query_.merchant_id) return " WHERE true";
        return " WHERE " + table + ".merchant_id = " + tx_.quote(to_sql(*query_.merchant_id)) +
               "::uuid";
    }
    std::string within(std::string const& column) const {
        if (!query_.period) return "";
        return " AND " + column + " >= " + timestamp_literal(query_.period->begin) + " AND " +
               column + " < " + timestamp_literal(query_.period->end);
    }

    // The names of the query's columns are the head of the file.
    void write_table(std::string const& file, std::string const& select) {
        std::string const name = "table_of_evidence";
        tx_.exec("DECLARE " + name + " NO SCROLL CURSOR FOR " + select);
        Buffered out(sink_, file);
        for (bool first = true;; first = false) {
            auto const rows = tx_.exec("FETCH " + std::to_string(kLinesAtOnce) + " FROM " + name);
            std::vector<std::string> cells(static_cast<std::size_t>(rows.columns()));
            if (first) {
                for (pqxx::row::size_type i = 0; i < rows.columns(); ++i)
                    cells[static_cast<std::size_t>(i)] = rows.column_name(i);
                out.add(csv_row(cells), 0);
            }
            for (auto const& row : rows) {
                for (pqxx::row::size_type i = 0; i < rows.columns(); ++i)
                    cells[static_cast<std::size_t>(i)] = cell(rows, row, i);
                out.add(csv_row(cells));
            }
            if (static_cast<std::size_t>(rows.size()) < kLinesAtOnce) break;
        }
        tx_.exec("CLOSE " + name);
        out.close();
    }

    void write_tables() {
        write_table("merchants.csv", "SELECT m.merchant_id AS merchant, " +
                                         id_hex("m.merchant_id") + ", m.name, " +
                                         utc("m.created_at") + " FROM merchants m" +
                                         of_merchant("m") + " ORDER BY m.merchant_id");
        write_table("payments.csv",
                    "SELECT p.payment_id AS payment, " + id_hex("p.merchant_id") + ", " +
                        id_hex("p.payment_id") +
                        ", p.reference, p.currency, p.price, p.open_amount, p.options, "
                        "p.quote, " +
                        hex("p.deposit_address") + ", p.derivation_index, " + utc("p.created_at") +
                        ", " + utc("p.expires_at") + of_payments());
        write_table("fee_schedules.csv",
                    "SELECT " + id_hex("f.merchant_id") +
                        ", f.version, f.basis_points, f.rounding, f.fixed, f.minimum, f.maximum, " +
                        utc("f.created_at") + " FROM fee_schedules f" + of_merchant("f") +
                        " ORDER BY f.merchant_id, f.version");
        write_table("finality_rules.csv", "SELECT chain_id, version, bands, most_not_final, " +
                                              utc("created_at") +
                                              " FROM finality_rules ORDER BY chain_id, version");
        write_table("account_balances.csv",
                    "SELECT " + id_hex("b.merchant_id") + ", b.chain_id, " + hex("b.token") +
                        ", b.account, b.balance FROM account_balances b" + of_merchant("b") +
                        " ORDER BY b.merchant_id, b.chain_id, b.token, b.account");
        write_table("chain_repairs.csv",
                    "SELECT chain_id, " + utc("repaired_at") +
                        ", ancestor, from_head, from_finalized" +
                        (query_.with_details ? ", ordered_by, approved_by, reason" : "") +
                        " FROM chain_repairs ORDER BY chain_id, chain_repairs.repaired_at");
        if (query_.with_details) write_details();
    }

    // Words of shops and operators: they may be about persons.
    void write_details() {
        write_table("payment_details.csv", "SELECT p.payment_id AS payment, " +
                                               id_hex("p.payment_id") +
                                               ", p.description, p.metadata" + of_payments());
        write_table("resolution_reasons.csv",
                    "SELECT " + id_hex("r.merchant_id") +
                        ", r.chain_id, r.seq AS sequence, r.reason FROM resolution_reasons r" +
                        of_merchant("r") + " ORDER BY r.merchant_id, r.chain_id, r.seq");
        write_table("operators.csv", "SELECT o.operator_id AS operator, o.name, " +
                                         utc("o.created_at") +
                                         " FROM operators o ORDER BY o.operator_id");
    }

    // Those that were made in the period, and those that something was booked for in it.
    std::string of_payments() const {
        std::string const all = " FROM payments p" + of_merchant("p");
        std::string const order = " ORDER BY p.merchant_id, p.payment_id";
        if (!query_.period) return all + order;
        std::string booked;
        for (std::string const table : record_tables()) {
            bool const has_payment =
                !tx_.exec_params(
                        "SELECT FROM information_schema.columns WHERE table_schema ="
                        " 'public' AND table_name = $1 AND column_name = 'payment_id'",
                        table)
                     .empty();
            if (!has_payment) continue;
            booked += (booked.empty() ? "SELECT b.payment_id FROM "
                                      : " UNION SELECT b.payment_id FROM ") +
                      all_of(table) + " b" + of_merchant("b") + within("b.booked_at");
        }
        return all + " AND ((true" + within("p.created_at") + ") OR p.payment_id IN (" + booked +
               "))" + order;
    }

    struct Span {
        MerchantId merchant_id;
        ChainId chain_id = 0;
        JournalHead head;
        std::uint64_t first = 1;
        std::uint64_t last = 0;
    };

    // Every journal, and what of it is given: a journal that has nothing in the period has a last
    // number below its first.
    std::vector<Span> load_spans() {
        std::vector<Span> spans;
        for (auto const& row :
             tx_.exec("SELECT h.merchant_id, h.chain_id, h.seq, h.hash FROM journal_heads h" +
                      of_merchant("h") + " ORDER BY 1, 2")) {
            Span span{.merchant_id = id_of<MerchantTag>(row[0]),
                      .chain_id = number_of(row[1]),
                      .head = {number_of(row[2]), bytes_of<32>(row[3])}};
            span.last = span.head.sequence;
            spans.push_back(span);
        }
        if (!query_.period) return spans;
        for (Span& span : spans) {
            auto const booked = tx_.exec(
                "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM (" +
                select_record_hashes("WHERE merchant_id = " + tx_.quote(to_sql(span.merchant_id)) +
                                     "::uuid AND chain_id = " + std::to_string(span.chain_id) +
                                     within("booked_at")) +
                ") r");
            span.first = number_of(booked[0][0]);
            span.last = number_of(booked[0][1]);
        }
        return spans;
    }

    void write_journals() {
        auto const spans = load_spans();
        Buffered journals(sink_, "journals.csv");
        journals.add(csv_line({"merchant_id", "chain_id", "first_sequence", "last_sequence",
                               "head_sequence", "head_hash"}),
                     0);
        std::vector<Buffered> books;
        for (std::size_t kind = 0; kind < std::variant_size_v<Record>; ++kind)
            books.emplace_back(sink_, evidence_record_file(static_cast<RecordKind>(kind)));
        Buffered postings(sink_, kPostings);
        postings.add(csv_line({"merchant_id", "chain_id", "sequence", "line", "debit", "credit",
                               "token", "amount"}),
                     0);
        for (Span const& span : spans) {
            journals.add(
                csv_line({to_hex(span.merchant_id.uuid.bytes), std::to_string(span.chain_id),
                          std::to_string(span.first), std::to_string(span.last),
                          std::to_string(span.head.sequence), to_hex(span.head.hash)}));
            if (span.last >= span.first) write_journal(span, books, postings);
        }
        journals.close();
        for (Buffered& book : books)
            book.close();
        postings.close();
    }

    void write_journal(Span const& span, std::vector<Buffered>& books, Buffered& postings) {
        JournalReader reader(tx_, span.merchant_id, span.chain_id, span.first - 1);
        std::string const journal =
            to_hex(span.merchant_id.uuid.bytes) + "," + std::to_string(span.chain_id) + ",";
        std::vector<PostedLine> lines;
        while (auto const entry = reader.next(lines)) {
            if (query_.period && entry->sequence > span.last) break;
            books[entry->record.index()].add(found_.layouts.line_of(*entry));
            std::string const record = journal + std::to_string(entry->sequence) + ",";
            for (auto const& [line, posting] : lines) {
                postings.add(record + std::to_string(line) + "," +
                             csv_line({std::string(to_string(posting.debit)),
                                       std::string(to_string(posting.credit)),
                                       to_hex(posting.token), to_string(posting.amount)}));
            }
        }
    }

    void write_checkpoints() {
        write_table("signing_keys.csv", "SELECT " + hex("public_key") + ", " + utc("created_at") +
                                            ", " + utc("retired_at") +
                                            " FROM signing_keys ORDER BY signing_keys.created_at");
        write_table("checkpoints.csv",
                    "SELECT number, (extract(epoch FROM made_at) * 1000)::bigint AS made_at, " +
                        hex("previous_hash") + ", " + hex("hash") + ", journal_count, " +
                        hex("root") + ", " + hex("public_key") + ", " + hex("signature") +
                        " FROM checkpoints ORDER BY number");
        Buffered out(sink_, "checkpoint_journals.csv");
        out.add(csv_line({"checkpoint", "leaf_index", "leaf", "merchant_id", "chain_id",
                          "first_sequence", "last_sequence", "head", "root"}),
                0);
        QueryStream rows(tx_, "checkpointed",
                         "SELECT checkpoint_number, leaf_index, merchant_id, chain_id, first_seq,"
                         " last_seq, head, root FROM checkpoint_journals"
                         " ORDER BY checkpoint_number, leaf_index");
        while (auto const* row = rows.next()) {
            JournalInterval const interval{.merchant_id = id_of<MerchantTag>((*row)[2]),
                                           .chain_id = number_of((*row)[3]),
                                           .first_sequence = number_of((*row)[4]),
                                           .last_sequence = number_of((*row)[5]),
                                           .head = bytes_of<32>((*row)[6]),
                                           .root = bytes_of<32>((*row)[7])};
            std::string const place =
                std::string((*row)[0].c_str()) + "," + (*row)[1].c_str() + ",";
            // Whose the others are is not this merchant's auditor's business: their leaves are
            // enough for the root.
            bool const ours = !query_.merchant_id || *query_.merchant_id == interval.merchant_id;
            std::string const leaf = to_hex(checkpoint_leaf(interval));
            out.add(place + (ours ? csv_line({leaf, to_hex(interval.merchant_id.uuid.bytes),
                                              std::to_string(interval.chain_id),
                                              std::to_string(interval.first_sequence),
                                              std::to_string(interval.last_sequence),
                                              to_hex(interval.head), to_hex(interval.root)})
                                  : csv_line({leaf, "", "", "", "", "", ""})));
        }
        out.close();
    }

    // Last: reading them changes how the transaction is planned.
    void write_statements() {
        tx_.exec("SET LOCAL enable_nestloop = on");
        std::vector<MerchantId> merchants;
        for (auto const& row :
             tx_.exec("SELECT m.merchant_id FROM merchants m" + of_merchant("m") + " ORDER BY 1"))
            merchants.push_back(id_of<MerchantTag>(row[0]));
        auto const read_at =
            time_of(tx_.exec1("SELECT " + time_column("now()", "read_at"))["read_at"]);
        for (MerchantId const merchant_id : merchants) {
            StatementQuery const query{
                .merchant_id = merchant_id, .period = *query_.period, .chain_id = {}, .tokens = {}};
            std::string const file =
                "statements/" + to_string(merchant_id) + "-" + query_.period->name;
            Buffered whole(sink_, file + ".json");
            whole.add(statement_json(load_statement(tx_, query, read_at, kLongestQuery), network_)
                          .dump(2) +
                      "\n");
            whole.close();
            write_statement_lines(query, file + ".csv");
        }
    }

    void write_statement_lines(StatementQuery const& query, std::string const& file) {
        Buffered out(sink_, file);
        out.add(statement_csv_header(), 0);
        std::optional<StatementCursor> after;
        for (;;) {
            auto const page = load_statement_lines(tx_, query, after, kLinesAtOnce, kLongestQuery);
            for (auto const& line : page.lines)
                out.add(statement_csv_row(line, network_));
            if (!page.has_more || page.lines.empty()) break;
            after = {page.lines.back().chain_id, page.lines.back().sequence};
        }
        out.close();
    }

    SnapshotTransaction& tx_;
    EvidenceQuery const& query_;
    Network const& network_;
    EvidenceSink& sink_;
    EvidenceFound& found_;
};

}  // namespace

Task<EvidenceFound> export_evidence(Database& database, EvidenceQuery query, Network const& network,
                                    EvidenceSink& sink, VerifyOptions verify) {
    auto work = [&](SnapshotTransaction& tx) {
        EvidenceFound found;
        auto const snapshot = tx.exec1(
            "SELECT " + utc("s.taken_at") +
            ", pg_current_snapshot() AS snapshot, (SELECT max(name) FROM schema_migrations)"
            " AS schema FROM (SELECT now() AS taken_at) s");
        found.taken_at = snapshot["taken_at"].c_str();
        found.snapshot = snapshot["snapshot"].c_str();
        found.schema = snapshot["schema"].c_str();
        verify.merchant_id = query.merchant_id;
        auto const verified = verify_snapshot(tx, database.state().connect_to, verify);
        found.journals = verified.chains;
        found.records = verified.records;
        found.postings = verified.postings;
        found.first_wrong = verified.first_wrong;
        read_all_there_is(tx);
        Evidence(tx, query, network, sink, found).write();
        return found;
    };
    co_return co_await transact<SnapshotTransaction>(database, work);
}

}  // namespace sycee
