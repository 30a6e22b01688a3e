#include <sycee/base/ascii.hpp>
#include <sycee/net/http_message.hpp>

#include "percent.hpp"

#include <algorithm>

namespace sycee {
namespace {

constexpr std::size_t kMostPairs = 100;

// As browsers do it: an escape that is not valid stands for itself.
std::string form_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const byte = text[i] == '%' ? percent_escape(text.substr(i + 1, 2)) : std::nullopt;
        if (byte) {
            decoded.push_back(*byte);
            i += 2;
        } else {
            decoded.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return decoded;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
    auto const found =
        std::ranges::find_if(headers, [name](auto const& field) { return field.first == name; });
    return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::string_view HttpRequest::cookie(std::string_view name) const {
    for (auto const& [field, value] : headers) {
        if (field != "cookie") continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            std::string_view pair = take_until(rest, ';');
            if (pair.find('=') == std::string_view::npos) continue;
            if (trimmed(take_until(pair, '=')) == name) return trimmed(pair);
        }
    }
    return {};
}

HttpResponse text_response(unsigned status, std::string content_type, std::string body) {
    HttpResponse response;
    response.status = status;
    response.with("content-type", std::move(content_type));
    response.body = std::move(body);
    return response;
}

HttpResponse redirect(std::string location) {
    HttpResponse response;
    response.status = 303;
    response.with("location", std::move(location));
    return response;
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> form;
    while (!text.empty() && form.size() < kMostPairs) {
        std::string_view value = take_until(text, '&');
        if (value.empty()) continue;
        std::string_view const name = take_until(value, '=');
        form.emplace_back(form_decode(name), form_decode(value));
    }
    return form;
}

std::string form_value(std::vector<std::pair<std::string, std::string>> const& form,
                       std::string_view name) {
    auto const found =
        std::ranges::find_if(form, [name](auto const& pair) { return pair.first == name; });
    return found == form.end() ? std::string{} : found->second;
}

}  // namespace sycee
