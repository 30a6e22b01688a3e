// Pins: every way in which the owner of the database can change the books by hand is found by
// verify, which names the row. The columns come from PostgreSQL's catalogue, so that a new one that
// verify does not cover fails here.
#include <sycee/crypto/hash.hpp>

#include "books_fixture.hpp"

#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

struct Book {
    std::string table;
    std::string kind;      // how verify calls its rows
    std::string distinct;  // what another row must have of its own besides its number
};

// The records; each table has rows in the books of the fixture. Fees that are paid rest on the
// books of another merchant: fee_invoices_pgtest.cpp.
std::vector<Book> const kBooks{
    {"authorizations", "authorization", ""},
    {"clearings", "clearing", ""},
    {"settlements", "settlement", ""},
    {"settlement_batches", "settlement_batch", ""},
    {"unapplied_receipts", "unapplied", ""},
    {"withdrawals", "withdrawal", ""},
    {"reversals", "reversal", ""},
    {"resolutions", "resolution", ""},
    {"refunds", "refund", ""},
    {"refund_payments", "refund_payment", ", ordinal = 7"},
    {"refund_cancellations", "refund_cancellation", ""},
    {"token_losses", "token_loss", ", difference_id = gen_random_uuid()"},
    {"cancellations", "cancellation", ", payment_id = gen_random_uuid()"}};

// Where a row stands: changed, it is missing there.
std::set<std::string> const kPlace{"merchant_id", "chain_id", "seq"};

// Records 1 to 19 of one journal, of every kind but one, and without the checks of single rows:
// whoever owns the tables can drop those.
class TamperedBooks : public BooksInPostgres {
  protected:
    // A balance of the token of which there is no loss.
    std::string const kEmptied =
        "account = 'coins' AND token = decode('07' || repeat('00', 19), 'hex')";

    TamperedBooks() {
        auto const second = create_payment(merchant_id, {kChain});
        settle();  // 1 to 4
        BlockHeader late = block(103);
        late.time = kStart + 2h;
        commit(plan({.added = {late},
                     .arrivals = {{payment, transfer(payment, 2, 20'000'000, late)}},
                     .finalized = 102}));  // authorization 5, unapplied 6
        Transfer out = transfer(second, 3, 4'000'000, block(104));
        out.key.token = kUnknownToken;
        std::swap(out.sender, out.recipient);
        commit(plan({.added = {block(104)},
                     .arrivals = {{second, out, false}},
                     .finalized = 103}));  // withdrawal 7
        late = block(105);
        late.time = kStart + 3h;
        commit(plan({.added = {late},
                     .arrivals = {{second, transfer(second, 9, 7, late)}},
                     .finalized = 103}));  // authorization 8, unapplied 9
        commit(plan({.added = {block(105, 1), block(106, 1)},
                     .others = {second},
                     .finalized = 103,
                     .rolled_back_to = 104}));  // reversals 10 and 11
        decide();                               // resolution 12
        pay_back();                             // 13 to 18, of the kinds that are left
        commit(plan({.added = {block(108, 1)},
                     .arrivals = {{second, transfer(second, 5, 3, block(108, 1))}},
                     .finalized = 103}));  // authorization 19
        if (query("SELECT max(seq) FROM journal_heads") != "19")
            throw std::runtime_error("other books than these tests are about");
        replica(R"(DO $$ DECLARE c record; BEGIN
            FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                     WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace
            LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
            END $$;
            CREATE SCHEMA backup)");
        for (std::string const table :
             {"postings", "journal_heads", "live_credits", "live_withdrawals", "account_balances",
              "resolution_reasons"})
            keep(table);
        for (Book const& book : kBooks)
            keep(book.table);
    }

