#include <sycee/payment/quote.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {

constexpr std::uint32_t kBasisPoints = 10'000;
constexpr unsigned kMostSourceDecimals = 18;
constexpr unsigned kMostWholeTokens = 13;  // as a power of ten
constexpr unsigned kLowestRate = 6;        // a millionth: 10^6 of 10^-12
constexpr unsigned kHighestRate = 12;      // units, as a power of ten

Result<Rate> checked_rate(Amount units) {
    if (units < power_of_ten(kLowestRate) || units > power_of_ten(kRateDecimals + kHighestRate)) {
        return refuse(
            "", "must be a rate from 0.000001 to 1000000000000, not " + to_string(Rate{units}));
    }
    return Rate{units};
}

Rate median_of(std::vector<SourceRate> const& sources) {
    std::vector<Rate> rates;
    for (SourceRate const& source : sources)
        rates.push_back(source.rate);
    std::ranges::sort(rates);
    std::size_t const middle = rates.size() / 2;
    if (rates.size() % 2 != 0) return rates[middle];
    Amount const sum = rates[middle - 1].units + rates[middle].units;
    return {Amount(sum.base_units() / 2)};
}

// Products of rates, which are below 2^81, and basis points do not leave 128 bits.
bool differ_too_much(Rate lowest, Rate highest, std::uint32_t most_deviation) {
    Amount const difference = highest.units - lowest.units;
    return difference.base_units() * kBasisPoints > lowest.units.base_units() * most_deviation;
}

}  // namespace

std::string to_string(Rate rate) {
    return to_short_decimal(rate.units, kRateDecimals);
}

Result<Rate> parse_rate(std::string_view text) {
    auto const units = parse_decimal(text, kRateDecimals);
    if (!units) return std::unexpected(units.error());
    return checked_rate(*units);
}

std::string to_string(CurrencyPair const& pair) {
    return pair.base + " / " + pair.counter;
}

Result<CurrencyPair> parse_pair(std::string_view text) {
    constexpr std::string_view kBetween = " / ";
    auto const at = text.find(kBetween);
    if (at == std::string_view::npos || at == 0 || at + kBetween.size() == text.size()) {
        return refuse("", "must be a pair such as \"EUR / USD\"");
    }
    return CurrencyPair{std::string(text.substr(0, at)),
                        std::string(text.substr(at + kBetween.size()))};
}

Result<Rate> rate_of(Amount value, unsigned decimals, bool inverse) {
    if (value.is_zero()) return refuse("", "must be above zero");
    if (decimals > kMostSourceDecimals) {
        return refuse("", "must have at most 18 decimals, not " + std::to_string(decimals));
    }
    if (inverse) {
        Amount const one = power_of_ten(kRateDecimals + decimals);
        return checked_rate(Amount(one.base_units() / value.base_units()));
    }
    // Beyond any rate, and where the product below could leave 128 bits.
    if (value > power_of_ten(kHighestRate + decimals)) return checked_rate(Amount::max());
    return checked_rate(
        multiply_divide_down(value, power_of_ten(kRateDecimals), power_of_ten(decimals)));
}

bool is_fresh(SourceReading const& reading, Timestamp now) {
    return reading.rate && now <= reading.usable_until && reading.at <= now + kMostAhead;
}

Result<AgreedRate> agree_on_rate(std::span<SourceReading const> readings, RateRule const& rule,
                                 Timestamp now) {
    AgreedRate agreed;
    for (SourceReading const& reading : readings) {
        if (is_fresh(reading, now))
            agreed.sources.push_back({reading.source, *reading.rate, reading.at});
    }
    std::size_t const least = std::max<std::size_t>(rule.least_sources, 1);
    if (agreed.sources.size() < least) {
        return refuse("", std::to_string(agreed.sources.size()) + " of " +
                              std::to_string(readings.size()) + " sources fresh, and " +
                              std::to_string(least) + " needed");
    }
    auto const [lowest, highest] =
        std::ranges::minmax_element(agreed.sources, {}, &SourceRate::rate);
    if (differ_too_much(lowest->rate, highest->rate, rule.most_deviation)) {
        return refuse("", "the sources differ by more than " + std::to_string(rule.most_deviation) +
                              " basis points: " + to_string(lowest->rate) + " by " +
                              lowest->source + ", " + to_string(highest->rate) + " by " +
                              highest->source);
    }
    agreed.rate = median_of(agreed.sources);
    if ((rule.lowest && agreed.rate < *rule.lowest) ||
        (rule.highest && agreed.rate > *rule.highest)) {
        return refuse("", to_string(agreed.rate) + " is not between " +
                              (rule.lowest ? to_string(*rule.lowest) : "0") + " and " +
                              (rule.highest ? to_string(*rule.highest) : "anything"));
    }
    return agreed;
}

Result<Amount> quoted_amount(Amount price, unsigned currency_decimals, unsigned token_decimals,
                             PriceQuote const& quote) {
    if (price > power_of_ten(18)) return refuse("amount", "is too large");
    // With the spread, in ten thousandths of a minor unit.
    Amount const raised(price.base_units() * (kBasisPoints + quote.spread_basis_points));
    Amount const divisor(quote.rate.units.base_units() *
                         power_of_ten(currency_decimals).base_units() * kBasisPoints);
    Amount const whole = multiply_divide_up(raised, power_of_ten(kRateDecimals), divisor);
    if (whole > power_of_ten(kMostWholeTokens)) return refuse("amount", "is too large");
    return multiply_divide_up(raised, power_of_ten(kRateDecimals + token_decimals), divisor);
}

}  // namespace sycee
