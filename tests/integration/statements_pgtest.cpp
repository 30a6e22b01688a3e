// Pins statements against the real PostgreSQL: what the lines say is what was posted, day after
// day, with the desk's decisions and the reversals of a repair; and pages that fit together.
#include <sycee/app/statement.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_statements.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

// 2023-11-14: 60 paid for 50. 2023-11-15: two payments of 50, of which one batch; of the 10 that
// were over, 5 are credited to a third, 2 written off and 1 promised back. 2023-11-17: the chain
// takes back the block of those two. All with a fee of 0.5 %.
class StatementsInPostgres : public BooksInPostgres {
  protected:
    StatementsInPostgres() : statements(*database) {
        replica("UPDATE fee_schedules SET basis_points = 50");
        settle();
    }

    void second_day() {
        booked_at = kStart + 24h;
        second = create_payment(merchant_id, {kChain});
        third = create_payment(merchant_id, {kChain});
        fourth = create_payment(merchant_id, {kChain});
        commit(plan({.added = {block(103)},
                     .arrivals = {{second, transfer(second, 2, 50'000'000, block(103))},
                                  {third, transfer(third, 3, 50'000'000, block(103))}},
                     .finalized = 102}));
        commit(plan({.added = {block(104)}, .others = {second, third}, .finalized = 103}));
        decide({resolution(ResolutionKind::credit, 5'000'000, 25'000),
                resolution(ResolutionKind::write_off, 2'000'000, 0),
                resolution(ResolutionKind::refund, 1'000'000, 0)});
    }

    void fourth_day() {
        booked_at = kStart + 72h;
        commit(plan({.added = {block(103, 1), block(104, 1), block(105, 1)},
                     .others = {second, third},
                     .finalized = 103,
                     .rolled_back_to = 102,
                     .repairs = true}));
    }

    Resolution resolution(ResolutionKind kind, std::uint64_t amount, std::uint64_t fee) {
        return {.payment_id = payment.id,
                .exception_sequence = 2,
                .exception_hash = state().credits[0].stage_hash,
                .token = kToken,
                .kind = kind,
                .target_payment_id = kind == ResolutionKind::credit ? fourth.id : payment.id,
                .fee_basis_points = fee == 0 ? 0U : 50U,
                .amount = Amount(amount),
                .fee = Amount(fee),
                .decided_by = "opr_01",
                .reason_hash = sha256(as_bytes(std::string_view("they wrote to us")))};
    }
    void decide(std::vector<Resolution> const& resolutions) {
        PgLedger ledger(*database);
        auto const head =
            run(ledger.load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, booked_at);
        for (Resolution const& one : resolutions)
            journal.append(one);
        run(PgDesk(*database).commit({.head = {merchant_id, journal.first_head(), journal.head()},
                                      .chain_id = kChain,
                                      .entries = journal.entries(),
                                      .reason = "they wrote to us",
                                      .now = booked_at}));
    }

    StatementQuery query_of(std::string const& period) const {
        return {.merchant_id = merchant_id,
                .period = parse_statement_period(period, kStart + 1000h).value(),
                .chain_id = {},
                .tokens = {}};
    }
    // Of the one account that there is.
    StatementAccount account(std::string const& period) {
        auto const statement = run(statements.statement(query_of(period), kStart));
        EXPECT_EQ(statement.accounts.size(), 1U) << period;
        return statement.accounts.at(0);
    }
    std::vector<StatementLine> lines(std::string const& period, std::size_t page_size) {
        std::vector<StatementLine> lines;
        std::optional<StatementCursor> after;
        for (;;) {
            auto const page = run(statements.lines(query_of(period), after, page_size));
            EXPECT_LE(page.lines.size(), page_size);
            lines.insert(lines.end(), page.lines.begin(), page.lines.end());
            if (!page.has_more) return lines;
            after = {lines.back().chain_id, lines.back().sequence};
        }
    }
    std::vector<std::string> texts(std::vector<StatementLine> const& lines) {
        std::vector<std::string> texts;
        for (StatementLine const& line : lines) {
            texts.push_back(std::to_string(line.sequence) + " " +
                            std::string(to_string(line.kind)) + " " + to_string(line.gross) + " " +
                            to_string(line.fee) + " " + to_string(line.net));
        }
        return texts;
    }

    static bool is_less(StatementLineKind kind) {
        return kind == StatementLineKind::reversal || kind == StatementLineKind::refund;
    }

    // 7 and 8 of the first payment are refunded; the second of them, and the 1 of the desk, are
    // taken back.
    void refund() {
        auto commit = plan({.added = {block(105)}, .finalized = 103});
        auto const head =
            run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, booked_at);
        Refund promised{.payment_id = payment.id,
                        .token = kToken,
                        .recipient = Address{Bytes20{8}},
                        .amount = Amount(7'000'000),
                        .decided_by = "opr_01",
                        .approved_by = "",
                        .reason_hash = {}};
        journal.append(promised);
        promised.amount = Amount(8'000'000);
        auto const second_one = journal.append(promised);
        RefundCancellation canceled{.payment_id = payment.id,
                                    .promise_sequence = second_one.sequence,
                                    .promise_hash = second_one.hash,
                                    .token = kToken,
                                    .amount = promised.amount,
                                    .decided_by = "opr_01",
                                    .approved_by = "",
                                    .reason_hash = {}};
        journal.append(canceled);
        auto const of = state();
        auto const desk = std::ranges::find(of.promises, RecordKind::resolution, &Promise::kind);
        canceled.promise_kind = RecordKind::resolution;
        canceled.promise_sequence = desk->sequence;
        canceled.promise_hash = desk->hash;
        canceled.amount = desk->amount;
        journal.append(canceled);
        commit.heads = {{merchant_id, journal.first_head(), journal.head()}};
        commit.entries = journal.entries();
        BooksInPostgres::commit(commit);
    }

