#include "notice.hpp"

#include <sycee/crypto/hash.hpp>

namespace sycee::admin {
namespace {

constexpr std::string_view kGood = "good";
constexpr std::string_view kBad = "bad";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

std::string form_encode(std::string_view text) {
    std::string encoded;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (plain) {
            encoded += c;
        } else if (c == ' ') {
            encoded += '+';
        } else {
            encoded += '%';
            encoded += kHexDigits[byte >> 4U];
            encoded += kHexDigits[byte & 15U];
        }
    }
    return encoded;
}

std::string sealed_text(std::string_view path, std::string_view kind, std::string_view text) {
    return std::string(path) + '\n' + std::string(kind) + '\n' + std::string(text);
}

}  // namespace

std::string notice_query(Notice const& notice, std::string_view path, SessionToken const& token) {
    std::string_view const kind = notice.good ? kGood : kBad;
    return "?said=" + std::string(kind) + "&text=" + form_encode(notice.text) +
           "&seal=" + token.seal(sealed_text(path, kind, notice.text));
}

std::optional<Notice> read_notice(std::string_view query, std::string_view path,
                                  SessionToken const& token) {
    auto const form = parse_form(query);
    std::string const kind = form_value(form, "said");
    if (kind != kGood && kind != kBad) return std::nullopt;
    Notice notice{.good = kind == kGood, .text = form_value(form, "text")};
    std::string const expected = token.seal(sealed_text(path, kind, notice.text));
    if (!equal_in_constant_time(as_bytes(form_value(form, "seal")), as_bytes(expected))) {
        return std::nullopt;
    }
    return notice;
}

Html notice_box(std::optional<Notice> const& notice) {
    if (!notice) return {};
    return html(R"(<p class="{}" role="status">{}</p>)",
                {notice->good ? "notice" : "problem", notice->text});
}

}  // namespace sycee::admin
