#include <sycee/base/assert.hpp>
#include <sycee/net/html.hpp>

namespace sycee {

std::string escape_html(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (char const c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped.push_back(c);
        }
    }
    return escaped;
}

Html html(HtmlPattern pattern, std::initializer_list<HtmlArgument> arguments) {
    Html result;
    std::string_view rest = pattern.text;
    for (auto const& argument : arguments) {
        auto const place = rest.find("{}");
        ensure(place != std::string_view::npos, "html: more arguments than places");
        result.text.append(rest.substr(0, place)).append(argument.text);
        rest.remove_prefix(place + 2);
    }
    ensure(!rest.contains("{}"), "html: more places than arguments");
    result.text.append(rest);
    return result;
}

}  // namespace sycee
