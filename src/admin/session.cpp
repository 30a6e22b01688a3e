#include "session.hpp"

#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/random.hpp>

namespace sycee::admin {

Bytes32 SessionToken::hash() const {
    return sha256(bytes);
}

std::string SessionToken::form_token() const {
    return to_hex(hmac_sha256(bytes, as_bytes("sycee.admin.form.1")));
}

bool SessionToken::matches_form_token(std::string const& sent) const {
    return equal_in_constant_time(as_bytes(sent), as_bytes(form_token()));
}

std::string SessionToken::seal(std::string_view text) const {
    return to_hex(hmac_sha256(bytes, as_bytes("sycee.admin.seal.1\n" + std::string(text))));
}

SessionToken new_session_token() {
    return {random_bytes<32>()};
}

std::optional<SessionToken> SessionCookie::read(HttpRequest const& request) const {
    auto const bytes = bytes_from_hex<32>(request.cookie(name()));
    if (!bytes) return std::nullopt;
    return SessionToken{*bytes};
}

std::string SessionCookie::write(SessionToken const& token) const {
    auto const seconds = std::chrono::seconds(kSessionTime).count();
    return name() + "=" + to_hex(token.bytes) + attributes() +
           "; Max-Age=" + std::to_string(seconds);
}

std::string SessionCookie::remove() const {
    return name() + "=" + attributes() + "; Max-Age=0";
}

std::string SessionCookie::attributes() const {
    return std::string("; Path=/; HttpOnly; SameSite=Strict") + (secure_ ? "; Secure" : "");
}

}  // namespace sycee::admin
