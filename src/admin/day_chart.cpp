#include "day_chart.hpp"

#include <sycee/base/assert.hpp>

#include <algorithm>
#include <chrono>

namespace sycee::admin {
namespace {

constexpr unsigned kHeight = 100;
constexpr unsigned kPitch = 20;
constexpr unsigned kWidth = 14;
constexpr unsigned kTickEvery = 5;

// Whole units of the picture, but never nothing for something.
unsigned height_of(Amount amount, Amount most) {
    if (amount.is_zero()) return 0;
    auto const height = multiply_divide_down(amount, Amount(kHeight), most).base_units();
    return std::max(1U, static_cast<unsigned>(height));
}

unsigned day_of_month(StatementPeriod const& day) {
    std::chrono::year_month_day const date{std::chrono::floor<std::chrono::days>(day.begin)};
    return static_cast<unsigned>(date.day());
}

Html bar(std::size_t place, unsigned height, std::string const& title) {
    return html(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>)",
                {place * kPitch + (kPitch - kWidth) / 2, kHeight - height, kWidth, height, title});
}

Html tick(std::size_t place, std::string const& text) {
    return html(R"(<text x="{}" y="{}">{}</text>)",
                {place * kPitch + kPitch / 2, kHeight + 14, text});
}

}  // namespace

Html day_chart(std::string_view caption, std::vector<StatementPeriod> const& days,
               std::vector<Amount> const& amounts,
               std::function<std::string(Amount)> const& write) {
    ensure(days.size() == amounts.size(), "a chart has an amount for each day");
    Amount const most = amounts.empty() ? Amount() : *std::ranges::max_element(amounts);
    if (most.is_zero()) return {};
    Html drawing;
    for (std::size_t i = 0; i < days.size(); ++i) {
        unsigned const height = height_of(amounts[i], most);
        if (height > 0) drawing += bar(i, height, days[i].name + ": " + write(amounts[i]));
        unsigned const day = day_of_month(days[i]);
        bool const marked = i == 0 || day % kTickEvery == 0;
        if (marked) drawing += tick(i, std::to_string(day));
    }
    return html(R"(<figure class="chart"><figcaption>{}, at most {}</figcaption>)"
                R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}: bars by day">{}</svg>)"
                R"(</figure>)",
                {caption, write(most), days.size() * kPitch, kHeight + 20, caption, drawing});
}

}  // namespace sycee::admin
