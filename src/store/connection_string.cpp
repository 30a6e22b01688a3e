#include "connection_string.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace sycee {
namespace {

constexpr unsigned kLastPort = 65'535;

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parse(std::string const& url) {
    char* why = nullptr;  // quotes what it could not read
    Options options(PQconninfoParse(url.c_str(), &why), &PQconninfoFree);
    if (why != nullptr) PQfreemem(why);
    return options;
}

bool is_uri(std::string_view url) {
    return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

// What a "@" or "/" of a password looks like that was not encoded.
bool has_misplaced_at(std::string_view uri) {
    uri.remove_prefix(uri.find("://") + 3);
    auto const first = uri.find('@');
    if (first == std::string_view::npos) return false;
    return first > uri.find('/') || uri.find('@', first + 1) != std::string_view::npos;
}

bool is_port(std::string_view text) {
    unsigned number = 0;
    auto const* end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, number);
    return text.empty() ||
           (parsed.ec == std::errc{} && parsed.ptr == end && number >= 1 && number <= kLastPort);
}

bool are_ports(std::string_view list) {
    for (;;) {
        auto const comma = std::min(list.find(','), list.size());
        if (!is_port(list.substr(0, comma))) return false;
        if (comma == list.size()) return true;
        list.remove_prefix(comma + 1);
    }
}

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (char const c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

}  // namespace

Result<std::string> connection_string(std::string const& url, std::string const& session_options) {
    if (is_uri(url) && has_misplaced_at(url)) {
        return refuse("url",
                      "has an @ out of place: inside a name or a password, write %40 for @ "
                      "and %2F for /");
    }
    auto const options = parse(url);
    if (!options) {
        return refuse("url",
                      "is neither a connection string nor a URI of libpq (it is not shown: "
                      "it may hold a password)");
    }
    std::string text;
    std::string server_options;
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        std::string_view const keyword = option->keyword;
        if (keyword == "port" && !are_ports(option->val)) {
            return refuse("url", "has a port that is not a number from 1 to 65535");
        }
        if (keyword == "options") {
            server_options = std::string(option->val) + " ";
            continue;
        }
        text.append(keyword).append("=").append(quoted(option->val)).append(" ");
    }
    return text + "options=" + quoted(server_options + session_options);
}

std::string connection_option(std::string const& url, std::string_view keyword) {
    auto const options = parse(url);
    if (!options) return {};
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->keyword == keyword && option->val != nullptr) return option->val;
    }
    return {};
}

}  // namespace sycee
