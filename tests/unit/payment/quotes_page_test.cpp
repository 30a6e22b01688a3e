// Pins: the worked examples of docs/quotes.md, line by line.
#include <sycee/payment/payment.hpp>
#include <sycee/payment/quote.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace sycee {
namespace {

using Cells = std::vector<std::string>;

Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

std::string trimmed_cell(std::string const& text) {
    auto const first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> parts_of(std::string const& text, std::string const& between) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (auto at = text.find(between); at != std::string::npos; at = text.find(between, from)) {
        parts.push_back(text.substr(from, at - from));
        from = at + between.size();
    }
    parts.push_back(text.substr(from));
    return parts;
}

// The rows of the table with that head.
std::vector<Cells> rows_below(std::string const& head) {
    std::ifstream page(SYCEE_DOCS "/quotes.md");
    EXPECT_TRUE(page.is_open());
    std::vector<Cells> rows;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line == head) {
            inside = true;
        } else if (!line.starts_with("|")) {
            inside = false;
        } else if (inside && !line.starts_with("| ---")) {
            Cells cells;
            for (auto const& part : parts_of(line.substr(1, line.size() - 2), "|"))
                cells.push_back(trimmed_cell(part));
            rows.push_back(std::move(cells));
        }
    }
    return rows;
}

TEST(QuotesPage, amounts_are_what_it_says) {
    auto const rows = rows_below("| price | rate | spread | decimals of the token | amount |");
    ASSERT_EQ(rows.size(), 10U);
    for (Cells const& row : rows) {
        auto const price = parts_of(row.at(0), " ");
        unsigned const decimals = currency_decimals(price.at(1)).value();
        auto const token = static_cast<unsigned>(std::stoul(row.at(3)));
        PriceQuote const quote{
            .rate = parse_rate(row.at(1)).value(),
            .spread_basis_points = static_cast<std::uint32_t>(std::stoul(row.at(2))),
            .sources = {}};
        auto const amount =
            quoted_amount(parse_decimal(price.at(0), decimals).value(), decimals, token, quote);
        EXPECT_EQ(to_decimal(amount.value(), token), row.at(4)) << row.at(0);
    }
}

TEST(QuotesPage, rates_of_pairs_are_what_it_says) {
    auto const rows = rows_below("| pair | value | rate |");
    ASSERT_EQ(rows.size(), 5U);
    for (Cells const& row : rows) {
        bool const inverse = parse_pair(row.at(0)).value().counter == "USD";
        auto const rate = rate_of(parse_decimal(row.at(1), 8).value(), 8, inverse);
        EXPECT_EQ(to_string(rate.value()), row.at(2)) << row.at(0);
    }
}

TEST(QuotesPage, sources_agree_as_it_says) {
    auto const rows = rows_below("| sources | needed | deviation | between | rate |");
    ASSERT_EQ(rows.size(), 11U);
    for (Cells const& row : rows) {
        std::vector<SourceReading> readings;
        for (auto const& value : parts_of(row.at(0), ", ")) {
            std::string const name(1, static_cast<char>('a' + readings.size()));
            bool const old = value == "old";
            readings.push_back({.source = name,
                                .rate = parse_rate(old ? "0.92" : value).value(),
                                .at = kNow,
                                .usable_until = old ? kNow - std::chrono::seconds(1) : kNow});
        }
        RateRule rule{.least_sources = std::stoul(row.at(1)),
                      .most_deviation = static_cast<std::uint32_t>(std::stoul(row.at(2)))};
        if (!row.at(3).empty()) {
            auto const band = parts_of(row.at(3), " to ");
            rule.lowest = parse_rate(band.at(0)).value();
            rule.highest = parse_rate(band.at(1)).value();
        }
        auto const agreed = agree_on_rate(readings, rule, kNow);
        std::string const said =
            agreed ? to_string(agreed->rate) : "none: " + to_string(agreed.error());
        EXPECT_EQ(said, row.at(4)) << row.at(0);
    }
}

}  // namespace
}  // namespace sycee
