#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/net/http_message.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sycee::admin {

constexpr std::chrono::hours kSessionTime{12};

// 32 random bytes in the operator's cookie. The books hold their hash alone.
struct SessionToken {
    Bytes32 bytes{};

    Bytes32 hash() const;
    // Goes with every form of a session; nobody who can't read the cookie can make it.
    std::string form_token() const;
    bool matches_form_token(std::string const& sent) const;
    // Shows later that this session once wrote the text.
    std::string seal(std::string_view text) const;
};

// Who is logged in.
struct Session {
    SessionToken token;
    SessionOperator who;
};

SessionToken new_session_token();

// Reads and writes the cookie: __Host- and Secure where the gateway is seen over https.
class SessionCookie {
  public:
    explicit SessionCookie(bool secure) : secure_(secure) {}

    std::optional<SessionToken> read(HttpRequest const& request) const;
    std::string write(SessionToken const& token) const;
    std::string remove() const;

  private:
    std::string name() const { return secure_ ? "__Host-sycee_session" : "sycee_session"; }
    std::string attributes() const;

    bool secure_;
};

}  // namespace sycee::admin
