#include "origin.hpp"

#include <sycee/net/http_client.hpp>

namespace sycee::admin {

std::string origin_of(std::string_view url) {
    auto const parsed = parse_url(url);
    return parsed ? parsed->origin() : "";
}

bool comes_from(HttpRequest const& request, std::string_view origin) {
    if (origin.empty()) return false;
    if (auto const sent = request.header("origin"); !sent.empty()) {
        return origin_of(sent) == origin;
    }
    if (auto const site = request.header("sec-fetch-site"); !site.empty()) {
        return site == "same-origin";
    }
    return origin_of(request.header("referer")) == origin;
}

}  // namespace sycee::admin
