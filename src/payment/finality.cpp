#include <sycee/base/assert.hpp>
#include <sycee/payment/finality.hpp>

#include <algorithm>
#include <charconv>

namespace sycee {
namespace {

constexpr std::uint32_t kMostConfirmations = 10'000;
constexpr std::string_view kFinalized = "finalized";

// "12" or "finalized".
Result<std::uint32_t> parse_confirmations(std::string_view text) {
    if (text == kFinalized) return 0U;
    std::uint32_t count = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc{} || parsed.ptr != end || count == 0 || count > kMostConfirmations) {
        return refuse("finality", "\"" + std::string(text) +
                                      "\" is neither a number of blocks from 1 to " +
                                      std::to_string(kMostConfirmations) + " nor \"finalized\"");
    }
    return count;
}

Result<FinalityBand> parse_band(std::string_view text, bool last) {
    auto const colon = text.find(':');
    if (last != (colon == std::string_view::npos)) {
        return refuse("finality", last ? "the last band has no limit: \"12\" or \"finalized\""
                                       : "\"" + std::string(text) +
                                             "\" is not a limit, a colon and what holds below it");
    }
    FinalityBand band;
    if (!last) {
        auto const below = parse_decimal(text.substr(0, colon), kValueDecimals);
        if (!below) return refuse("finality", "limit: " + below.error().message);
        band.below = *below;
        text.remove_prefix(colon + 1);
    }
    auto const confirmations = parse_confirmations(text);
    if (!confirmations) return std::unexpected(confirmations.error());
    band.confirmations = *confirmations;
    return band;
}

}  // namespace

Amount value_of(Amount base_units, unsigned decimals) {
    if (decimals >= kValueDecimals) {
        return multiply_divide_up(base_units, Amount(1), power_of_ten(decimals - kValueDecimals));
    }
    return multiply_divide_up(base_units, power_of_ten(kValueDecimals - decimals), Amount(1));
}

Result<void> check_rule(FinalityRule const& rule) {
    if (rule.bands.empty()) return refuse("finality", "has no band");
    for (std::size_t i = 0; i < rule.bands.size(); ++i) {
        bool const last = i + 1 == rule.bands.size();
        auto const& below = rule.bands[i].below;
        if (last == below.has_value()) {
            return refuse("finality", "every band but the last has a limit");
        }
        if (i > 0 && below && *below <= *rule.bands[i - 1].below) {
            return refuse("finality", "the limits must rise");
        }
    }
    return {};
}

FinalityBand const& band_for(FinalityRule const& rule, Amount value) {
    auto const band =
        std::find_if(rule.bands.begin(), rule.bands.end(), [value](FinalityBand const& candidate) {
            return !candidate.below || value < *candidate.below;
        });
    ensure(band != rule.bands.end(), "finality: a rule has no last band");
    return *band;
}

Result<std::vector<FinalityBand>> parse_bands(std::string_view text) {
    FinalityRule rule;
    for (bool last = false; !last;) {
        auto const comma = text.find(',');
        last = comma == std::string_view::npos;
        auto const band = parse_band(text.substr(0, comma), last);
        if (!band) return std::unexpected(band.error());
        rule.bands.push_back(*band);
        if (!last) text.remove_prefix(comma + 1);
    }
    if (auto const checked = check_rule(rule); !checked) return std::unexpected(checked.error());
    return rule.bands;
}

std::string to_string(std::vector<FinalityBand> const& bands) {
    std::string text;
    for (FinalityBand const& band : bands) {
        if (!text.empty()) text += ',';
        if (band.below) text += to_short_decimal(*band.below, kValueDecimals) + ":";
        text +=
            band.confirmations == 0 ? std::string(kFinalized) : std::to_string(band.confirmations);
    }
    return text;
}

}  // namespace sycee
