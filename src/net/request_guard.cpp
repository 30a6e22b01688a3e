#include "request_guard.hpp"

#include <sycee/base/ascii.hpp>

#include "percent.hpp"

#include <algorithm>

namespace sycee {
namespace {

bool is_control(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

HeaderScan HeaderScanner::scan(std::string_view text) {
    while (position_ < text.size()) {
        char const c = text[position_];
        bool const after_cr = position_ > line_start_ && text[position_ - 1] == '\r';
        if ((c == '\n') != after_cr || c == '\0') return HeaderScan::malformed;
        bool const line_begins = position_ == line_start_;
        if (line_begins && (c == ' ' || c == '\t')) return HeaderScan::malformed;
        if (line_begins && position_ == 0 && c == '\r') return HeaderScan::malformed;
        ++position_;
        if (c != '\n') continue;
        if (position_ - line_start_ == 2) return HeaderScan::complete;
        line_start_ = position_;
    }
    return HeaderScan::incomplete;
}

Result<void> check_framing(HttpHeaders const& headers, bool http_1_1) {
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    std::size_t codings = 0;
    for (auto const& [name, value] : headers) {
        if (name == "host") ++hosts;
        if (name == "content-length") {
            ++lengths;
            if (value.empty() || !std::ranges::all_of(value, is_digit)) {
                return refuse("content-length", "is not a number");
            }
        }
        if (name == "transfer-encoding") {
            ++codings;
            if (lower_case(value) != "chunked") {
                return refuse("transfer-encoding", "is not exactly \"chunked\"");
            }
        }
    }
    if (hosts > 1 || (http_1_1 && hosts == 0)) return refuse("host", "is not there once");
    if (lengths > 1) return refuse("content-length", "is there twice");
    if (codings > 1) return refuse("transfer-encoding", "is there twice");
    if (codings == 1 && lengths == 1) return refuse("transfer-encoding", "is beside a length");
    if (codings == 1 && !http_1_1) return refuse("transfer-encoding", "is in HTTP/1.0");
    return {};
}

Result<RequestTarget> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return refuse("target", "does not begin with a slash");
    if (target.contains('#')) return refuse("target", "has a fragment");
    auto const question = target.find('?');
    auto const encoded = target.substr(0, question);
    // A proxy in front takes "%2F" for a letter where we would take it for a separator.
    if (encoded.contains("%2F") || encoded.contains("%2f")) {
        return refuse("target", "has an encoded slash");
    }
    auto path = percent_decode(encoded);
    if (!path) return refuse("target", "has an invalid percent escape");
    if (std::ranges::any_of(*path, is_control)) return refuse("target", "has a control character");
    if (path->contains("..") || path->contains('\\') || path->contains("//") ||
        path->contains("/./") || path->ends_with("/.")) {
        return refuse("target", "is not in its simplest form");
    }
    RequestTarget result;
    result.path = std::move(*path);
    if (question != std::string_view::npos) result.query = target.substr(question + 1);
    return result;
}

}  // namespace sycee