    void decide() {
        PgDesk desk(*database);
        auto const of = run(desk.find({merchant_id, kChain, 6})).value();
        auto const head =
            run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, kStart);
        journal.append(Resolution{.payment_id = of.payment_id,
                                  .exception_sequence = 6,
                                  .exception_hash = of.hash,
                                  .token = of.transfer.key.token,
                                  .kind = ResolutionKind::accept,
                                  .target_payment_id = of.payment_id,
                                  .fee_basis_points = 10'000,
                                  .amount = Amount(20),
                                  .fee = Amount(20),
                                  .decided_by = "opr_1",
                                  .approved_by = "",
                                  .reason_hash = sha256(as_bytes(std::string_view("why")))});
        run(desk.commit({.head = {merchant_id, journal.first_head(), journal.head()},
                         .chain_id = kChain,
                         .entries = journal.entries(),
                         .reason = "why",
                         .now = kStart}));
    }

    // A refund that is paid and one that is taken back, a loss, and a payment that is given up.
    void pay_back() {
        auto const given_up = create_payment(merchant_id, {kChain});
        DifferenceId const difference = new_id<DifferenceTag>(kStart);
        query("INSERT INTO balance_differences VALUES ('" + to_string(difference.uuid) + "', '" +
              to_string(merchant_id.uuid) + "', '" + to_string(payment.id.uuid) +
              "', 31337, decode(repeat('01', 20), 'hex'), decode('" + to_hex(kToken.bytes) +
              "', 'hex'), 103, decode(repeat('00', 32), 'hex'), 80000000, 79999987, now(),"
              " now(), 'booked as lost: record 17')");
        auto planned = plan({.added = {block(107, 1)}, .finalized = 103});
        auto const head =
            run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, kStart);
        Refund refund{.payment_id = payment.id,
                      .token = kToken,
                      .recipient = Address{Bytes20{8}},
                      .amount = Amount(11),
                      .decided_by = "opr_1",
                      .approved_by = "",
                      .reason_hash = {}};
        JournalHead const kept = journal.append(refund);
        Transfer paid = transfer(payment, 6, 11, block(103));
        paid.recipient = refund.recipient;
        journal.append(RefundPayment{.payment_id = payment.id,
                                     .promise_sequence = kept.sequence,
                                     .promise_hash = kept.hash,
                                     .transfer = paid,
                                     .amount = refund.amount,
                                     .finalized_block = 103});
        refund.amount = Amount(12);
        JournalHead const taken_back = journal.append(refund);
        journal.append(RefundCancellation{.payment_id = payment.id,
                                          .promise_sequence = taken_back.sequence,
                                          .promise_hash = taken_back.hash,
                                          .token = kToken,
                                          .amount = refund.amount,
                                          .decided_by = "opr_1",
                                          .approved_by = "opr_2",
                                          .reason_hash = {}});
        journal.append(TokenLoss{.payment_id = payment.id,
                                 .token = kToken,
                                 .amount = Amount(13),
                                 .difference_id = difference,
                                 .block_number = 103,
                                 .block_hash = {},
                                 .decided_by = "opr_1",
                                 .approved_by = "opr_2",
                                 .reason_hash = {}});
        journal.append(Cancellation{.payment_id = given_up.id,
                                    .ends_at = kStart,
                                    .decided_by = "key_1",
                                    .approved_by = "",
                                    .reason_hash = {}});
        planned.heads = {{merchant_id, journal.first_head(), journal.head()}};
        planned.entries = journal.entries();
        commit(planned);
    }

    // Verify must name the row with one of these texts; then the table is as it was.
    void expect_named(std::string const& table, std::string const& sql,
                      std::vector<std::string> const& named) {
        replica(sql);
        std::string const wrong = first_wrong();
        bool const found = std::any_of(named.begin(), named.end(), [&](std::string const& text) {
            return wrong.find(text) != std::string::npos;
        });
        EXPECT_TRUE(found) << sql << "\n  is called: " << wrong << "\n  not: " << named.front();
        for (std::string const& changed : {table, std::string("postings")})
            replica("DELETE FROM " + changed + "; INSERT INTO " + changed +
                    " SELECT * FROM backup." + changed);
    }
    static std::vector<std::string> gone(std::string const& sequence) {
        return {"number " + sequence + " is missing",
                "postings of number " + sequence + " have no record"};
    }
    std::string first_of(std::string const& table) {
        return query("SELECT min(seq) FROM " + table);
    }

    // Columns with other values that each could hold.
    std::vector<std::pair<std::string, std::string>> changes_of(std::string const& table) const {
        static std::map<std::string, std::vector<std::string>> const kOthers{
            {"uuid", {"'ffffffff-ffff-7fff-bfff-ffffffffffff'"}},
            {"bigint", {"$ + 1000", "-1"}},
            {"integer", {"$ + 1000", "-1"}},
            {"smallint", {"$ + 1000", "-1"}},
            {"numeric", {"$ + 1", "$ + 10000", "-1", "'NaN'"}},
            {"bytea", {"set_byte($, 0, get_byte($, 0) # 1)", "$ || '\\x00'", "''"}},
            {"text", {"$ || 'x'", "'late'", "'credit'", "'settlement'"}},
            {"USER-DEFINED", {"'token_loss'"}},
            {"timestamp with time zone",
             {"$ + interval '1 microsecond'", "$ + interval '1 millisecond'",
              "$ - interval '1 second'", "'infinity'", "'-infinity'"}}};
        std::vector<std::pair<std::string, std::string>> changes;
        pqxx::connection connection(url());
        pqxx::work tx(connection);
        for (auto const& row : tx.exec_params(
                 "SELECT column_name, data_type FROM information_schema.columns"
                 " WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
                 table)) {
            std::string const column = row[0].c_str();
            auto const others = kOthers.find(row[1].c_str());
            if (others == kOthers.end()) {
                ADD_FAILURE() << table << "." << column << ": how is it changed?";
                continue;
            }
            for (std::string value : others->second) {
                for (auto at = value.find('$'); at != std::string::npos; at = value.find('$'))
                    value.replace(at, 1, column);
                changes.emplace_back(column, value);
            }
        }
        EXPECT_GE(changes.size(), 4U) << table;
        return changes;
    }
    // Whether the change changes anything.
    bool changes(std::string const& table, std::string const& column, std::string const& value,
                 std::string const& where) {
        return query("SELECT bool_and((" + value + ")::text IS DISTINCT FROM " + column +
                     "::text) FROM " + table + " WHERE " + where) == "t";
    }

  private:
    void keep(std::string const& table) {
        replica("CREATE TABLE backup." + table + " AS TABLE public." + table);
    }
};

