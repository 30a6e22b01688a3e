#include "idempotency.hpp"

#include <sycee/crypto/hash.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::string_view kHeader = "idempotency-key";
constexpr std::size_t kMostBytes = 255;

bool is_visible(char c) {
    return c > 0x20 && c < 0x7f;
}

// RFC 8941, 3.3.3: within the quotes, a backslash stands before a quote or a backslash only.
std::optional<std::string> unquoted(std::string_view text) {
    if (text.size() < 2 || text.back() != '"') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::string key;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') return std::nullopt;
        if (text[i] == '\\') {
            ++i;
            if (i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
        }
        key += text[i];
    }
    return key;
}

std::optional<std::string> parse_key(std::string_view text) {
    auto key = text.starts_with('"') ? unquoted(text) : std::string(text);
    if (!key || key->empty() || key->size() > kMostBytes || !std::ranges::all_of(*key, is_visible))
        return std::nullopt;
    return key;
}

Bytes32 hash_of(HttpRequest const& request) {
    std::string const text = request.method + " " + request.target + "\n" + request.body;
    return sha256(as_bytes(text));
}

}  // namespace

std::expected<std::optional<IdempotencyClaim>, Problem> read_claim(HttpRequest const& request) {
    auto const count =
        std::ranges::count(request.headers, kHeader, &std::pair<std::string, std::string>::first);
    if (count == 0) return std::nullopt;
    auto key = count == 1 ? parse_key(request.header(kHeader)) : std::nullopt;
    if (!key) {
        return std::unexpected(
            Problem{.kind = kInvalidRequest,
                    .detail = "Idempotency-Key: must be one key of 1 to 255 visible ASCII "
                              "characters, such as a UUID in quotes"});
    }
    return IdempotencyClaim{.key = std::move(*key), .request_hash = hash_of(request)};
}

std::expected<HttpResponse, Problem> answer_again(UsedKey const& used,
                                                  IdempotencyClaim const& claim) {
    if (used.request_hash != claim.request_hash) {
        return std::unexpected(
            Problem{.kind = kKeyReused,
                    .detail = "This Idempotency-Key was sent with another request before. A new "
                              "request needs a new key."});
    }
    KeptAnswer const answer = used.answer.value_or(KeptAnswer{});
    auto response = text_response(answer.status, "application/json", answer.body);
    if (!answer.location.empty()) response.with("location", answer.location);
    response.with("idempotent-replayed", "true");
    return response;
}

RunningKeys::Hold::Hold(RunningKeys& keys, Name name) : keys_(keys), name_(std::move(name)) {
    held_ = keys_.running_.insert(name_).second;
}

RunningKeys::Hold::~Hold() {
    if (held_) keys_.running_.erase(name_);
}

}  // namespace sycee
