#include "rpc_error.hpp"

#include <sycee/net/retry_after.hpp>

#include <algorithm>
#include <initializer_list>

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
    return parse_retry_after(value, now, kLongestPause).value_or(kUsualPause);
}

}  // namespace sycee