    // As the postings alone have it.
    Amount posted(Account account, Timestamp moment) {
        for (BalanceRow const& row : run(PgReports(*database).balances_at(moment))) {
            if (row.account == account) return row.balance.magnitude;
        }
        return {};
    }
    void expect_posted(std::string const& period) {
        auto const query = query_of(period);
        auto const shown = account(period);
        EXPECT_EQ(shown.opening, posted(Account::merchant_settled, query.period.begin - 1ms));
        EXPECT_EQ(shown.closing, posted(Account::merchant_settled, query.period.end - 1ms));
        EXPECT_EQ(shown.unapplied_opening,
                  posted(Account::payer_unapplied, query.period.begin - 1ms));
        EXPECT_EQ(shown.unapplied_closing,
                  posted(Account::payer_unapplied, query.period.end - 1ms));
        Amount came;
        Amount went;
        for (StatementLine const& line : lines(period, 100))
            (is_less(line.kind) ? went : came) += line.net;
        EXPECT_EQ(shown.opening + came, shown.closing + went) << period;
    }

    PgStatements statements;
    Payment second;
    Payment third;
    Payment fourth;
};

TEST_F(StatementsInPostgres, a_refund_is_less_and_one_that_is_taken_back_is_not) {
    second_day();
    refund();
    auto const shown = account("2023-11-15");
    EXPECT_EQ(shown.refunded.count, 2U);
    EXPECT_EQ(shown.refunded.net, Amount(15'000'000));
    EXPECT_EQ(shown.refunds_canceled.count, 1U);
    EXPECT_EQ(shown.refunds_canceled.net, Amount(8'000'000));
    EXPECT_EQ(shown.closing, Amount(149'225'000));  // 156.225 less 7
    EXPECT_EQ(shown.refunds_promised, Amount(1'000'000));
    EXPECT_EQ(shown.promises_canceled, Amount(1'000'000));
    EXPECT_EQ(shown.unapplied_closing, Amount(3'000'000));
    expect_posted("2023-11-15");
    expect_posted("2023-11");
    auto const all = texts(lines("2023-11-15", 2));
    for (std::string const line : {"15 refund 7000000 0 7000000", "16 refund 8000000 0 8000000",
                                   "17 refund_canceled 8000000 0 8000000"}) {
        EXPECT_NE(std::ranges::find(all, line), all.end()) << line;
    }
    auto const days = run(statements.days(query_of("2023-11")));
    EXPECT_EQ(days.at(0).refunded, Amount(15'000'000));
    EXPECT_EQ(days.at(0).canceled, Amount(8'000'000));
    EXPECT_EQ(days.at(0).closing, shown.closing);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(StatementsInPostgres, a_day_has_its_settlements_with_gross_fees_and_net) {
    auto const shown = account("2023-11-14");
    EXPECT_EQ(shown.chain_id, kChain);
    EXPECT_EQ(shown.token, kToken);
    EXPECT_EQ(shown.opening, Amount());
    StatementSum const expected{1, Amount(50'000'000), Amount(250'000), Amount(49'750'000)};
    EXPECT_EQ(shown.settlements, expected);
    EXPECT_EQ(shown.closing, Amount(49'750'000));
    EXPECT_EQ(shown.unapplied_received, Amount(10'000'000));
    EXPECT_EQ(shown.unapplied_closing, Amount(10'000'000));
    EXPECT_EQ(shown.batch_count, 1U);
    expect_posted("2023-11-14");

    auto const all = lines("2023-11-14", 10);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].sequence, 3U);
    EXPECT_EQ(all[0].batch_number, 1U);
    EXPECT_EQ(all[0].payment_id, payment.id);
    EXPECT_EQ(all[0].reference, payment.reference);
    EXPECT_EQ(all[0].transaction_hash, state().credits[0].transfer.key.transaction_hash);
    EXPECT_EQ(all[0].block_number, 101U);
    EXPECT_EQ(all[0].block_time, block(101).time);
    EXPECT_EQ(all[0].booked_at, kStart);
    EXPECT_EQ(all[0].value, (LockedValue{"USD", Amount(5'000)}));
}

TEST_F(StatementsInPostgres, opening_and_movements_are_closing_from_day_to_day) {
    second_day();
    fourth_day();
    ASSERT_EQ(first_wrong(), "");
    for (char const* period :
         {"2023-11-14", "2023-11-15", "2023-11-16", "2023-11-17", "2023-11", "2023-12"}) {
        expect_posted(period);
    }
    auto const day = account("2023-11-15");
    EXPECT_EQ(day.opening, account("2023-11-14").closing);
    StatementSum const settled{2, Amount(100'000'000), Amount(500'000), Amount(99'500'000)};
    EXPECT_EQ(day.settlements, settled);
    StatementSum const credited{1, Amount(5'000'000), Amount(25'000), Amount(4'975'000)};
    EXPECT_EQ(day.credited, credited);
    StatementSum const kept{1, Amount(2'000'000), Amount(), Amount(2'000'000)};
    EXPECT_EQ(day.written_off, kept);
    EXPECT_EQ(day.accepted, StatementSum{});
    EXPECT_EQ(day.closing, Amount(49'750'000 + 99'500'000 + 4'975'000 + 2'000'000));
    EXPECT_EQ(day.unapplied_applied, Amount(7'000'000));
    EXPECT_EQ(day.refunds_promised, Amount(1'000'000));
    EXPECT_EQ(day.unapplied_closing, Amount(2'000'000));

    EXPECT_EQ(account("2023-11-16").opening, day.closing);
    auto const repaired = account("2023-11-17");
    EXPECT_EQ(repaired.reversed, settled);
    EXPECT_EQ(repaired.closing, Amount(49'750'000 + 4'975'000 + 2'000'000));
    EXPECT_EQ(account("2023-12").opening, repaired.closing);
    auto const month = account("2023-11");
    EXPECT_EQ(month.settlements.count, 3U);
    EXPECT_EQ(month.closing, repaired.closing);
}

TEST_F(StatementsInPostgres, pages_of_any_size_have_every_line_once) {
    second_day();
    fourth_day();
    std::vector<std::string> const expected{
        "3 settlement 50000000 250000 49750000",  "9 settlement 50000000 250000 49750000",
        "10 settlement 50000000 250000 49750000", "12 credited 5000000 25000 4975000",
        "13 written_off 2000000 0 2000000",       "15 reversal 50000000 250000 49750000",
        "18 reversal 50000000 250000 49750000"};
    for (std::size_t const size : {1U, 2U, 3U, 100U})
        EXPECT_EQ(texts(lines("2023-11", size)), expected) << size;
    auto const all = lines("2023-11", 100);
    EXPECT_EQ(all[3].payment_id, fourth.id);
    EXPECT_EQ(all[3].transaction_hash, all[0].transaction_hash);
    EXPECT_EQ(all[3].value, (LockedValue{"USD", Amount(500)}));
    EXPECT_FALSE(all[4].value);
    EXPECT_FALSE(all[4].batch_number);
    EXPECT_EQ(all[5].batch_number, 2U);
}

TEST_F(StatementsInPostgres, batches_sum_up_their_settlements) {
    second_day();
    auto const first = run(statements.batches(query_of("2023-11"), {}, 1));
    ASSERT_EQ(first.batches.size(), 1U);
    EXPECT_TRUE(first.has_more);
    EXPECT_EQ(first.batches[0].batch.batch_number, 1U);
    auto const rest = run(statements.batches(query_of("2023-11"), StatementCursor{kChain, 1}, 10));
    ASSERT_EQ(rest.batches.size(), 1U);
    EXPECT_FALSE(rest.has_more);
    StatementBatch const& batch = rest.batches[0];
    EXPECT_EQ(batch.batch.batch_number, 2U);
    EXPECT_EQ(batch.batch.settlement_count, 2U);
    EXPECT_EQ(batch.sequence, 11U);
    EXPECT_EQ(batch.gross, Amount(100'000'000));
    EXPECT_EQ(batch.fees, Amount(500'000));
    EXPECT_EQ(batch.batch.net, Amount(99'500'000));
    EXPECT_EQ(batch.first_block, 103U);
    EXPECT_EQ(batch.last_block, 103U);
    EXPECT_EQ(batch.batch.finalized_block, 103U);
    EXPECT_TRUE(run(statements.batches(query_of("2023-11-16"), {}, 10)).batches.empty());

    auto const days = run(statements.days(query_of("2023-11")));
    ASSERT_EQ(days.size(), 2U);
    EXPECT_EQ(days[0].decided, Amount(4'975'000 + 2'000'000));
    EXPECT_EQ(days[0].closing, account("2023-11-15").closing);
    EXPECT_EQ(days[1].closing, account("2023-11-14").closing);
    EXPECT_EQ(days[0].day.name, "2023-11-15");
    EXPECT_EQ(days[0].settlement_count, 2U);
    EXPECT_EQ(days[0].net, Amount(99'500'000));
    EXPECT_EQ(days[1].day.name, "2023-11-14");
}

TEST_F(StatementsInPostgres, a_balance_has_a_history_by_day) {
    second_day();
    fourth_day();
    auto const days = run(statements.days(query_of("2023-11")));
    ASSERT_EQ(days.size(), 3U);
    EXPECT_EQ(days[0].day.name, "2023-11-17");
    EXPECT_EQ(days[0].batch_count, 0U);
    EXPECT_EQ(days[0].reversed, Amount(99'500'000));
    for (StatementDay const& day : days)
        EXPECT_EQ(day.closing, posted(Account::merchant_settled, day.day.end - 1ms))
            << day.day.name;
    EXPECT_EQ(run(statements.days(query_of("2023-11-17"))).at(0).closing, days[0].closing);
}

TEST_F(StatementsInPostgres, only_what_is_asked_for_is_shown) {
    auto query = query_of("2023-11");
    query.tokens = {kUnknownToken};
    EXPECT_TRUE(run(statements.statement(query, kStart)).accounts.empty());
    EXPECT_TRUE(run(statements.lines(query, {}, 10)).lines.empty());
    query.tokens = {kUnknownToken, kToken};
    EXPECT_EQ(run(statements.statement(query, kStart)).accounts.size(), 1U);
    EXPECT_EQ(run(statements.lines(query, {}, 10)).lines.size(), 1U);
    query.chain_id = kOtherChain;
    EXPECT_TRUE(run(statements.statement(query, kStart)).accounts.empty());
    EXPECT_TRUE(run(statements.batches(query, {}, 10)).batches.empty());
    query = query_of("2023-11");
    query.merchant_id = create_merchant("Mugs", 5);
    EXPECT_TRUE(run(statements.statement(query, kStart)).accounts.empty());
    EXPECT_TRUE(run(statements.lines(query, {}, 10)).lines.empty());
    EXPECT_TRUE(run(statements.statement(query_of("2023-10"), kStart)).accounts.empty());
}

TEST_F(StatementsInPostgres, two_chains_are_read_one_after_the_other) {
    begin(kOtherChain);
    auto const other = create_payment(merchant_id, {kOtherChain});
    commit(plan({.chain_id = kOtherChain,
                 .added = {block(101)},
                 .arrivals = {{other, transfer(other, 5, 50'000'000, block(101), kOtherChain)}},
                 .finalized = 100}));
    commit(plan(
        {.chain_id = kOtherChain, .added = {block(102)}, .others = {other}, .finalized = 101}));
    auto const all = lines("2023-11", 1);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].chain_id, kOtherChain);
    EXPECT_EQ(all[1].chain_id, kChain);
    EXPECT_EQ(run(statements.statement(query_of("2023-11"), kStart)).accounts.size(), 2U);
    EXPECT_EQ(run(statements.batches(query_of("2023-11"), {}, 10)).batches.size(), 2U);
}

// Each reading checks itself: one that saw half of a commit would not add up.
TEST_F(StatementsInPostgres, a_reader_beside_a_writer_sees_one_moment) {
    auto const read = [this](Amount& closing) -> Task<void> {
        auto const statement = co_await statements.statement(query_of("2023-11"), kStart);
        closing = statement.accounts.at(0).closing;
    };
    auto const write = [this](ChainCommit planned) -> Task<void> {
        co_await PgLedger(*database).commit(std::move(planned));
    };
    Amount before = account("2023-11").closing;
    for (std::uint8_t i = 0; i < 8; ++i) {
        BlockNumber const number = 103 + 2 * static_cast<BlockNumber>(i);
        auto const paid = create_payment(merchant_id, {kChain});
        commit(plan({.added = {block(number)},
                     .arrivals = {{paid, transfer(paid, 50 + i, 50'000'000, block(number))}},
                     .finalized = number - 1}));
        auto const planned =
            plan({.added = {block(number + 1)}, .others = {paid}, .finalized = number});
        std::vector<Amount> seen(3);
        std::vector<Task<void>> tasks;
        tasks.push_back(write(planned));
        for (Amount& closing : seen)
            tasks.push_back(read(closing));
        for (auto const& thrown : run_at_once(std::move(tasks)))
            EXPECT_EQ(thrown, nullptr);
        heads[kChain] = planned.added.back().header;
        Amount const after = account("2023-11").closing;
        EXPECT_EQ(after, before + Amount(49'750'000));
        for (Amount const closing : seen)
            EXPECT_TRUE(closing == before || closing == after) << to_string(closing);
        before = after;
    }
}

TEST_F(StatementsInPostgres, books_that_do_not_add_up_are_not_shown) {
    replica("UPDATE clearings SET gross = gross - 1, net = net - 1");
    EXPECT_THROW(run(statements.statement(query_of("2023-11"), kStart)), InvariantViolation);
    replica("UPDATE clearings SET gross = gross + 1, net = net + 1");
    replica("UPDATE postings SET amount = amount + 1 WHERE seq = 4");
    EXPECT_THROW(run(statements.statement(query_of("2023-11"), kStart)), InvariantViolation);
    replica("UPDATE postings SET amount = amount - 1 WHERE seq = 4");
    account("2023-11");
    replica("DELETE FROM settlements");
    EXPECT_THROW(run(statements.lines(query_of("2023-11"), {}, 10)), InvariantViolation);
    EXPECT_THROW(run(statements.batches(query_of("2023-11"), {}, 10)), InvariantViolation);
}

// Whatever happens to a transfer counts on the day that it was booked.
class TotalsInPostgres : public BooksInPostgres {
  protected:
    std::string totals(std::string const& from, std::string const& to,
                       std::optional<MerchantId> of = {}) {
        auto query = parse_totals_days(from, to, kStart + 24h * 365).value();
        query.merchant_id = of;
        std::string text;
        for (DayTotal const& row : run(PgStatements(*database).totals(query, kStart)).rows) {
            EXPECT_EQ(row.chain_id, kChain);
            EXPECT_EQ(row.token, kToken);
            text += row.day.name.substr(5) + " " + std::string(to_string(row.stage)) + " " +
                    std::to_string(row.count) + " " + to_string(row.amount) +
                    (row.fees.is_zero() ? "" : " " + to_string(row.fees)) + "\n";
        }
        return text;
    }
};

TEST_F(TotalsInPostgres, count_each_stage_on_the_day_of_its_booking) {
    booked_at = kStart;  // 2023-11-14
    commit(plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100));
    booked_at = kStart + 24h;
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    Transfer out = transfer(payment, 3, 4'000'000, block(102));
    std::swap(out.sender, out.recipient);
    commit(plan(
        {.added = {block(102)},
         .arrivals = {{other, transfer(other, 2, 50'000'000, block(102))}, {payment, out, false}},
         .others = {payment},
         .finalized = 101}));
    booked_at = kStart + 48h;
    commit(plan({.added = {block(102, 1), block(103, 1)},
                 .others = {payment, other},
                 .finalized = 101,
                 .rolled_back_to = 101}));
    std::string const first =
        "11-14 authorized 1 60000000\n11-14 cleared 1 50000000\n"
        "11-14 unapplied 1 10000000\n";
    std::string const second =
        "11-15 authorized 1 50000000\n11-15 cleared 1 50000000\n"
        "11-15 settled 1 50000000\n11-15 withdrawn 1 4000000\n";
    std::string const third = "11-16 reversed 1 50000000\n11-16 withdrawal_reversed 1 4000000\n";
    EXPECT_EQ(totals("2023-11-14", "2023-11-16"), first + second + third);
    EXPECT_EQ(totals("2023-11-14", "2023-11-14"), first);
    EXPECT_EQ(totals("2023-11-16", "2023-11-30"), third);
    EXPECT_EQ(totals("2023-11-17", "2023-11-30"), "");
    EXPECT_EQ(totals("2023-11-14", "2023-11-16", other.merchant_id),
              "11-15 authorized 1 50000000\n11-15 cleared 1 50000000\n11-16 reversed 1 50000000\n");
}

}  // namespace
}  // namespace sycee
