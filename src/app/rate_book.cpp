#include <sycee/app/rate_book.hpp>

#include <algorithm>
#include <utility>

namespace sycee {

RateBook::RateBook(RatesSettings settings) : settings_(std::move(settings)) {
    for (RateSettings const& rate : settings_.rates) {
        auto& readings = readings_.emplace_back();
        for (RateSourceSettings const& source : rate.sources) {
            SourceReading reading{.source = source.name};
            if (source.kind == RateSourceKind::fixed) {
                reading.rate = source.rate;
                reading.usable_until = source.valid_until;
            }
            readings.push_back(std::move(reading));
        }
    }
}

void RateBook::put(std::size_t rate, std::size_t source, Rate read, Timestamp at) {
    SourceReading& reading = readings_.at(rate).at(source);
    reading.rate = read;
    reading.at = at;
    reading.usable_until = at + settings_.rates[rate].sources[source].longest_age;
}

std::string RateBook::currencies() const {
    std::vector<std::string_view> names{kPeggedCurrency};
    for (RateSettings const& rate : settings_.rates) {
        if (!rate.is_peg) names.emplace_back(rate.subject);
    }
    std::string text(names.front());
    for (std::size_t i = 1; i < names.size(); ++i)
        text.append(i + 1 == names.size() ? " or " : ", ").append(names[i]);
    return text;
}

std::optional<std::size_t> RateBook::find(std::string_view subject, bool is_peg) const {
    auto const found = std::ranges::find_if(settings_.rates, [&](RateSettings const& rate) {
        return rate.is_peg == is_peg && rate.subject == subject;
    });
    if (found == settings_.rates.end()) return std::nullopt;
    return static_cast<std::size_t>(found - settings_.rates.begin());
}

bool RateBook::has(std::string_view currency) const {
    return currency == kPeggedCurrency || find(currency, false);
}

Result<AgreedRate> RateBook::agreed(std::size_t rate, Timestamp now) const {
    return agree_on_rate(readings_.at(rate), settings_.rates[rate].rule, now);
}

Result<PriceQuote> RateBook::quote(std::string_view currency, Timestamp now) const {
    auto const rate = find(currency, false);
    if (!rate) return refuse("", "has no source");
    auto found = agreed(*rate, now);
    if (!found) return std::unexpected(found.error());
    PriceQuote quote{.rate = found->rate,
                     .spread_basis_points = settings_.rates[*rate].spread_basis_points,
                     .sources = std::move(found->sources)};
    // One that stands in the configuration is of the moment at which it is used.
    for (SourceRate& source : quote.sources) {
        if (source.at == Timestamp{}) source.at = now;
    }
    return quote;
}

Result<void> RateBook::check_peg(std::string_view symbol, Timestamp now) const {
    auto const rate = find(symbol, true);
    if (!rate) return {};
    auto const found = agreed(*rate, now);
    if (!found) return std::unexpected(found.error());
    return {};
}

RateBook const& no_rates() {
    static RateBook const kNone{RatesSettings{}};
    return kNone;
}

}  // namespace sycee
