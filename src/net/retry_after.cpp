#include <sycee/net/retry_after.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace sycee {
namespace {

using namespace std::chrono_literals;

std::optional<std::uint64_t> number_of(std::string_view digits) {
    std::uint64_t value = 0;
    auto const* const end = digits.data() + digits.size();
    auto const parsed = std::from_chars(digits.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end || digits.empty()) return std::nullopt;
    return value;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form of RFC 9110 that is still to be sent.
std::optional<Timestamp> parse_http_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
    auto const day = number_of(text.substr(5, 2));
    auto const month = std::ranges::find(kMonths, text.substr(8, 3));
    auto const year = number_of(text.substr(12, 4));
    auto const hours = number_of(text.substr(17, 2));
    auto const minutes = number_of(text.substr(20, 2));
    auto const seconds = number_of(text.substr(23, 2));
    if (!day || month == kMonths.end() || !year || !hours || !minutes || !seconds)
        return std::nullopt;
    std::chrono::year_month_day const date{
        std::chrono::year{static_cast<int>(*year)},
        std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
        std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok() || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hours} +
           std::chrono::minutes{*minutes} + std::chrono::seconds{*seconds};
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Timestamp now,
                                                           std::chrono::milliseconds most) {
    bool const is_number =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) {
        auto const limit = static_cast<std::uint64_t>(most / 1s);
        auto const seconds = number_of(value);  // nothing where it is beyond 64 bits
        return std::chrono::seconds{std::min(seconds.value_or(limit), limit)};
    }
    auto const date = parse_http_date(value);
    if (!date) return std::nullopt;
    return std::clamp<std::chrono::milliseconds>(*date - now, 0ms, most);
}

}  // namespace sycee
