#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

Html source_line(SourceReading const& reading, Timestamp now) {
    if (!reading.rate) return html("<span>{}: nothing read yet</span>", {reading.source});
    Html when = reading.at == Timestamp{} ? html("as configured")
                                          : html("{} old", {age_text(now - reading.at)});
    if (!is_fresh(reading, now)) when = html("{}, too old to be used", {when});
    return html("<span>{}: {}, {}</span>", {reading.source, to_string(*reading.rate), when});
}

Html rate_row(RateBook const& book, std::size_t rate, Timestamp now) {
    RateSettings const& settings = book.settings().rates[rate];
    auto const agreed = book.agreed(rate, now);
    Html sources;
    for (SourceReading const& reading : book.readings(rate)) {
        if (!sources.text.empty()) sources += html("<br>");
        sources += source_line(reading, now);
    }
    std::string const what =
        settings.is_peg ? "USD for one " + settings.subject : settings.subject + " for one USD";
    Html const state =
        agreed ? html(R"(<span class="badge good">✓ {}</span>)",
                      {settings.is_peg ? "offered" : "in use"})
               : html(R"(<span class="badge bad">! {}</span> <span>{}</span>)",
                      {settings.is_peg ? "not offered" : "no prices", to_string(agreed.error())});
    return html("<tr>{}{}{}{}</tr>",
                {cell("Rate", what), number_cell("Now", agreed ? to_string(agreed->rate) : "–"),
                 cell("State", state), cell("Sources", sources)});
}

}  // namespace

Html rates_section(RateBook const& rates, Timestamp now) {
    Html rows;
    for (std::size_t i = 0; i < rates.settings().rates.size(); ++i)
        rows += rate_row(rates, i, now);
    if (rows.text.empty()) return {};
    return html(R"(<section class="card"><h2>Rates</h2><table class="list"><thead><tr>)"
                R"(<th>Rate</th><th class="number">Now</th><th>State</th><th>Sources</th></tr>)"
                R"(</thead><tbody>{}</tbody></table></section>)",
                {rows});
}

}  // namespace sycee::admin
