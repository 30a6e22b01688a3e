// Pins: all of a payment stands in the month in which it was created, whenever it was booked; what
// is booked once is so over a month's end; no partition can be changed, by itself either; a month
// is detached only when nothing of it is open, is read all the same, and comes back whole; one that
// was taken out of the database is named, and nothing is decided without it.
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/pg_event_feed.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_months.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_reconciliation.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_statements.hpp>

#include "books_fixture.hpp"

#include <thread>

namespace sycee {
namespace {

using namespace std::chrono_literals;
using State = MonthOfBooks::State;

constexpr std::uint32_t kMonth = 202311;                                // of kStart
constexpr Timestamp kDecember = timestamp_from_seconds(1'701'388'800);  // 2023-12-01
constexpr Timestamp kNewYearsEve = kDecember + 31 * 24h - 1ms;
constexpr Timestamp kLater = kDecember + 24h;

class MonthsInPostgres : public BooksInPostgres {
  protected:
    std::string count(std::string const& table) const {
        return query("SELECT count(*) FROM " + table);
    }
    Payment create_payment_at(Timestamp time) {
        auto input = new_payment(merchant_id, {kChain});
        input.id = new_id<PaymentTag>(time);
        return run(PgPayments(*database).create(input, derive_deposit_address));
    }
    static bool is_refused(std::function<void()> const& statement, char const* state) {
        try {
            statement();
        } catch (pqxx::sql_error const& error) {
            return error.sqlstate() == state;
        }
        return false;
    }
    bool is_refused(std::string const& sql, char const* state = "23001") const {
        return is_refused([&] { query(sql); }, state);
    }
    std::vector<std::pair<std::uint32_t, State>> listed() {
        std::vector<std::pair<std::uint32_t, State>> months;
        for (MonthOfBooks const& one : run(months_.list())) {
            if (one.month <= 202312) months.emplace_back(one.month, one.state);
        }
        return months;
    }

    // Why the month can't be detached; empty: it was.
    std::string detach(Timestamp now = kLater) {
        auto const detached = run(months_.detach(kMonth, now));
        return detached ? "" : detached.error().message;
    }
    void take_key() {
        Bytes32 secret{};
        secret[31] = 1;
        key_ = SigningKey::from_bytes(secret).value();
        run(PgCheckpoints(*database).add_signing_key(key_->public_key(), kStart));
    }
    void make_checkpoint() { run(PgCheckpoints(*database).make(*key_, kStart)); }
    void deliver_all() {
        query(
            "UPDATE outbox_events SET next_attempt_at = NULL;"
            " UPDATE webhook_deliveries SET next_attempt_at = NULL");
    }
    void write_off(std::uint64_t sequence, Timestamp at = kStart) {
        PgDesk desk(*database);
        auto const of = run(desk.find({merchant_id, kChain, sequence})).value();
        auto const head =
            run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, at);
        journal.append(Resolution{.payment_id = of.payment_id,
                                  .exception_sequence = sequence,
                                  .exception_hash = of.hash,
                                  .token = of.transfer.key.token,
                                  .kind = ResolutionKind::write_off,
                                  .target_payment_id = of.payment_id,
                                  .fee_basis_points = 0,
                                  .amount = of.amount,
                                  .fee = {},
                                  .decided_by = "opr_1",
                                  .approved_by = "",
                                  .reason_hash = sha256(as_bytes(std::string_view("why")))});
        run(desk.commit({.head = {merchant_id, journal.first_head(), journal.head()},
                         .chain_id = kChain,
                         .entries = journal.entries(),
                         .reason = "why",
                         .now = at}));
    }
    // The next block, in which so much leaves the payment's address; nothing: in which nothing
    // does.
    void mine(std::uint8_t txn = 0, std::uint64_t leaves = 0) {
        BlockHeader const in = block(heads[kChain].number + 1);
        Step step{.added = {in}, .others = {payment}, .finalized = in.number - 1};
        if (leaves > 0) {
            Transfer out = transfer(txn, leaves, in);
            std::swap(out.sender, out.recipient);
            step.arrivals.push_back({payment, out, false});
        }
        commit(plan(step));
    }
    // The month's tables, out of the database, as far as it looks.
    void take_out(std::string const& books = "months.books()") {
        query("CREATE SCHEMA IF NOT EXISTS elsewhere");
        query("DO $$ DECLARE b record; BEGIN FOR b IN SELECT book FROM " + books +
              " LOOP"
              " EXECUTE format('ALTER TABLE archive.%1$I DETACH PARTITION archive.%2$I', b.book,"
              "  b.book || '_202311');"
              " EXECUTE format('ALTER TABLE archive.%I SET SCHEMA elsewhere', b.book || '_202311');"
              " END LOOP; END $$");
    }
    // Read back from a file, as tables by themselves.
    void put_back() {
        query(
            "DO $$ DECLARE b record; BEGIN FOR b IN SELECT book FROM months.books() LOOP"
            " EXECUTE format('ALTER TABLE elsewhere.%I SET SCHEMA archive', b.book || '_202311');"
            " END LOOP; END $$");
    }
    EventId id_of(std::string const& sql) const { return {parse_uuid(query(sql)).value()}; }
    void detach_and_take_out() {
        EXPECT_EQ(detach(), "");
        take_out();
    }
    static bool is_named(std::function<void()> const& reads) {
        try {
            reads();
        } catch (Unavailable const& unavailable) {
            return std::string(unavailable.what()).find("month 202311 was archived") !=
                   std::string::npos;
        }
        return false;
    }
    // Another merchant's, who owes what the payment, an invoice, was paid for.
    void make_invoice(Payment const& invoice, MerchantId who_owes) {
        query(
            "INSERT INTO fee_invoices (merchant_id, invoice_payment_id, invoice_merchant_id,"
            " chain_id, token, amount, created_at) VALUES ('" +
            to_string(who_owes.uuid) + "', '" + to_string(invoice.id.uuid) + "', '" +
            to_string(invoice.merchant_id.uuid) + "', 31337, decode('" +
            to_string(kToken).substr(2) + "', 'hex'), 1000000, now())");
    }
    CheckpointExport export_now() {
        PgCheckpoints checkpoints(*database);
        auto exported =
            run(checkpoints.load_export(run(checkpoints.make(*key_, booked_at)).number)).value();
        auto const result =
            run(verify_books(*database, {.connections = 1, .states_at = &exported}));
        EXPECT_EQ(result.first_wrong.value_or(""), "");
        exported.state = VerifiedState{.verified_at = booked_at, .journals = result.states};
        return exported;
    }
    std::string first_wrong_from(CheckpointExport const& from) {
        auto const result = run(verify_books(*database, {.connections = 1, .from = &from}));
        return result.first_wrong.value_or("");
    }
    // November with one settled payment, and nothing in the way of detaching it.
    void finish_november() {
        run(months_.make(kStart));
        take_key();
        settle();
        write_off(2);
        deliver_all();
        make_checkpoint();
    }

    PgMonths months_{*database};
    std::optional<SigningKey> key_;
};

TEST_F(MonthsInPostgres, are_made_for_now_and_the_next_once) {
    EXPECT_EQ(run(months_.make(kNewYearsEve)), 16U);
    EXPECT_EQ(run(months_.make(kNewYearsEve)), 0U);
    EXPECT_EQ(run(months_.make(kNewYearsEve + 1ms)), 8U);  // February
    for (std::string const month : {"202312", "202401", "202402"})
        EXPECT_EQ(count("months.authorizations_" + month), "0");
    EXPECT_TRUE(is_refused("SELECT make_months('1999-12-31')", "22023"));
    EXPECT_TRUE(is_refused("SELECT make_months(now() + interval '2 years')", "22023"));
}

TEST_F(MonthsInPostgres, take_the_rows_that_came_before_them) {
    settle();
    EXPECT_EQ(count("months.postings_rest"), "4");
    EXPECT_EQ(count("months.outbox_events_rest"), "3");
    run(months_.make(kStart));
    for (auto const& [table, rows] : {std::pair("authorizations", "1"), std::pair("clearings", "1"),
                                      std::pair("settlements", "1"), std::pair("postings", "3"),
                                      std::pair("outbox_events", "3")})
        EXPECT_EQ(count(std::string("months.") + table + "_202311"), rows) << table;
    // That of the batch is of no payment.
    EXPECT_EQ(count("months.postings_rest"), "1");
    EXPECT_EQ(first_wrong(), "");
    EXPECT_TRUE(is_refused("DELETE FROM months.postings_rest"));
}

TEST_F(MonthsInPostgres, hold_a_payment_that_is_booked_over_their_end) {
    run(months_.make(kStart));
    run(months_.make(kDecember));
    auto const last = create_payment_at(kDecember - 1ms);
    auto const first = create_payment_at(kDecember);
    booked_at = kDecember - 1ms;
    commit(plan({.added = {block(101)},
                 .arrivals = {{last, transfer(last, 1, 30'000'000, block(101))},
                              {first, transfer(first, 2, 30'000'000, block(101))}},
                 .finalized = 100}));
    booked_at = kDecember + 1ms;
    commit(plan({.added = {block(102)},
                 .arrivals = {{last, transfer(last, 3, 20'000'000, block(102))},
                              {first, transfer(first, 4, 20'000'000, block(102))}},
                 .finalized = 101}));
    booked_at = kNewYearsEve;
    commit(plan({.added = {block(103)}, .others = {last, first}, .finalized = 102}));
    for (std::string const month : {"202311", "202312"}) {
        EXPECT_EQ(count("months.authorizations_" + month), "2");
        EXPECT_EQ(count("months.clearings_" + month), "2");
        EXPECT_EQ(count("months.settlements_" + month), "2");
        EXPECT_EQ(count("months.postings_" + month), "4");
    }
    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(state(last).credits.size(), 2U);
    EXPECT_EQ(state(first).credits.at(1).stage, CreditStage::settled);
}

TEST_F(MonthsInPostgres, do_not_credit_one_log_twice_over_their_end) {
    run(months_.make(kStart));
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    // The same log once more, as if it were another's, for a payment of another month.
    auto const other = create_payment_at(kDecember);
    booked_at = kDecember;
    auto const again = plan({.added = {block(102)},
                             .arrivals = {{other, transfer(other, 1, 50'000'000, block(101))}},
                             .finalized = 101});
    EXPECT_THROW(commit(again), InvariantViolation);
    EXPECT_EQ(count("authorizations"), "1");
}

TEST_F(MonthsInPostgres, hold_one_clearing_of_an_authorization_whatever_payment_it_names) {
    run(months_.make(kStart));
    auto const other = create_payment_at(kDecember);
    settle();
    std::string const copy =
        "CREATE TEMP TABLE again AS SELECT * FROM clearings; UPDATE again SET seq = 99";
    std::string const insert = "; INSERT INTO clearings SELECT * FROM again";
    EXPECT_TRUE(is_refused(copy + insert, "23505"));
    EXPECT_TRUE(
        is_refused(copy + ", payment_id = '" + to_string(other.id.uuid) + "'" + insert, "23503"));
}

TEST_F(MonthsInPostgres, refuse_what_would_change_them_by_themselves) {
    run(months_.make(kStart));
    settle();
    for (std::string const schema : {"months.", "public."}) {
        for (std::string const book : {"authorizations", "clearings", "settlements", "postings"}) {
            std::string const table = schema + book + (schema == "public." ? "" : "_202311");
            EXPECT_TRUE(is_refused("DELETE FROM " + table)) << table;
            EXPECT_TRUE(is_refused("UPDATE " + table + " SET seq = seq")) << table;
            EXPECT_TRUE(is_refused("TRUNCATE " + table)) << table;
        }
    }
    // Rows of another month have no place in it.
    EXPECT_TRUE(is_refused("INSERT INTO months.postings_202311 SELECT * FROM months.postings_rest",
                           "23514"));
}

// A statement looks into the months in which nearly all of its payments were made first.
TEST_F(MonthsInPostgres, are_all_in_a_statement_however_long_a_payment_waited) {
    run(months_.make(kStart));
    run(months_.make(kNewYearsEve));
    auto const late = create_payment_at(kNewYearsEve + 24h);
    booked_at = kNewYearsEve + 2 * 24h;
    commit(plan({.added = {block(101)},
                 .arrivals = {{payment, transfer(1, 50'000'000, block(101))},
                              {late, transfer(late, 2, 50'000'000, block(101))}},
                 .finalized = 100}));
    commit(plan({.added = {block(102)}, .others = {payment, late}, .finalized = 101}));
    EXPECT_EQ(count("months.settlements_202311"), "1");
    EXPECT_EQ(count("months.settlements_202401"), "1");
    PgStatements statements(*database);
    StatementQuery const query{
        .merchant_id = merchant_id, .period = month_of(booked_at), .chain_id = {}, .tokens = {}};
    auto const statement = run(statements.statement(query, booked_at));
    ASSERT_EQ(statement.accounts.size(), 1U);
    EXPECT_EQ(statement.accounts[0].settlements.count, 2U);
    EXPECT_EQ(statement.accounts[0].closing, Amount(100'000'000));
    EXPECT_EQ(run(statements.lines(query, {}, 10)).lines.size(), 2U);
    EXPECT_EQ(run(statements.lines(query, {}, 1)).lines.size(), 1U);
    auto const batches = run(statements.batches(query, {}, 10)).batches;
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_EQ(batches[0].gross, Amount(100'000'000));
    // With the token that has none of it, there is nothing.
    StatementQuery other = query;
    other.tokens = {kUnknownToken};
    EXPECT_TRUE(run(statements.statement(other, booked_at)).accounts.empty());
}

TEST_F(MonthsInPostgres, are_detached_only_when_nothing_of_them_is_open) {
    EXPECT_NE(detach().find("2023-11: it has no tables of its own"), std::string::npos);
    run(months_.make(kStart));
    take_key();
    EXPECT_NE(detach(kDecember - 1ms).find("it has not ended yet"), std::string::npos);
    commit(plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100));
    EXPECT_NE(detach().find("authorization 1 of chain 31337 is not final"), std::string::npos);
    commit(plan({block(102)}, {}, 101));
    EXPECT_NE(detach().find("number 2 of chain 31337 is open on the exceptions desk"),
              std::string::npos);
    write_off(2);
    auto input = new_payment(merchant_id, {kChain});
    input.expires_at = kLater + 1h;
    auto const open = run(PgPayments(*database).create(input, derive_deposit_address));
    EXPECT_NE(detach().find("payment " + to_string(open.id.uuid) + " can be paid until"),
              std::string::npos);
    EXPECT_NE(detach(kLater + 2h).find("is still to be delivered"), std::string::npos);
    deliver_all();
    EXPECT_NE(detach(kLater + 2h).find("no checkpoint has all of its records yet"),
              std::string::npos);
    make_checkpoint();
    EXPECT_EQ(listed(), (std::vector{std::pair(kMonth, State::attached),
                                     std::pair(202312U, State::attached)}));
    EXPECT_EQ(detach(kLater + 2h), "");
    EXPECT_EQ(listed(), (std::vector{std::pair(kMonth, State::detached),
                                     std::pair(202312U, State::attached)}));
    EXPECT_NE(detach(kLater + 2h).find("it has no tables of its own"), std::string::npos);
}

TEST_F(MonthsInPostgres, are_read_while_they_are_detached_and_come_back_whole) {
    finish_november();
    auto const before = state();
    auto const timeline = run(PgReports(*database).timeline({merchant_id, payment.id}));
    auto const balances = run(PgReports(*database).balances_at(kLater));
    EXPECT_FALSE(run(months_.attach(kMonth)));
    ASSERT_EQ(detach(), "");
    EXPECT_EQ(count("authorizations"), "0");
    EXPECT_EQ(count("outbox_events"), "0");
    EXPECT_EQ(count("postings"), "2");  // of the batch and of the decision
    EXPECT_EQ(first_wrong(), "");
    ASSERT_EQ(state().credits.size(), 1U);
    EXPECT_EQ(state().credits[0].settlement_hash, before.credits.at(0).settlement_hash);
    EXPECT_EQ(run(PgReports(*database).timeline({merchant_id, payment.id})).records.size(),
              timeline.records.size());
    EXPECT_EQ(run(PgReports(*database).balances_at(kLater)).size(), balances.size());
    EXPECT_TRUE(is_refused("DELETE FROM archive.authorizations"));
    EXPECT_TRUE(is_refused("UPDATE archive.clearings_202311 SET seq = seq"));
    EXPECT_TRUE(is_refused("TRUNCATE archive.postings_202311"));
    // It is not made anew.
    EXPECT_EQ(run(months_.make(kStart)), 0U);

    // The same address is paid once more: nothing is forgotten, and booking goes on.
    commit(plan({block(103)}, {transfer(2, 1'000'000, block(103))}, 102));
    commit(plan({block(104)}, {}, 103));
    EXPECT_EQ(count("months.authorizations_rest"), "1");
    EXPECT_EQ(state().credits.size(), 2U);
    EXPECT_EQ(state().credits.at(1).stage, CreditStage::unapplied);
    EXPECT_EQ(first_wrong(), "");

    ASSERT_TRUE(run(months_.attach(kMonth)));
    EXPECT_EQ(count("months.authorizations_202311"), "2");
    EXPECT_EQ(count("months.authorizations_rest"), "0");
    EXPECT_EQ(count("archive.authorizations"), "0");
    EXPECT_EQ(count("archived_months"), "0");
    EXPECT_EQ(first_wrong(), "");
    EXPECT_TRUE(is_refused("DELETE FROM months.authorizations_202311"));
    EXPECT_TRUE(is_refused("TRUNCATE months.authorizations_202311"));
}

TEST_F(MonthsInPostgres, are_named_where_they_were_taken_out_and_needed) {
    finish_november();
    ASSERT_EQ(detach(), "");
    take_out();
    EXPECT_EQ(listed().at(0), (std::pair(kMonth, State::missing)));
    EXPECT_TRUE(is_named([&] { state(); }));
    EXPECT_TRUE(is_named([&] { first_wrong(); }));
    EXPECT_TRUE(is_named([&] { run(PgReports(*database).balances_at(kLater)); }));
    EXPECT_TRUE(is_named([&] { run(PgReports(*database).booked_balances(kChain)); }));
    EXPECT_TRUE(is_named([&] { run(PgReports(*database).used_addresses()); }));
    EXPECT_TRUE(is_named([&] { plan({block(103)}, {transfer(2, 1, block(103))}, 102); }));
    EXPECT_FALSE(run(months_.attach(kMonth)));
    // What is of other months goes on.
    run(months_.make(kDecember));
    auto const other = create_payment_at(kDecember);
    commit(plan({.added = {block(103)},
                 .arrivals = {{other, transfer(other, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    EXPECT_EQ(state(other).credits.size(), 1U);

    put_back();
    ASSERT_TRUE(run(months_.attach(kMonth)));
    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(state().credits.size(), 1U);
}

// An event's month is that of its own id: what tells of a payment may come in a later one.
TEST_F(MonthsInPostgres, are_not_detached_while_a_later_event_of_them_is_to_be_delivered) {
    run(months_.make(kDecember));
    finish_november();
    query("UPDATE outbox_events SET next_attempt_at = now(), event_id = '" +
          to_string(new_id<EventTag>(kDecember).uuid) +
          "' WHERE event_id = (SELECT event_id FROM outbox_events ORDER BY 1 DESC LIMIT 1)");
    ASSERT_EQ(count("months.outbox_events_202312"), "1");
    auto const said = detach();
    EXPECT_NE(
        said.find("of its payment " + to_string(payment.id.uuid) + " is still to be delivered"),
        std::string::npos)
        << said;
    deliver_all();
    EXPECT_EQ(detach(), "");
}

TEST_F(MonthsInPostgres, are_not_detached_while_a_delivery_waits) {
    finish_november();
    query("DELETE FROM webhook_deliveries; UPDATE outbox_events SET next_attempt_at = created_at");
    PgOutbox outbox(*database);
    EXPECT_EQ(std::to_string(run(outbox.fan_out(kLater, 10))), count("outbox_events"));
    auto const said = detach();
    EXPECT_NE(said.find("is still to be delivered"), std::string::npos) << said;
    query("UPDATE webhook_deliveries SET next_attempt_at = NULL");
    EXPECT_EQ(detach(), "");
    EXPECT_EQ(count("webhook_deliveries"), "0");
    EXPECT_EQ(count("all_webhook_deliveries"), count("all_outbox_events"));
}

// They stand in the file as they were before there were endpoints.
TEST_F(MonthsInPostgres, come_back_from_a_file_that_is_older_than_endpoints) {
    finish_november();
    std::string const merchant = to_string(merchant_id.uuid);
    query(
        "INSERT INTO webhook_deliveries SELECT merchant_id, merchant_id, event_id, type,"
        " created_at FROM outbox_events");
    query(
        "INSERT INTO webhook_attempts (merchant_id, endpoint_id, event_id, attempt, attempted_at,"
        " status) SELECT merchant_id, merchant_id, event_id, 1, created_at, 200"
        " FROM outbox_events");
    detach_and_take_out();
    query("DROP TABLE elsewhere.webhook_deliveries_202311");
    query(
        "ALTER TABLE elsewhere.outbox_events_202311 ADD COLUMN attempts smallint NOT NULL"
        " DEFAULT 1, ADD COLUMN delivered_at timestamptz DEFAULT now()");
    query(
        "ALTER TABLE elsewhere.webhook_attempts_202311 DROP COLUMN endpoint_id,"
        " DROP COLUMN duration_ms, DROP COLUMN answer,"
        " ADD PRIMARY KEY (event_id, merchant_id, attempt)");
    // The migration has made this one.
    query(
        "CREATE TABLE archive.webhook_deliveries_202311 (LIKE webhook_deliveries"
        " INCLUDING DEFAULTS, PRIMARY KEY (event_id, merchant_id, endpoint_id))");
    query(
        "DO $$ DECLARE b record; BEGIN FOR b IN SELECT book FROM months.books()"
        " WHERE book <> 'webhook_deliveries' LOOP"
        " EXECUTE format('ALTER TABLE elsewhere.%I SET SCHEMA archive', b.book || '_202311');"
        " END LOOP; END $$");
    ASSERT_TRUE(run(months_.attach(kMonth)));
    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries d JOIN webhook_attempts a USING"
                    " (merchant_id, endpoint_id, event_id) WHERE d.endpoint_id = '" +
                    merchant + "' AND d.delivered_at IS NOT NULL"),
              count("outbox_events"));
}

TEST_F(MonthsInPostgres, hold_back_their_own_events_alone_where_they_were_taken_out) {
    run(months_.make(kDecember));
    finish_november();
    std::string const late = to_string(new_id<EventTag>(kDecember).uuid);
    query("UPDATE outbox_events SET event_id = '" + late +
          "' WHERE event_id = (SELECT event_id FROM outbox_events ORDER BY 1 DESC LIMIT 1)");
    detach_and_take_out();
    auto const other = create_payment_at(kDecember);
    commit(plan({.added = {block(103)},
                 .arrivals = {{other, transfer(other, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    query("UPDATE outbox_events SET next_attempt_at = to_timestamp(1700000000)");
    std::string const is_late = " FROM webhook_deliveries WHERE event_id = '" + late + "'";
    PgOutbox outbox(*database);
    run(outbox.fan_out(kLater, 10));
    auto const due = run(outbox.due({}, kLater, 10));
    EXPECT_EQ(std::to_string(due.size() + 1), count("outbox_events"));
    ASSERT_GE(due.size(), 1U);
    for (PendingDelivery const& one : due)
        EXPECT_EQ(one.told.event.payment_id, other.id);
    // It is asked for again, and no attempt was made.
    EXPECT_EQ(query("SELECT extract(epoch FROM next_attempt_at)::bigint" + is_late),
              std::to_string(kLater.time_since_epoch() / 1s + 3600));
    EXPECT_EQ(query("SELECT attempts" + is_late), "0");
}

TEST_F(MonthsInPostgres, are_named_by_the_feed_of_events_which_goes_on) {
    run(months_.make(kDecember));
    finish_november();
    EventId const early = id_of("SELECT event_id FROM outbox_events ORDER BY sequence LIMIT 1");
    // The last event of the payment came in December.
    EventId const late = new_id<EventTag>(kDecember);
    query("UPDATE outbox_events SET event_id = '" + to_string(late.uuid) +
          "' WHERE event_id = (SELECT event_id FROM outbox_events ORDER BY sequence DESC LIMIT 1)");
    PgEventFeed feed(*database);
    FeedQuery const all{.merchant_id = merchant_id, .after = 0, .limit = 100, .types = {}};
    auto const before = run(feed.read(all));
    ASSERT_EQ(detach(), "");
    // What is detached is still told.
    auto const detached = run(feed.read(all));
    ASSERT_EQ(detached.events.size(), before.events.size());
    EXPECT_TRUE(detached.missing.empty());
    for (FeedEvent const& event : detached.events)
        EXPECT_TRUE(event.told);

    take_out();
    auto const other = create_payment_at(kDecember);
    auto paid = plan({.added = {block(103)},
                      .arrivals = {{other, transfer(other, 7, 50'000'000, block(103))}},
                      .finalized = 102});
    for (OutboxEvent& event : paid.events)
        event.id = new_id<EventTag>(kDecember);
    commit(paid);
    auto const last = before.last_sequence;
    auto const page = run(feed.read(all));
    EXPECT_EQ(page.missing, (std::vector<FeedGap>{{1, last - 1, Untold::archived}}));
    ASSERT_EQ(page.events.size(), 3U);
    EXPECT_EQ(page.events[0].event.id, late);
    EXPECT_FALSE(page.events[0].told);
    EXPECT_EQ(page.events[0].untold, Untold::archived);
    EXPECT_TRUE(page.events[1].told);
    EXPECT_EQ(page.events[2].event.sequence, last + 2);
    EXPECT_TRUE(run(feed.find(merchant_id, early)).archived);
    EXPECT_FALSE(run(feed.find(merchant_id, new_id<EventTag>(kDecember))).archived);
    EXPECT_EQ(run(feed.of_payment({merchant_id, payment.id}, 0, 10)).missing_months,
              std::vector<std::uint32_t>{kMonth});
    EXPECT_TRUE(run(feed.of_payment({merchant_id, other.id}, 0, 10)).missing_months.empty());
}

// Written to a file before events had numbers, and read back after.
TEST_F(MonthsInPostgres, come_back_without_numbers_where_they_had_none) {
    finish_november();
    detach_and_take_out();
    query("ALTER TABLE elsewhere.outbox_events_202311 DROP COLUMN sequence");
    put_back();
    ASSERT_TRUE(run(months_.attach(kMonth)));
    EXPECT_EQ(query("SELECT count(*) = count(*) FILTER (WHERE sequence IS NULL)"
                    " FROM outbox_events"),
              "t");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(MonthsInPostgres, are_left_out_of_reconciliation_where_they_were_taken_out) {
    run(months_.make(kStart));
    take_key();
    settle();
    write_off(2);
    mine(3, 50'000'000);
    mine();
    deliver_all();
    make_checkpoint();
    PgReconciliation books(*database);
    EXPECT_TRUE(run(books.claim(kChain, kStart, 1s)));
    auto const before = run(books.next(kChain, 100)).value();
    ASSERT_EQ(before.booked.balances.size(), 1U);
    EXPECT_EQ(before.booked.balances[0].amount, Amount(10'000'000));
    EXPECT_EQ(before.left_out, "");
    detach_and_take_out();
    auto const asked = run(books.next(kChain, 100)).value();
    EXPECT_TRUE(asked.booked.balances.empty());
    EXPECT_EQ(asked.left_out, "1 payment(s) of months that were taken out of the database: 202311");
    CheckedBalances checked{.head = asked.booked.head,
                            .compared = 0,
                            .moved_to = asked.moved_to,
                            .round_at = asked.round_at,
                            .differences = {},
                            .agreeing = {},
                            .fault = "",
                            .left_out = asked.left_out,
                            .at = kLater};
    EXPECT_EQ(run(books.record(kChain, checked)), 0U);
    EXPECT_EQ(query("SELECT fault FROM reconciliations"), "left out: " + asked.left_out);
    // The round does not stop at them.
    EXPECT_EQ(query("SELECT round_ended_at IS NOT NULL FROM reconciliations"), "t");
    OpenDifference difference{.chain_id = kChain};
    difference.difference.booked.payment = {merchant_id, payment.id};
    EXPECT_TRUE(is_named([&] { run(PgLosses(*database).booked_now(difference)); }));
}

TEST_F(MonthsInPostgres, with_a_paid_invoice_are_needed_only_to_verify_its_payment) {
    run(months_.make(kStart));
    take_key();
    EXPECT_TRUE(run(PgAccess(*database).set_fees(merchant_id, {.basis_points = 200}, kStart)));
    auto const invoice = create_payment(create_merchant("Operator", 2), {kChain});
    settle();
    write_off(2);
    commit(plan({.added = {block(103)},
                 .arrivals = {{invoice, transfer(invoice, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    commit(plan({.added = {block(104)}, .others = {invoice}, .finalized = 103}));
    make_invoice(invoice, merchant_id);
    auto const before = export_now();
    auto const head =
        run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
    JournalWriter journal(merchant_id, kChain, head, kStart);
    journal.append(FeePayment{.invoice_merchant_id = invoice.merchant_id,
                              .invoice_payment_id = invoice.id,
                              .token = kToken,
                              .amount = Amount(1'000'000),
                              .settlement_hash = state(invoice).credits.at(0).settlement_hash});
    run(PgFees(*database).commit({.head = {merchant_id, journal.first_head(), journal.head()},
                                  .chain_id = kChain,
                                  .entries = journal.entries()}));
    auto const after = export_now();
    deliver_all();
    EXPECT_EQ(first_wrong_from(before), "");
    detach_and_take_out();
    EXPECT_EQ(first_wrong_from(after), "");
    EXPECT_TRUE(is_named([&] { first_wrong_from(before); }));
}

TEST_F(MonthsInPostgres, are_not_detached_while_a_withdrawal_is_open) {
    finish_november();
    mine(3, 50'000'000);
    auto const said = detach();
    EXPECT_NE(said.find("withdrawal 6 of chain 31337 is not final"), std::string::npos) << said;
    mine(4, 20'000'000);  // ten more than there are
    mine();
    EXPECT_NE(detach().find("number 7 of chain 31337 is open on the exceptions desk"),
              std::string::npos);
    write_off(7);
    deliver_all();
    make_checkpoint();
    EXPECT_EQ(detach(), "");
}

TEST_F(MonthsInPostgres, are_not_detached_while_a_paid_invoice_is_not_booked) {
    auto const expired = create_payment(merchant_id, {kChain});
    auto const who_owes = create_merchant("Owing", 2);
    finish_november();
    make_invoice(payment, who_owes);
    make_invoice(expired, who_owes);
    auto const said = detach();
    EXPECT_NE(said.find("the invoice " + to_string(payment.id.uuid) +
                        " over fees was paid, and that is not booked yet"),
              std::string::npos)
        << said;
    replica(
        "INSERT INTO fee_payments SELECT merchant_id, chain_id, 1, sha256(''), sha256(''), now(),"
        " invoice_merchant_id, invoice_payment_id, token, amount, sha256('') FROM fee_invoices"
        " WHERE invoice_payment_id = '" +
        to_string(payment.id.uuid) + "'");
    EXPECT_EQ(detach(), "");
}

TEST_F(MonthsInPostgres, are_not_detached_where_there_is_no_checkpoint) {
    run(months_.make(kStart));
    EXPECT_NE(detach().find("there is no checkpoint yet"), std::string::npos);
}

// What comes between looking and taking the tables out is seen, whether it is a transfer or not.
TEST_F(MonthsInPostgres, are_looked_at_once_more_before_they_are_detached) {
    finish_november();
    pqxx::connection other(url());
    pqxx::work tx(other);
    tx.exec("SELECT pg_advisory_xact_lock(5910736)");
    tx.exec("UPDATE outbox_events SET next_attempt_at = now()");
    std::thread meanwhile([&] {
        auto const deadline = std::chrono::steady_clock::now() + 60s;
        while (std::chrono::steady_clock::now() < deadline &&
               query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                     " AND database = (SELECT oid FROM pg_database WHERE datname ="
                     " current_database())") == "0") {
        }
        tx.commit();
    });
    auto const said = detach();
    meanwhile.join();
    EXPECT_NE(said.find("is still to be delivered"), std::string::npos) << said;
    EXPECT_EQ(listed().at(0), (std::pair(kMonth, State::attached)));
}

// A decision of December about November's money needs November for its line.
TEST_F(MonthsInPostgres, are_missed_by_statements_of_what_was_booked_upon_them_later) {
    run(months_.make(kStart));
    take_key();
    settle();
    write_off(2, kDecember);
    deliver_all();
    make_checkpoint();
    PgStatements statements(*database);
    auto const in_month_of = [&](Timestamp moment) {
        return StatementQuery{
            .merchant_id = merchant_id, .period = month_of(moment), .chain_id = {}, .tokens = {}};
    };
    ASSERT_EQ(detach(), "");
    EXPECT_FALSE(is_named([&] { run(statements.statement(in_month_of(kDecember), kLater)); }));
    take_out();
    EXPECT_TRUE(is_named([&] { run(statements.statement(in_month_of(kDecember), kLater)); }));
    EXPECT_FALSE(is_named(
        [&] { run(statements.statement(in_month_of(kDecember + 31 * 24h), kNewYearsEve + 1h)); }));
}

TEST_F(MonthsInPostgres, are_missing_where_one_of_their_tables_is) {
    finish_november();
    ASSERT_EQ(detach(), "");
    take_out("(VALUES ('postings')) AS one (book)");
    EXPECT_TRUE(is_named([&] { first_wrong(); }));
    EXPECT_EQ(query("SELECT month FROM missing_months"), "202311");
    auto const attached = run(months_.attach(kMonth));
    ASSERT_FALSE(attached);
    EXPECT_NE(attached.error().message.find("read them back"), std::string::npos);
}

TEST_F(MonthsInPostgres, have_names) {
    EXPECT_EQ(parse_month("2023-11").value(), kMonth);
    EXPECT_EQ(month_name(kMonth), "2023-11");
    EXPECT_EQ(month_name(202401), "2024-01");
    for (std::string const text : {"", "2023", "2023-1", "2023-13", "2023-00", "202311", "2019-12",
                                   "2023-1x", "-023-11", "2023/11", "2023-011"})
        EXPECT_FALSE(parse_month(text)) << text;
}

}  // namespace
}  // namespace sycee
