// Pins: which days totals are of, and how they are written as JSON, CSV and text.
#include <sycee/app/totals_text.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

Timestamp const kNow = timestamp_from_seconds(1'800'000'000);  // 2027-01-15T08:00:00Z
Address const kToken{Bytes20{1}};

Network network() {
    ChainSettings chain;
    chain.id = 1;
    chain.name = "=Ethereum";  // which a spreadsheet must not take for a formula
    chain.tokens = {{"USDT", kToken, 6, {}}};
    return {{chain}, "https://pay.example"};
}

std::string days(std::string_view from, std::string_view to) {
    auto const query = parse_totals_days(from, to, kNow);
    return query ? query->first.name + " " + query->last.name : to_string(query.error());
}

Totals totals() {
    Totals totals{.query = parse_totals_days("2027-01-14", "2027-01-15", kNow).value(),
                  .read_at = kNow,
                  .rows = {}};
    DayTotal row{.day = totals.query.first,
                 .chain_id = 1,
                 .token = kToken,
                 .stage = TotalStage::cleared,
                 .count = 2,
                 .amount = Amount(100'000'000),
                 .fees = Amount(500'000)};
    totals.rows.push_back(row);
    row.day = totals.query.last;
    row.token = Address{Bytes20{9}};  // not configured
    row.stage = TotalStage::withdrawal_reversed;
    row.fees = {};
    totals.rows.push_back(row);
    return totals;
}

TEST(TotalsDays, are_thirty_until_today_or_those_asked_for) {
    EXPECT_EQ(days("", ""), "2026-12-17 2027-01-15");
    EXPECT_EQ(days("", "2027-01-14"), "2026-12-16 2027-01-14");
    EXPECT_EQ(days("2027-01-02", ""), "2027-01-02 2027-01-15");
    EXPECT_EQ(days("2027-01-15", "2027-01-15"), "2027-01-15 2027-01-15");
    EXPECT_EQ(days("2026-01-15", "2027-01-15"), "2026-01-15 2027-01-15");
    EXPECT_EQ(days("", "1970-01-02"), "1970-01-01 1970-01-02");
}

TEST(TotalsDays, that_can_not_be_are_refused_by_name) {
    EXPECT_EQ(days("2026-01-14", "2027-01-15"),
              "from: must be at most 366 days before the end of 2027-01-15");
    EXPECT_EQ(days("2027-01-15", "2027-01-14"), "from: 2027-01-15 is after 2027-01-14");
    EXPECT_EQ(days("", "2027-01-16"), "to: 2027-01-16 has not begun: it is 2027-01-15T08:00:00Z");
    for (std::string const text : {"2027-01", "yesterday", "2027-02-30", "2027-01-1x"}) {
        EXPECT_EQ(days(text, ""),
                  "from: must be a day of UTC, such as 2026-11-25, not \"" + text + "\"");
    }
}

TEST(TotalsText, says_of_each_day_token_and_stage_how_many_and_how_much) {
    Json const json = totals_json(totals(), network());
    EXPECT_EQ(json["object"], "totals");
    EXPECT_EQ(json["from"], "2027-01-14");
    EXPECT_EQ(json["to"], "2027-01-15");
    EXPECT_EQ(json["complete"], false);
    EXPECT_TRUE(json["merchant"].is_null());
    ASSERT_EQ(json["data"].size(), 2U);
    Json const& cleared = json["data"][0];
    EXPECT_EQ(cleared["day"], "2027-01-14");
    EXPECT_EQ(cleared["stage"], "cleared");
    EXPECT_EQ(cleared["count"], 2);
    EXPECT_EQ(cleared["amount"], "100.000000");
    EXPECT_EQ(cleared["fees"], "0.500000");
    EXPECT_EQ(cleared["fees_base_units"], "500000");
    EXPECT_EQ(json["data"][1]["token"], "");
    std::string const text = totals_text(totals(), network());
    EXPECT_NE(text.find("2027-01-14  chain 1       cleared              2         100.000000 USDT,"
                        " fees 0.500000\n"),
              std::string::npos)
        << text;
}

TEST(TotalsText, is_a_file_whose_amounts_are_numbers_and_whose_text_is_no_formula) {
    std::string const csv = totals_csv(totals(), network());
    EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
    EXPECT_NE(csv.find("2027-01-14,1,'=Ethereum,USDT," + to_string(kToken) +
                       ",cleared,2,100.000000,0.500000,100000000,500000\r\n"),
              std::string::npos)
        << csv;
    EXPECT_EQ(totals_file_name(totals().query), "sycee-totals-2027-01-14-2027-01-15.csv");
}

}  // namespace
}  // namespace sycee