TEST_F(TamperedBooks, verify_as_they_were_written) {
    EXPECT_EQ(first_wrong(), "");
    for (Book const& book : kBooks)
        EXPECT_NE(first_of(book.table), "") << book.table;
    EXPECT_EQ(query("SELECT min(seq) || ' ' || max(seq) FROM reversals"), "10 11");
}

TEST_F(TamperedBooks, name_the_record_any_column_of_which_was_changed) {
    for (auto const& [table, kind, distinct] : kBooks) {
        std::string const sequence = first_of(table);
        for (auto const& [column, value] : changes_of(table)) {
            std::string const where = "seq = " + sequence;
            if (!changes(table, column, value, where)) continue;
            auto named = kPlace.contains(column) ? gone(sequence)
                                                 : std::vector{": " + kind + " " + sequence + " "};
            // Whoever reads all records of a payment finds what no record can hold first.
            if (column == "chain_id")
                named.push_back(": " + kind + " " + sequence + " has been changed");
            if (column == "seq") named.push_back(table + " has a row with the number -1");
            expect_named(table,
                         "UPDATE " + table + " SET " + column + " = " + value + " WHERE " + where,
                         named);
        }
    }
}

TEST_F(TamperedBooks, name_the_posting_any_column_of_which_was_changed) {
    std::string const where = "seq = 2 AND line = 1";
    for (auto const& [column, value] : changes_of("postings")) {
        std::vector<std::string> named{": clearing 2 has a posting too few: line 1",
                                       ": clearing 2 has other postings than it says: line 1",
                                       ": a posting of number 2, line 1, has been changed"};
        if (value == "-1" && column == "seq") named = {"postings of number -1 have no record"};
        if (value == "-1" && column == "line") named = {"should be", "not line -1"};
        expect_named("postings",
                     "UPDATE postings SET " + column + " = " + value + " WHERE " + where, named);
    }
}

