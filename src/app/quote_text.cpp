#include <sycee/app/quote_text.hpp>
#include <sycee/base/assert.hpp>

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::shared_ptr<PriceQuote const> parse_quote(std::string const& text) {
    if (text.empty()) return nullptr;
    auto const rate_in = [](Json const& json) {
        auto const rate = parse_rate(json.get<std::string>());
        ensure(rate.has_value(), "a quote's rate does not parse");
        return *rate;
    };
    auto const json = Json::parse(text);
    PriceQuote quote{.rate = rate_in(json.at("rate")),
                     .spread_basis_points = json.at("spread").get<std::uint32_t>()};
    for (auto const& source : json.at("sources")) {
        quote.sources.push_back(
            {.source = source.at(0).get<std::string>(),
             .rate = rate_in(source.at(1)),
             .at = Timestamp{std::chrono::milliseconds{source.at(2).get<std::int64_t>()}}});
    }
    return std::make_shared<PriceQuote const>(std::move(quote));
}

std::string quote_text(PriceQuote const* quote) {
    if (quote == nullptr) return "";
    Json sources = Json::array();
    for (SourceRate const& source : quote->sources) {
        sources.push_back(
            Json::array({source.source, to_string(source.rate), to_unix_milliseconds(source.at)}));
    }
    return Json{{"rate", to_string(quote->rate)},
                {"spread", quote->spread_basis_points},
                {"sources", std::move(sources)}}
        .dump();
}

}  // namespace sycee
