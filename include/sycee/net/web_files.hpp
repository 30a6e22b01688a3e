#pragma once

#include <sycee/net/html.hpp>
#include <sycee/net/http_message.hpp>

#include <span>
#include <string>
#include <string_view>

namespace sycee {

// A file under web/, compiled into the program (cmake/embed.cmake).
struct EmbeddedFile {
    std::string_view name;
    std::string_view data;
};

// The style sheets, scripts and drawings of a set of pages. `base_path` is where they are served:
// "/checkout/assets/".
class WebFiles {
  public:
    WebFiles(std::string base_path, std::span<EmbeddedFile const> files)
        : base_path_(std::move(base_path)), files_(files) {}

    // With the file's version, so that a browser may keep it for good:
    // "/checkout/assets/a.css?v=1f..". Throws InvariantViolation for a file that there is not.
    std::string url(std::string_view name) const;
    // A drawing of ours, to be put into a page.
    Html inline_svg(std::string_view name) const;
    // 304 where the browser has it already; 404 for a name that there is not.
    HttpResponse serve(HttpRequest const& request, std::string_view name) const;

  private:
    EmbeddedFile const* find(std::string_view name) const;

    std::string base_path_;
    std::span<EmbeddedFile const> files_;
};

// True where If-None-Match names this entity tag.
bool matches_etag(HttpRequest const& request, std::string_view etag);

// The path at which a gateway with this public URL is seen from outside: "" or "/pay".
std::string public_path(std::string_view public_url);

// True for a URL that may be linked to: a shop's text must never become a script.
bool is_web_url(std::string_view url);

}  // namespace sycee
