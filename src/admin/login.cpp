#include "login.hpp"

#include <sycee/base/utf8.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/password.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>
#include <string_view>

namespace sycee::admin {
namespace {

constexpr std::size_t kLongestName = 200;

// What the database could not even look up: it would be an error there instead of an unknown name.
bool can_be_a_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestName) return false;
    bool const control = std::ranges::any_of(
        name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    return !control && is_utf8(name);
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
    throttle_.succeeded(name, peer, clock_.now());
    SessionToken const token = new_session_token();
    co_await access_.create_session(token.hash(), found->id, clock_.now() + kSessionTime);
    metrics_.count("sycee_admin_logins_total", {{"result", "succeeded"}});
    log_info("admin", "logged in", {{"operator", found->name}, {"peer", peer}});
    answer.token = token;
    co_return answer;
}

}  // namespace sycee::admin
