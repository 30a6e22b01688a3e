#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/time.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// How a price in a currency becomes an amount of a token (docs/quotes.md). Exact whole numbers all
// the way, rounded in the merchant's favour: a rate down, an amount of tokens up.
namespace sycee {

// Digits after the point of a rate: fixed, so that what is stored and shown is what was computed
// with.
inline constexpr unsigned kRateDecimals = 12;

// How many units of a currency one US dollar is worth; of a token's peg, how many dollars one token
// is worth. From a millionth to 10^12 units.
struct Rate {
    Amount units;  // of 10^-12

    auto operator<=>(Rate const&) const = default;
};
// "0.92", without zeros that carry nothing.
std::string to_string(Rate rate);
// Reads a decimal of at most 12 digits after the point.
Result<Rate> parse_rate(std::string_view text);

// A pair as Chainlink writes it: "EUR / USD" says how many dollars one euro is worth.
struct CurrencyPair {
    std::string base;
    std::string counter;

    bool operator==(CurrencyPair const&) const = default;
};
std::string to_string(CurrencyPair const& pair);
Result<CurrencyPair> parse_pair(std::string_view text);

// A source's value, counter units for one base unit in 10^-decimals, as a rate: itself, or where
// `inverse` one by it. Rounded down. Refused: zero, and what is no rate. Decimals: at most 18.
Result<Rate> rate_of(Amount value, unsigned decimals, bool inverse);

// What one source said last.
struct SourceRate {
    std::string source;  // its name in the configuration
    Rate rate;
    Timestamp at{};  // by the source, or when it was read where the source tells no time

    bool operator==(SourceRate const&) const = default;
};

// The same, and how long it may be used; without a rate, the source has said nothing yet.
struct SourceReading {
    std::string source;
    std::optional<Rate> rate;
    Timestamp at{};
    Timestamp usable_until = Timestamp::max();
};

// The clocks of sources may be so much ahead of ours.
inline constexpr std::chrono::milliseconds kMostAhead{120'000};

// May be used at `now`: there, not too old, and not of the future.
bool is_fresh(SourceReading const& reading, Timestamp now);

// When sources are believed.
struct RateRule {
    std::size_t least_sources = 1;        // that must be fresh
    std::uint32_t most_deviation = 100;   // of the highest above the lowest, in basis points
    std::optional<Rate> lowest, highest;  // what is agreed must lie between them

    bool operator==(RateRule const&) const = default;
};

// The median, with what it was made of. Of an even number, the mean of the middle two.
struct AgreedRate {
    Rate rate;
    std::vector<SourceRate> sources;  // the fresh ones, in the order of the configuration
};

// Refused, saying why: too few fresh sources, sources that differ by too much, a rate outside the
// rule's bounds. Never a guess.
Result<AgreedRate> agree_on_rate(std::span<SourceReading const> readings, RateRule const& rule,
                                 Timestamp now);

// What was locked for a payment when it was created.
struct PriceQuote {
    Rate rate;                              // units of the currency for one token
    std::uint32_t spread_basis_points = 0;  // that the price was raised by
    std::vector<SourceRate> sources;

    bool operator==(PriceQuote const&) const = default;
};

// The fewest base units of a token that are worth `price`, in minor units of the currency, and the
// spread on it: the smallest n with n × rate ≥ price × (1 + spread). Refused: more than 10^13 whole
// tokens.
Result<Amount> quoted_amount(Amount price, unsigned currency_decimals, unsigned token_decimals,
                             PriceQuote const& quote);

}  // namespace sycee
