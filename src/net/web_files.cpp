#include <sycee/base/assert.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/net/web_files.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {

// FNV-1a: tells one version of a file of ours from another, nothing more.
std::string version_of(std::string_view data) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (char const c : data) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes.at(i) = static_cast<std::uint8_t>(hash >> (56 - 8 * i));
    }
    return to_hex(bytes);
}

std::string content_type(std::string_view name) {
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".yaml")) return "application/yaml";
    return "application/octet-stream";
}

}  // namespace

EmbeddedFile const* WebFiles::find(std::string_view name) const {
    auto const found = std::ranges::find(files_, name, &EmbeddedFile::name);
    return found == files_.end() ? nullptr : &*found;
}

std::string WebFiles::url(std::string_view name) const {
    auto const* file = find(name);
    ensure(file != nullptr, "web files: no " + std::string(name));
    return base_path_ + std::string(name) + "?v=" + version_of(file->data);
}

Html WebFiles::inline_svg(std::string_view name) const {
    auto const* file = find(name);
    ensure(file != nullptr, "web files: no " + std::string(name));
    return Html{std::string(file->data)};
}

HttpResponse WebFiles::serve(HttpRequest const& request, std::string_view name) const {
    auto const* file = find(name);
    if (file == nullptr) return text_response(404, "text/plain; charset=utf-8", "Not found\n");
    std::string const version = version_of(file->data);
    std::string const etag = '"' + version + '"';
    bool const fresh = matches_etag(request, etag);
    HttpResponse response;
    response.status = fresh ? 304 : 200;
    if (!fresh) {
        response.with("content-type", content_type(name));
        response.body = file->data;
    }
    // Only a URL that names this very version stands for it for ever.
    bool const versioned = form_value(parse_form(request.query), "v") == version;
    response.with("etag", etag)
        .with("cache-control", versioned ? "public, max-age=31536000, immutable" : "no-cache")
        .with("x-content-type-options", "nosniff");
    return response;
}

bool matches_etag(HttpRequest const& request, std::string_view etag) {
    std::string_view rest = request.header("if-none-match");
    while (!rest.empty()) {
        auto const end = rest.find(',');
        std::string_view candidate = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        candidate.remove_prefix(std::min(candidate.find_first_not_of(" \t"), candidate.size()));
        candidate = candidate.substr(0, candidate.find_last_not_of(" \t") + 1);
        if (candidate.starts_with("W/")) candidate.remove_prefix(2);
        if (candidate == etag || candidate == "*") return true;
    }
    return false;
}

std::string public_path(std::string_view public_url) {
    auto const url = parse_url(public_url);
    if (!url) return "";
    std::string path = url->target.substr(0, url->target.find('?'));
    while (path.ends_with('/'))
        path.pop_back();
    return path;
}

bool is_web_url(std::string_view url) {
    bool const web = url.starts_with("https://") || url.starts_with("http://");
    return web && std::ranges::none_of(url, [](char c) {
               return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
           });
}

}  // namespace sycee