TEST_F(TamperedBooks, name_the_record_that_was_deleted) {
    for (auto const& [table, kind, distinct] : kBooks) {
        std::string const sequence = first_of(table);
        expect_named(table, "DELETE FROM " + table + " WHERE seq = " + sequence, gone(sequence));
        expect_named(table,
                     "DELETE FROM " + table + " WHERE seq = " + sequence +
                         "; DELETE FROM postings WHERE seq = " + sequence,
                     {"number " + sequence + " is missing"});
    }
    expect_named("postings", "DELETE FROM postings WHERE seq = 2 AND line = 1",
                 {": clearing 2 has a posting too few: line 1"});
}

// At the end of the journal, in the place of another, far away, and for a merchant without books.
TEST_F(TamperedBooks, name_the_record_that_was_inserted) {
    for (auto const& [table, kind, distinct] : kBooks) {
        std::string const key = query(
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
            " AND a.attnum = i.indkey[2] WHERE i.indisprimary AND i.indrelid ="
            " coalesce(to_regclass('months." +
            table + "_rest'), '" + table + "'::regclass)");
        auto const insert = [&, &into = table, &unique = distinct](std::string const& change) {
            return "CREATE TEMP TABLE copy AS SELECT * FROM " + into +
                   " ORDER BY seq LIMIT 1; UPDATE copy SET " +
                   (key == "seq" ? "" : key + " = 1000 + " + key + ", ") + change + unique +
                   "; INSERT INTO " + into + " SELECT * FROM copy; DROP TABLE copy";
        };
        expect_named(table, insert("seq = 20"), {": " + kind + " 20 does not hold the hash"});
        std::string const other = table == "settlement_batches" ? "3" : "4";
        expect_named(table, insert("seq = " + other), {": number " + other + " stands twice, in"});
        expect_named(table, insert("seq = 1000"), {": " + kind + " 1000 follows number 19"});
        expect_named(table, insert("seq = 1, merchant_id = 'ffffffff-ffff-7fff-bfff-ffffffffffff'"),
                     {"merchant " +
                      to_string(MerchantId{*parse_uuid("ffffffff-ffff-7fff-bfff-ffffffffffff")}) +
                      ", chain 31337: " + kind + " 1 "});
    }
    for (auto const& [line, named] :
         {std::pair("2, 9", ": clearing 2 has a posting too many: line 9"),
          std::pair("3, 0", ": settlement 3 has a posting too many"),
          std::pair("99, 0", "postings of number 99 have no record")}) {
        expect_named("postings",
                     std::string("INSERT INTO postings (merchant_id, chain_id, seq, line, month,"
                                 " token, debit, credit, amount) SELECT merchant_id, chain_id, ") +
                         line + ", month, token, debit, credit, amount FROM postings WHERE seq = 1",
                     {named});
    }
}

TEST_F(TamperedBooks, name_the_first_of_two_records_that_changed_places) {
    for (auto const& [table, kind, distinct] : kBooks) {
        Book const& other = table == "authorizations" ? kBooks[5] : kBooks[0];
        std::string const one = first_of(table);
        std::string const two = first_of(other.table);
        bool const first = std::stoi(one) < std::stoi(two);
        std::string const moved = first ? other.kind + " " + one : kind + " " + two;
        replica("UPDATE " + other.table + " SET seq = " + one + " WHERE seq = " + two);
        expect_named(table, "UPDATE " + table + " SET seq = " + two + " WHERE seq = " + one,
                     {": " + moved + " "});
        replica("UPDATE " + other.table + " SET seq = " + two + " WHERE seq = " + one);
    }
    expect_named("authorizations",
                 "UPDATE authorizations SET seq = 6 - seq + 1000 WHERE seq IN (1, 5);"
                 " UPDATE authorizations SET seq = seq - 1000 WHERE seq > 1000",
                 {": authorization 1 does not hold the hash"});
    expect_named("postings",
                 "UPDATE postings SET line = 101 - line WHERE seq = 2 AND line < 2;"
                 " UPDATE postings SET line = line - 100 WHERE seq = 2 AND line >= 100",
                 {": clearing 2 has other postings than it says: line 0"});
}

