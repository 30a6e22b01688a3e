#include <sycee/api/docs_pages.hpp>

#include "embedded.hpp"

namespace sycee {
namespace {

constexpr std::string_view kPage = "/docs";
constexpr std::string_view kContract = "/openapi.yaml";
constexpr std::string_view kAssets = "/docs/";

std::string_view file_at(std::string_view path) {
    if (path == kPage) return "docs.html";
    if (path == kContract) return "openapi.yaml";
    auto const name = path.substr(kAssets.size());
    return name.ends_with(".css") || name.ends_with(".svg") ? name : std::string_view{};
}

}  // namespace

// The page names its files from where it is itself, so that a proxy may put it below another path.
DocsPages::DocsPages() : files_(std::string(kAssets), api::embedded_files()) {}

bool DocsPages::has(std::string_view path) {
    return path == kPage || path == kContract || path.starts_with(kAssets);
}

HttpResponse DocsPages::answer(HttpRequest const& request) const {
    if (request.method != "GET") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET\n");
        refused.with("allow", "GET");
        return refused;
    }
    auto response = files_.serve(request, file_at(request.path));
    response
        .with("content-security-policy",
              "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; "
              "base-uri 'none'; frame-ancestors 'none'")
        .with("referrer-policy", "no-referrer");
    return response;
}

}  // namespace sycee
