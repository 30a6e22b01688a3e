#include <sycee/base/time.hpp>

#include <array>
#include <cstdio>

namespace sycee {

std::string to_rfc3339(Timestamp time) {
    auto const day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const clock{time - day};
    std::array<char, 64> text{};
    auto const year = static_cast<int>(date.year());
    auto const month = static_cast<unsigned>(date.month());
    auto const month_day = static_cast<unsigned>(date.day());
    auto const hours = static_cast<int>(clock.hours().count());
    auto const minutes = static_cast<int>(clock.minutes().count());
    auto const seconds = static_cast<int>(clock.seconds().count());
    auto const milliseconds = static_cast<int>(clock.subseconds().count());
    int const length =
        milliseconds == 0
            ? std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", year, month,
                            month_day, hours, minutes, seconds)
            : std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", year,
                            month, month_day, hours, minutes, seconds, milliseconds);
    return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace sycee
