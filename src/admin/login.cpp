#include "login.hpp"

#include <sycee/runtime/log.hpp>
#include <sycee/runtime/password.hpp>
#include <sycee/runtime/random.hpp>

#include <string_view>

namespace sycee::admin {
namespace {

constexpr std::size_t kLongestName = 200;

// Length of the UTF-8 character that `text` begins with; 0: none (RFC 3629).
std::size_t character_length(std::string_view text) {
    auto const byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    unsigned const first = byte(0);
    if (first < 0x80) return 1;
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned lowest = 0x80;
    unsigned highest = 0xbf;
    if (first == 0xe0) lowest = 0xa0;   // overlong
    if (first == 0xed) highest = 0x9f;  // surrogates
    if (first == 0xf0) lowest = 0x90;   // overlong
    if (first == 0xf4) highest = 0x8f;  // beyond U+10FFFF
    if (first < 0xc2 || first > 0xf4 || byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    }
    return length;
}

// What the database could not even look up: it would be an error there instead of an unknown name.
bool can_be_a_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestName) return false;
    while (!name.empty()) {
        std::size_t const length = character_length(name);
        bool const control =
            static_cast<unsigned char>(name.front()) < 0x20 || name.front() == 0x7f;
        if (length == 0 || control) return false;
        name.remove_prefix(length);
    }
    return true;
}

}  // namespace

Login::Login(AccessPort& access, WorkerPool& workers, Clock& clock, Metrics& metrics)
    : access_(access),
      workers_(workers),
      clock_(clock),
      metrics_(metrics),
      nobodys_hash_(hash_password(Secret(to_hex(random_bytes<32>())))) {}

Task<LoginAnswer> Login::attempt(std::string name, Secret password, std::string peer) {
    LoginAnswer answer;
    answer.wait = throttle_.wait(name, peer, clock_.now());
    if (answer.wait.count() > 0) {
        metrics_.count("sycee_admin_logins_total", {{"result", "throttled"}});
        co_return answer;
    }
    throttle_.begin(name, peer, clock_.now());
    std::optional<Operator> found;
    if (can_be_a_name(name)) found = co_await access_.find_operator(name);
    std::string const hash = found ? found->password_hash : nobodys_hash_;
    auto verify = [&hash, &password] { return verify_password(hash, password); };
    bool const right = co_await workers_.call(verify);
    if (!found || !right) {
        metrics_.count("sycee_admin_logins_total", {{"result", "failed"}});
        log_warning("admin", "login failed", {{"peer", peer}});
        co_return answer;
    }
    throttle_.succeeded(name, peer);
    SessionToken const token = new_session_token();
    co_await access_.create_session(token.hash(), found->id, clock_.now() + kSessionTime);
    metrics_.count("sycee_admin_logins_total", {{"result", "succeeded"}});
    log_info("admin", "logged in", {{"operator", found->name}, {"peer", peer}});
    answer.token = token;
    co_return answer;
}

}  // namespace sycee::admin
