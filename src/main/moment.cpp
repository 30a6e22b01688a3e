#include "moment.hpp"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDay = 10;
constexpr std::size_t kWhole = 20;
constexpr std::size_t kMostSpanLetters = 7;

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
    unsigned value = 0;
    auto const part = text.substr(at, count);
    auto const parsed = std::from_chars(part.data(), part.data() + part.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != part.data() + part.size()) return std::nullopt;
    return value;
}

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
    if (text[4] != '-' || text[7] != '-') return std::nullopt;
    auto const year = digits(text, 0, 4);
    auto const month = digits(text, 5, 2);
    auto const day = digits(text, 8, 2);
    if (!year || !month || !day) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day)};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

}  // namespace

Result<Timestamp> parse_moment(std::string_view text) {
    auto const refused =
        refuse("moment", "\"" + std::string(text.substr(0, 40)) +
                             "\" is neither a day (2026-11-26) nor a moment in UTC "
                             "(2026-11-26T10:00:00Z)");
    if (text.size() != kDay && text.size() != kWhole) return refused;
    auto const day = parse_day(text);
    if (!day) return refused;
    if (text.size() == kDay) return Timestamp(*day) + 24h - 1ms;
    if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return refused;
    auto const hour = digits(text, 11, 2);
    auto const minute = digits(text, 14, 2);
    auto const second = digits(text, 17, 2);
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return refused;
    return Timestamp(*day) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

Result<std::chrono::seconds> parse_span(std::string_view text) {
    auto const refused = refuse("span", "\"" + std::string(text.substr(0, 40)) +
                                            "\" is no whole number with s, m, h or d (24h)");
    if (text == "0") return 0s;
    if (text.empty() || text.size() > kMostSpanLetters) return refused;
    auto const count = digits(text, 0, text.size() - 1);
    if (!count) return refused;
    switch (text.back()) {
        case 's':
            return std::chrono::seconds(*count);
        case 'm':
            return std::chrono::minutes(*count);
        case 'h':
            return std::chrono::hours(*count);
        case 'd':
            return std::chrono::days(*count);
        default:
            return refused;
    }
}

}  // namespace sycee
