#include "rpc_error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongestMessage = 120;
constexpr std::size_t kLongestRead = 1'000;
constexpr std::chrono::seconds kLongestPause{60};
constexpr std::chrono::milliseconds kUsualPause = 1s;

// Codes of JSON-RPC 2.0 and EIP-1474; the others are providers'.
constexpr std::int64_t kReverted = 3;
constexpr std::int64_t kTooManyRequests = 429;
constexpr std::int64_t kNotFound = -32001;
constexpr std::int64_t kMethodNotSupported = -32004;
constexpr std::int64_t kLimitExceeded = -32005;
constexpr std::int64_t kMethodNotFound = -32601;
constexpr std::int64_t kParseError = -32700;  // Ganache says this of methods that it does not have

// Providers put our own URL, with its key, into some of their messages.
std::string printable(std::string_view message) {
    if (message.contains("://")) return "(message left out)";
    std::string text(message.substr(0, kLongestMessage));
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string lower_case(std::string_view text) {
    std::string lower(text.substr(0, kLongestRead));
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::ranges::any_of(parts, [text](auto part) { return text.contains(part); });
}

RpcFault fault_of(std::int64_t code, std::string_view raw) {
    std::string const text = lower_case(raw);
    bool const missing = has_any(text, {"not found", "unknown", "does not exist", "not be found"});
    bool const names_method =
        text.contains("method") &&
        (missing || has_any(text, {"not available", "not supported", "unsupported"}));
    if (code == kMethodNotFound || code == kMethodNotSupported || code == kParseError ||
        names_method) {
        return RpcFault::no_such_method;
    }
    if (code == kReverted || text.contains("revert")) return RpcFault::reverted;
    if (code == kNotFound || (missing && has_any(text, {"block", "header"})))
        return RpcFault::unknown_block;
    // Before the rates: "too many requests in one batch".
    if (text.contains("batch")) return RpcFault::too_much;
    if (code == kTooManyRequests ||
        has_any(text, {"rate limit", "rate-limit", "ratelimit", "too many requests", "capacity",
                       "compute unit", "request count", "throughput", "quota", "credits",
                       "requests per"})) {
        return RpcFault::rate_limited;
    }
    if (has_any(text, {"more than", "results", "range", "too large", "too big", "too long",
                       "response size", "size exceeded", "timeout", "timed out", "exceeds",
                       "exceed max"})) {
        return RpcFault::too_much;
    }
    if (code == kLimitExceeded) return RpcFault::rate_limited;
    return text.contains("limit") ? RpcFault::too_much : RpcFault::other;
}

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

RpcError make_error(std::int64_t code, std::string_view message) {
    return {code, printable(message), fault_of(code, message)};
}

std::string to_string(RpcError const& error) {
    return "error " + std::to_string(error.code) + ": " + error.message;
}

void throw_error(std::string_view method, RpcError const& error) {
    std::string const what = std::string(method) + ": " + to_string(error);
    if (error.fault == RpcFault::rate_limited) throw RateLimited(what, kUsualPause);
    throw NodeFault(what, error.fault);
}

std::chrono::milliseconds parse_retry_after(std::string_view value, Timestamp now) {
    bool const is_number =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) {
        auto const seconds = number_of(value);  // nothing where it is beyond 64 bits
        auto const most = static_cast<std::uint64_t>(kLongestPause.count());
        return std::chrono::seconds{std::min(seconds.value_or(most), most)};
    }
    auto const date = parse_http_date(value);
    if (!date) return kUsualPause;
    return std::clamp<std::chrono::milliseconds>(*date - now, 0ms, kLongestPause);
}

}  // namespace sycee
