#pragma once

#include <sycee/net/http_message.hpp>

#include <string>
#include <string_view>

namespace sycee::admin {

// "https://pay.example.com" of a URL, or "".
std::string origin_of(std::string_view url);

// True where the browser says that the request was made by a page of `origin`: by Origin, else by
// Sec-Fetch-Site, else by Referer. A request that says nothing is not ours.
bool comes_from(HttpRequest const& request, std::string_view origin);

}  // namespace sycee::admin
