#include <sycee/base/ascii.hpp>
#include <sycee/net/http_client.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <optional>

namespace sycee {
namespace {

constexpr std::size_t kLongestUrl = 2048;

std::optional<std::uint16_t> default_port(std::string_view scheme) {
    if (scheme == "http" || scheme == "ws") return 80;
    if (scheme == "https" || scheme == "wss") return 443;
    return std::nullopt;
}

// Without the brackets of an IPv6 address.
std::string bare_host(std::string_view encoded) {
    if (encoded.starts_with('[')) encoded = encoded.substr(1, encoded.size() - 2);
    return lower_case(encoded);
}

Result<std::uint16_t> explicit_port(std::string const& digits) {
    std::uint16_t port = 0;
    auto const end = digits.data() + digits.size();
    auto const parsed = std::from_chars(digits.data(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port == 0) {
        return refuse("", "must have a port from 1 to 65535");
    }
    return port;
}

}  // namespace

std::string Url::origin() const {
    std::string text = scheme + "://" + (host.contains(':') ? "[" + host + "]" : host);
    if (port != default_port(scheme)) text += ":" + std::to_string(port);
    return text;
}

// No message quotes the URL: its path may hold a provider's key.
Result<Url> parse_url(std::string_view text) {
    if (text.size() > kLongestUrl) return refuse("", "must be a URL of at most 2048 bytes");
    auto const parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) return refuse("", "must be a URL such as \"https://node.example.com/\"");
    auto const& view = *parsed;

    Url url;
    url.scheme = lower_case(std::string_view(view.scheme().data(), view.scheme().size()));
    auto const port = default_port(url.scheme);
    if (!port) return refuse("", "must be an http, https, ws or wss URL");
    if (view.has_userinfo()) return refuse("", "must not have a user name or password in it");
    if (view.has_fragment()) return refuse("", "must not have a fragment (#...)");
    std::string_view const host(view.encoded_host().data(), view.encoded_host().size());
    if (host.empty() || host.contains('%')) return refuse("", "must have a plain host name");
    url.host = bare_host(host);
    url.port = *port;
    if (view.has_port()) {
        auto const number = explicit_port(std::string(view.port().data(), view.port().size()));
        if (!number) return std::unexpected(number.error());
        url.port = *number;
    }
    url.target = std::string(view.encoded_path().data(), view.encoded_path().size());
    // Boost 1.81 takes what follows the digits of a port, or the bracket of an address, for a path.
    if (!url.target.empty() && !url.target.starts_with('/')) {
        return refuse("", "must have a port from 1 to 65535, or none");
    }
    if (url.target.empty()) url.target = "/";
    if (view.has_query()) {
        url.target += "?" + std::string(view.encoded_query().data(), view.encoded_query().size());
    }
    return url;
}

}  // namespace sycee
