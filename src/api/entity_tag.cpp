#include "entity_tag.hpp"

#include <sycee/base/ascii.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/crypto/hash.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace sycee {
namespace {

constexpr std::size_t kTagBytes = 16;

// If-None-Match compares weakly: W/ is no difference. If-Match does not.
bool names(std::string_view list, std::string_view tag, bool weakly) {
    while (!list.empty()) {
        std::string_view one = trimmed(take_until(list, ','));
        if (one == "*") return true;
        if (weakly && one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
    }
    return false;
}

}  // namespace

std::string entity_tag(std::string_view body) {
    auto const hash = sha256(as_bytes(body));
    return '"' + to_hex(ByteView(hash).first(kTagBytes)) + '"';
}

bool allows_change(HttpRequest const& request, std::string_view tag) {
    auto const list = request.header("if-match");
    return list.empty() || names(list, tag, false);
}

bool answer_if_changed(HttpRequest const& request, HttpResponse& response) {
    if (request.method != "GET" || response.status != 200 || response.stream) return false;
    std::string const tag = entity_tag(response.body);
    if (names(request.header("if-none-match"), tag, true)) {
        response.status = 304;
        response.body.clear();
        std::erase_if(response.headers,
                      [](auto const& header) { return header.first == "content-type"; });
    }
    response.with("etag", tag);
    return true;
}

}  // namespace sycee
