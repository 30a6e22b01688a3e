#include <sycee/base/moment.hpp>

#include <chrono>
#include <cstddef>

namespace sycee {
namespace {

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
    unsigned value = 0;
    for (char const c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    constexpr std::size_t kSeconds = 20;  // "2026-11-23T09:33:26Z"
    constexpr std::size_t kMilliseconds = 24;
    bool const has_fraction = text.size() == kMilliseconds;
    if ((text.size() != kSeconds && !has_fraction) || text.back() != 'Z') return std::nullopt;
    bool const marks = text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
                       text[16] == ':' && (!has_fraction || text[19] == '.');
    auto const year = digits(text, 0, 4);
    auto const month = digits(text, 5, 2);
    auto const day = digits(text, 8, 2);
    auto const hour = digits(text, 11, 2);
    auto const minute = digits(text, 14, 2);
    auto const second = digits(text, 17, 2);
    auto const milliseconds = has_fraction ? digits(text, 20, 3) : std::optional(0U);
    if (!marks || !year || !month || !day || !hour || !minute || !second || !milliseconds)
        return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day)};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
           std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
           std::chrono::milliseconds(*milliseconds);
}

}  // namespace sycee