TEST_F(TamperedBooks, name_the_end_that_was_cut_off) {
    std::string const cut =
        "DELETE FROM authorizations WHERE seq = 19;"
        " DELETE FROM postings WHERE seq = 19;"
        " DELETE FROM live_credits WHERE authorization_seq = 19";
    expect_named("authorizations", cut,
                 {"journal_heads is not the last record, number 18: it says number 19"});
    // With a head to match it, the balances still tell.
    expect_named("authorizations",
                 cut +
                     "; UPDATE journal_heads SET seq = 18, hash ="
                     " (SELECT hash FROM cancellations WHERE seq = 18)",
                 {"account coins of token 0x01"});
    for (std::string const table : {"live_credits", "journal_heads"})
        replica("DELETE FROM " + table + "; INSERT INTO " + table + " SELECT * FROM backup." +
                table);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(TamperedBooks, name_the_row_of_an_index_or_a_balance_that_was_changed) {
    struct Projection {
        std::string table;
        std::string where;
        std::vector<std::string> named;
    };
    for (auto const& [table, where, named] :
         {Projection{"journal_heads", "true", {": journal_heads "}},
          Projection{"live_credits",
                     "authorization_seq = 1",
                     {"live_credits has no row for number 1",
                      "live_credits says another transfer for number 1", "where number 1 is live",
                      "a row for number 1 that was changed"}},
          Projection{"live_withdrawals",
                     "true",
                     {"live_withdrawals has no row for number 7",
                      "live_withdrawals says another transfer for number 7",
                      "where number 7 is live", "a row for number 7 that was changed"}},
          Projection{"account_balances",
                     kEmptied,
                     {": account coins of token ", ": account token_loss of token "}}}) {
        for (auto const& [column, value] : changes_of(table)) {
            auto expected = named;
            if (column.ends_with("_seq") && value == "-1")
                expected = {": a row of " + table + " was changed: " + column + " is below zero",
                            table + " has a row for number 0 that was changed"};
            expect_named(table,
                         "UPDATE " + table + " SET " + column + " = " + value + " WHERE " + where,
                         expected);
        }
        expect_named(table, "DELETE FROM " + table + " WHERE " + where, named);
    }
}

TEST_F(TamperedBooks, name_the_row_of_an_index_or_a_balance_that_was_inserted) {
    std::string const nobody = "'ffffffff-ffff-7fff-bfff-ffffffffffff'";
    expect_named("journal_heads",
                 "INSERT INTO journal_heads SELECT merchant_id, 1, 0, decode(repeat('00', 32),"
                 " 'hex'), 0 FROM journal_heads",
                 {"chain 1: journal_heads has a row, but no record"});
    for (std::string const table : {"live_credits", "live_withdrawals"}) {
        std::string const columns = "tx_hash, token, 77, 8 FROM authorizations WHERE seq = 8";
        expect_named(table, "INSERT INTO " + table + " SELECT merchant_id, chain_id, " + columns,
                     {table + " has a row for number 8, which is not live",
                      table + " says another transfer for number 8"});
        expect_named(table, "INSERT INTO " + table + " SELECT " + nobody + ", 5, " + columns,
                     {"chain 5: " + table + " has a row for number 8, which is not live"});
    }
    expect_named("live_credits",
                 "INSERT INTO live_credits SELECT merchant_id, chain_id, tx_hash, token, ordinal, 8"
                 " FROM authorizations WHERE seq = 8",
                 {"live_credits has a row for number 8, which is not live"});
    expect_named("account_balances",
                 "INSERT INTO account_balances SELECT merchant_id, chain_id, token, 'token_loss', 0"
                 " FROM account_balances WHERE " +
                     kEmptied,
                 {": account token_loss of token "});
    expect_named("resolution_reasons",
                 "INSERT INTO resolution_reasons SELECT merchant_id, chain_id, 3, reason"
                 " FROM resolution_reasons",
                 {"decision 3 was given another reason"});
    expect_named("resolution_reasons", "UPDATE resolution_reasons SET reason = 'because'",
                 {"resolution 12 was given another reason"});
}

TEST_F(TamperedBooks, say_that_a_payment_could_be_canceled_twice) {
    replica("DROP INDEX cancellations_by_payment");
    EXPECT_EQ(first_wrong(),
              "cancellations has lost its unique key: a payment could be canceled twice");
}

TEST_F(TamperedBooks, say_that_a_transfer_could_keep_two_promises) {
    replica("DROP INDEX refund_payments_by_transfer");
    EXPECT_EQ(first_wrong(),
              "refund_payments has lost its unique key: a transfer could keep two promises");
}

TEST_F(TamperedBooks, say_that_a_transfer_could_be_live_twice) {
    replica("ALTER TABLE live_withdrawals DROP CONSTRAINT live_withdrawals_pkey");
    EXPECT_EQ(first_wrong(),
              "live_withdrawals has lost its unique key: a transfer could be live in it twice");
}

// More rows than are read at once, several journals, several connections.
class LongBooks : public BooksInPostgres {
  protected:
    static constexpr std::uint64_t kTransfers = 1'100;

    LongBooks() {
        std::vector<Payment> payments{payment};
        for (std::uint32_t child = 5; child < 8; ++child)
            payments.push_back(create_payment(create_merchant("Mugs", child), {kChain}));
        std::sort(payments.begin(), payments.end(),
                  [](Payment const& a, Payment const& b) { return a.merchant_id < b.merchant_id; });
        for (Payment const& one : payments)
            merchants.push_back(to_string(one.merchant_id.uuid));
        std::vector<Arrival> arrivals;
        for (std::uint64_t i = 0; i < kTransfers; ++i) {
            for (Payment const& to : payments) {
                Transfer one = transfer(to, static_cast<std::uint8_t>(i), 1'000'000, block(101));
                one.key.transaction_hash[1] = static_cast<std::uint8_t>(i >> 8U);
                one.key.transaction_hash[2] = to.merchant_id.uuid.bytes[15];
                arrivals.push_back({to, one});
            }
        }
        commit(plan({.added = {block(101)}, .arrivals = arrivals, .finalized = 100}));
        commit(plan({.added = {block(102)}, .others = payments, .finalized = 101}));
    }
    VerifyResult verify(std::size_t connections,
                        std::function<void(VerifyProgress const&)> progress = {}) {
        return run(
            verify_books(*database, {.connections = connections, .progress = std::move(progress)}));
    }

    std::vector<std::string> merchants;
};

TEST_F(LongBooks, verify_alike_by_one_connection_and_by_several) {
    VerifyProgress last;
    auto const several = verify(3, [&last](VerifyProgress const& now) {
        EXPECT_GE(now.records, last.records);
        EXPECT_GE(now.journals_done, last.journals_done);
        last = now;
    });
    auto const one = verify(1);
    EXPECT_EQ(several.first_wrong.value_or(""), "");
    EXPECT_EQ(several.chains, 4U);
    EXPECT_EQ(several.records, one.records);
    EXPECT_EQ(several.postings, one.postings);
    EXPECT_GT(one.records, kTransfers * 4 * 2);
    EXPECT_EQ(std::to_string(one.records), query("SELECT sum(seq) FROM journal_heads"));
    EXPECT_EQ(last.records, one.records);
    EXPECT_EQ(last.all_records, one.records);
    EXPECT_EQ(last.postings, one.postings);
    EXPECT_EQ(last.journals, 4U);
    EXPECT_EQ(last.journals_done, 4U);
}

TEST_F(LongBooks, name_the_first_wrong_journal_whichever_is_found_first) {
    // The last journal is wrong in its first record, the second in its last.
    replica("UPDATE authorizations SET log_index = 7 WHERE merchant_id = '" + merchants[3] +
            "' AND seq = 1; UPDATE journal_heads SET last_batch_number = 9 WHERE merchant_id = '" +
            merchants[1] + "'");
    for (int i = 0; i < 5; ++i) {
        std::string const wrong = verify(4).first_wrong.value_or("");
        EXPECT_NE(wrong.find(to_string(MerchantId{*parse_uuid(merchants[1])})), std::string::npos)
            << wrong;
        EXPECT_NE(wrong.find("journal_heads is not the last record"), std::string::npos) << wrong;
    }
}

TEST_F(LongBooks, name_a_record_far_from_the_beginning) {
    replica("UPDATE authorizations SET log_index = 7 WHERE seq = 1099 AND merchant_id = '" +
            merchants[2] + "'");
    EXPECT_NE(verify(2).first_wrong.value_or("").find(": authorization 1099 has been changed"),
              std::string::npos);
}

}  // namespace
}  // namespace sycee
