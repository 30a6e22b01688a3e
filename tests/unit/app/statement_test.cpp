// Pins the pure part of statements: which days and months there are, that an account adds up, and
// how lines are written as JSON and CSV.
#include <sycee/app/csv.hpp>
#include <sycee/app/statement_text.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>

#include "run_task.hpp"
#include "statement_fakes.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kNow = timestamp_from_seconds(1'800'000'000);  // 2027-01-15T08:00:00Z
Address const kToken{Bytes20{1}};

Network network() {
    ChainSettings chain;
    chain.id = 1;
    chain.name = "Ethereum";
    chain.tokens = {{"USDT", kToken, 6, {}}};
    ChainSettings other = chain;
    other.id = 2;
    other.name = "Other, Inc.";
    other.tokens = {{"USDT", Address{Bytes20{2}}, 18, {}}};
    return {{chain, other}, "https://pay.example"};
}

std::string span(std::string_view text) {
    auto const period = parse_statement_period(text, kNow);
    if (!period) return to_string(period.error());
    return to_rfc3339(period->begin) + " " + to_rfc3339(period->end);
}

TEST(StatementPeriod, is_a_day_or_a_month_of_utc) {
    EXPECT_EQ(span("2026-11-25"), "2026-11-25T00:00:00Z 2026-11-26T00:00:00Z");
    EXPECT_EQ(span("2026-11"), "2026-11-01T00:00:00Z 2026-12-01T00:00:00Z");
    EXPECT_EQ(span("2026-12"), "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
    EXPECT_EQ(span("2026-12-31"), "2026-12-31T00:00:00Z 2027-01-01T00:00:00Z");
    EXPECT_EQ(span("2024-02"), "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z");
    EXPECT_EQ(span("2024-02-29"), "2024-02-29T00:00:00Z 2024-03-01T00:00:00Z");
    EXPECT_EQ(span("2000-02-29"), "2000-02-29T00:00:00Z 2000-03-01T00:00:00Z");
    EXPECT_EQ(span("2026-02-28"), "2026-02-28T00:00:00Z 2026-03-01T00:00:00Z");
    EXPECT_EQ(span("1970-01-01"), "1970-01-01T00:00:00Z 1970-01-02T00:00:00Z");
    // The one that we are in.
    EXPECT_EQ(span("2027-01-15"), "2027-01-15T00:00:00Z 2027-01-16T00:00:00Z");
    EXPECT_EQ(span("2027-01"), "2027-01-01T00:00:00Z 2027-02-01T00:00:00Z");
}

TEST(StatementPeriod, anything_else_is_refused_and_named) {
    for (char const* text :
         {"",           "2026",       "2026-1",     "2026-13",    "2026-00",    "2026-00-01",
          "2026-11-31", "2026-02-29", "2100-02-29", "2026-11-00", "2026/11/25", "2026-11-25T00",
          "26-11-2025", "2026-11-5",  "2026-1 ",    " 026-11",    "-026-11",    "+026-11",
          "2026-1a",    "20261125",   "1969-12-31", "2026-11-2 ", "0000-01"}) {
        auto const period = parse_statement_period(text, timestamp_from_seconds(5'000'000'000));
        ASSERT_FALSE(period) << text;
        EXPECT_EQ(period.error().field, "period");
        EXPECT_NE(period.error().message.find("\"" + std::string(text) + "\""), std::string::npos);
    }
    EXPECT_EQ(span("2027-01-16"), "period: 2027-01-16 has not begun: it is 2027-01-15T08:00:00Z");
    EXPECT_EQ(span("2027-02"), "period: 2027-02 has not begun: it is 2027-01-15T08:00:00Z");
    auto const day = day_of(kNow);
    EXPECT_TRUE(parse_statement_period(day.name, day.begin));
    EXPECT_FALSE(parse_statement_period(day.name, day.begin - 1ms));
}

TEST(StatementPeriod, has_neighbours_of_its_kind) {
    EXPECT_EQ(day_of(kNow).name, "2027-01-15");
    EXPECT_EQ(month_of(kNow).name, "2027-01");
    EXPECT_EQ(period_before(month_of(kNow)).name, "2026-12");
    EXPECT_EQ(period_after(parse_statement_period("2026-12", kNow).value()).name, "2027-01");
    EXPECT_EQ(period_before(parse_statement_period("2024-03-01", kNow).value()).name, "2024-02-29");
    EXPECT_EQ(period_after(parse_statement_period("2026-12-31", kNow).value()).name, "2027-01-01");
}

StatementSum sum(std::uint64_t gross, std::uint64_t fees) {
    return {1, Amount(gross), Amount(fees), Amount(gross - fees)};
}

StatementAccount account() {
    return {.chain_id = 1,
            .token = kToken,
            .opening = Amount(100),
            .settlements = sum(50, 2),
            .accepted = sum(20, 1),
            .credited = sum(7, 0),
            .written_off = sum(3, 0),
            .reversed = sum(10, 1),
            .refunded = sum(5, 0),
            .refunds_canceled = sum(2, 0),
            .closing = Amount(100 + 48 + 19 + 7 + 3 - 9 - 5 + 2),
            .unapplied_opening = Amount(30),
            .unapplied_received = Amount(40),
            .unapplied_applied = Amount(30),
            .refunds_promised = Amount(4),
            .unapplied_reversed = Amount(1),
            .promises_canceled = Amount(3),
            .unapplied_closing = Amount(38)};
}

TEST(StatementAccount, must_add_up) {
    EXPECT_TRUE(check_account(account()));
    auto const field = [](auto const& change) {
        auto wrong = account();
        change(wrong);
        auto const checked = check_account(wrong);
        return checked ? "" : checked.error().field;
    };
    EXPECT_EQ(field([](auto& one) { one.opening += Amount(1); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.closing += Amount(1); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.settlements = sum(51, 2); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.reversed = sum(11, 1); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.refunded = sum(6, 0); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.refunds_canceled = sum(3, 0); }), "merchant_settled");
    EXPECT_EQ(field([](auto& one) { one.promises_canceled += Amount(1); }), "payer_unapplied");
    EXPECT_EQ(field([](auto& one) { one.settlements.fees += Amount(1); }), "settlements");
    EXPECT_EQ(field([](auto& one) { one.written_off.net += Amount(1); }), "written_off");
    EXPECT_EQ(field([](auto& one) { one.unapplied_opening += Amount(1); }), "payer_unapplied");
    EXPECT_EQ(field([](auto& one) { one.refunds_promised += Amount(1); }), "payer_unapplied");
}

TEST(StatementDays, have_what_stood_at_their_end) {
    auto const day = [](ChainId chain, std::uint64_t net, std::uint64_t decided,
                        std::uint64_t reversed) {
        return StatementDay{.chain_id = chain,
                            .token = kToken,
                            .net = Amount(net),
                            .decided = Amount(decided),
                            .reversed = Amount(reversed)};
    };
    std::vector days{day(1, 10, 0, 0), day(2, 5, 0, 0), day(1, 3, 2, 0), day(1, 0, 0, 115)};
    add_closings(days, {{{1, kToken}, Amount(100)}});
    EXPECT_EQ(days[0].closing, Amount(110));
    EXPECT_EQ(days[1].closing, Amount(5));
    EXPECT_EQ(days[2].closing, Amount(115));
    EXPECT_EQ(days[3].closing, Amount(0));
    days[3].reversed = Amount(116);
    EXPECT_THROW(add_closings(days, {{{1, kToken}, Amount(100)}}), InvariantViolation);
}

TEST(Csv, quotes_what_needs_it_and_lets_no_text_be_a_formula) {
    EXPECT_EQ(csv_field("order-1"), "order-1");
    EXPECT_EQ(csv_field(""), "");
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
    EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
    for (char const first : std::string_view("=+-@\t"))
        EXPECT_EQ(csv_field(std::string(1, first) + "1+1"), "'" + std::string(1, first) + "1+1");
    EXPECT_EQ(csv_field("\r=1"), "\"'\r=1\"");
    EXPECT_EQ(csv_field("=cmd|'/c calc'!A0,"), "\"'=cmd|'/c calc'!A0,\"");
    EXPECT_EQ(csv_field("1-1=0"), "1-1=0");
    EXPECT_EQ(csv_line({"a", "", "-1"}), "a,,-1\r\n");
}

std::vector<std::string> cells(std::string const& row) {
    std::vector<std::string> cells{""};
    for (char const c : row.substr(0, row.size() - 2)) {
        if (c == ',') {
            cells.emplace_back();
        } else {
            cells.back() += c;
        }
    }
    return cells;
}

// The row's field under that name of the header; of rows without quotes.
std::string cell(std::string const& row, std::string_view name) {
    auto const names = cells(statement_csv_header());
    auto const values = cells(row);
    EXPECT_EQ(names.size(), values.size());
    auto const at = std::ranges::find(names, name) - names.begin();
    return values.at(static_cast<std::size_t>(at));
}

TEST(StatementCsv, has_both_dates_and_amounts_that_can_be_summed) {
    std::string const row = statement_csv_row(statement_line(1, kToken, 42), network());
    EXPECT_TRUE(row.ends_with("\r\n"));
    EXPECT_EQ(cell(row, "type"), "settlement");
    EXPECT_EQ(cell(row, "network"), "Ethereum");
    EXPECT_EQ(cell(row, "token"), "USDT");
    EXPECT_EQ(cell(row, "record"), "42");
    EXPECT_EQ(cell(row, "batch"), "7");
    EXPECT_EQ(cell(row, "reference"), "order-1001");
    EXPECT_EQ(cell(row, "log_index"), "3");
    EXPECT_EQ(cell(row, "value_date"), "2027-01-15T08:00:00Z");
    EXPECT_EQ(cell(row, "booked_at"), "2027-01-15T08:00:12Z");
    EXPECT_EQ(cell(row, "gross"), "50.000000");
    EXPECT_EQ(cell(row, "fee"), "0.250000");
    EXPECT_EQ(cell(row, "net"), "49.750000");
    EXPECT_EQ(cell(row, "net_base_units"), "49750000");
    EXPECT_EQ(cell(row, "value"), "50.00");
    EXPECT_EQ(cell(row, "value_currency"), "USD");
    EXPECT_EQ(cell(row, "value_source"), "locked_price");
}

TEST(StatementCsv, a_reversal_counts_below_zero_and_zero_has_no_sign) {
    auto line = statement_line(1, kToken, 42, StatementLineKind::reversal);
    line.fee = {};
    line.net = line.gross;
    std::string const row = statement_csv_row(line, network());
    EXPECT_EQ(cell(row, "gross"), "-50.000000");
    EXPECT_EQ(cell(row, "fee"), "0.000000");
    EXPECT_EQ(cell(row, "net_base_units"), "-50000000");
    EXPECT_EQ(cell(row, "value"), "-50.00");
    auto const json = statement_line_json(line, network());
    EXPECT_EQ(json.at("net"), "-50.000000");
    EXPECT_EQ(json.at("fee_base_units"), "0");
}

TEST(StatementCsv, a_refund_counts_below_zero_and_is_of_no_transfer) {
    auto line = statement_line(1, kToken, 42, StatementLineKind::refund);
    line.transaction_hash = {};
    std::string const row = statement_csv_row(line, network());
    EXPECT_EQ(cell(row, "type"), "refund");
    EXPECT_EQ(cell(row, "net"), "-49.750000");
    EXPECT_EQ(cell(row, "transaction_hash"), "");
    EXPECT_EQ(cell(row, "log_index"), "");
    EXPECT_TRUE(statement_line_json(line, network()).at("transaction_hash").is_null());
    line.kind = StatementLineKind::refund_canceled;
    EXPECT_EQ(cell(statement_csv_row(line, network()), "net"), "49.750000");
}

TEST(StatementCsv, what_a_shop_wrote_is_text_and_what_is_missing_is_empty) {
    auto line = statement_line(2, Address{Bytes20{2}}, 42, StatementLineKind::written_off);
    line.reference = "=HYPERLINK(\"x\")";
    line.batch_number.reset();
    line.value.reset();
    std::string const row = statement_csv_row(line, network());
    EXPECT_NE(row.find(",\"'=HYPERLINK(\"\"x\"\")\","), std::string::npos) << row;
    EXPECT_NE(row.find(",\"Other, Inc.\",USDT,"), std::string::npos) << row;
    EXPECT_TRUE(row.ends_with(",,,\r\n")) << row;
    auto const json = statement_line_json(line, network());
    EXPECT_TRUE(json.at("batch").is_null());
    EXPECT_TRUE(json.at("value").is_null());
    EXPECT_EQ(json.at("reference"), "=HYPERLINK(\"x\")");
}

StatementQuery query() {
    return {.merchant_id = {},
            .period = parse_statement_period("2026-11", kNow).value(),
            .chain_id = {},
            .tokens = {}};
}

TEST(StatementCsv, is_read_in_pages_and_sent_whole) {
    MemoryStatements statements;
    for (std::uint64_t i = 1; i <= 2'500; ++i)
        statements.line_rows.push_back(statement_line(1, kToken, i));
    std::vector<std::string> sent;
    auto const send = [&sent](std::string text) -> Task<void> {
        sent.push_back(std::move(text));
        co_return;
    };
    Network const chains = network();
    run_task(send_statement_csv(statements, query(), chains, send));
    EXPECT_EQ(sent.size(), 3U);
    std::string whole;
    for (auto const& part : sent)
        whole += part;
    EXPECT_TRUE(whole.starts_with(statement_csv_header()));
    EXPECT_EQ(std::ranges::count(whole, '\n'), 2'501);
}

TEST(StatementCsv, one_that_is_cut_off_says_so) {
    MemoryStatements statements;
    for (std::uint64_t i = 1; i <= 1'500; ++i)
        statements.line_rows.push_back(statement_line(1, kToken, i));
    Network const chains = network();
    auto const gone = [](std::string) -> Task<void> {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    };
    EXPECT_THROW(run_task(send_statement_csv(statements, query(), chains, gone)),
                 std::runtime_error);
    auto const take = [](std::string) -> Task<void> { co_return; };
    statements.fails_after = 1;
    EXPECT_THROW(run_task(send_statement_csv(statements, query(), chains, take)), Unavailable);
}

TEST(StatementCsv, an_empty_one_is_a_header) {
    MemoryStatements statements;
    std::string sent;
    Network const chains = network();
    run_task(
        send_statement_csv(statements, query(), chains, [&sent](std::string text) -> Task<void> {
            sent += text;
            co_return;
        }));
    EXPECT_EQ(sent, statement_csv_header());
    EXPECT_EQ(statement_file_name(query().period), "sycee-statement-2026-11.csv");
}

TEST(StatementJson, says_whether_the_period_is_over) {
    Statement statement{.query = query(), .read_at = kNow, .accounts = {account()}};
    auto const json = statement_json(statement, network());
    EXPECT_EQ(json.at("period"), "2026-11");
    EXPECT_EQ(json.at("begins_at"), "2026-11-01T00:00:00Z");
    EXPECT_EQ(json.at("ends_at"), "2026-12-01T00:00:00Z");
    EXPECT_EQ(json.at("complete"), true);
    auto const& shown = json.at("accounts").at(0);
    EXPECT_EQ(shown.at("opening"), "0.000100");
    EXPECT_EQ(shown.at("settlements").at("fees_base_units"), "2");
    EXPECT_FALSE(shown.at("settlements").contains("decimals"));
    EXPECT_EQ(shown.at("unapplied").at("refunds_promised_base_units"), "4");
    EXPECT_TRUE(shown.at("batches").at("first").is_null());
    statement.read_at = statement.query.period.end - 1ms;
    EXPECT_EQ(statement_json(statement, network()).at("complete"), false);
}

TEST(StatementCursor, is_read_as_it_is_written) {
    auto const line = statement_line(31'337, kToken, 42);
    EXPECT_EQ(line_cursor(line), "lin_31337_42");
    auto const read = parse_line_cursor("lin_31337_42");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->chain_id, 31'337U);
    EXPECT_EQ(read->number, 42U);
    for (char const* text : {"", "lin_", "lin_1", "lin_1_", "lin_0_1", "lin_1_0", "lin_1_1 ",
                             "bat_1_1", "lin_1_9223372036854775808", "lin_-1_1", "lin_1_1_1"}) {
        EXPECT_FALSE(parse_line_cursor(text)) << text;
    }
    EXPECT_TRUE(parse_batch_cursor("bat_1_1"));
}

TEST(StatementToken, is_a_symbol_on_every_chain_or_a_contract) {
    EXPECT_EQ(parse_statement_token("USDT", network()).value(),
              (std::vector{kToken, Address{Bytes20{2}}}));
    EXPECT_EQ(parse_statement_token(to_string(kToken), network()).value(), std::vector{kToken});
    for (char const* text : {"", "usdt", "USDC", "0x", "0x01"}) {
        auto const token = parse_statement_token(text, network());
        ASSERT_FALSE(token) << text;
        EXPECT_EQ(token.error().field, "token");
    }
}

}  // namespace
}  // namespace sycee
