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

std::string wait_text(std::chrono::seconds wait) {
    auto const seconds = wait.count();
    std::string const time = seconds < 120 ? std::to_string(seconds) + " seconds"
                                           : std::to_string((seconds + 59) / 60) + " minutes";
    return "Too many attempts. Try again in " + time + ".";
}

Task<PasswordAnswer> Login::check(std::string name, Secret password, std::string peer,
                                  std::string_view metric) {
    PasswordAnswer answer;
    auto const count = [&](std::string_view result) {
        metrics_.count(metric, {{"result", std::string(result)}});
    };
    answer.wait = throttle_.wait(name, peer, clock_.now());
    if (answer.wait.count() > 0) {
        count("throttled");
        co_return answer;
    }
    throttle_.begin(name, peer, clock_.now());
    std::optional<Operator> found;
    if (can_be_a_name(name)) found = co_await access_.find_operator(name);
    std::string const hash = found ? found->password_hash : nobodys_hash_;
    auto verify = [&hash, &password] { return verify_password(hash, password); };
    bool const right = co_await workers_.call(verify);
    if (!found || !right) {
        count("failed");
        co_return answer;
    }
    throttle_.succeeded(name, peer, clock_.now());
    count("succeeded");
    answer.who = std::move(found);
    co_return answer;
}

Task<LoginAnswer> Login::attempt(std::string name, Secret password, std::string peer) {
    auto const checked =
        co_await check(std::move(name), std::move(password), peer, "sycee_admin_logins_total");
    LoginAnswer answer{.token = std::nullopt, .wait = checked.wait};
    if (!checked.who) {
        if (checked.wait.count() == 0) log_warning("admin", "login failed", {{"peer", peer}});
        co_return answer;
    }
    SessionToken const token = new_session_token();
    co_await access_.create_session(token.hash(), checked.who->id, clock_.now() + kSessionTime);
    log_info("admin", "logged in", {{"operator", checked.who->name}, {"peer", peer}});
    answer.token = token;
    co_return answer;
}

Task<PasswordAnswer> Login::confirm(std::string name, Secret password, std::string peer) {
    auto answer =
        co_await check(name, std::move(password), peer, "sycee_admin_confirmations_total");
    if (!answer.who && answer.wait.count() == 0) {
        log_warning("admin", "an operator's password was not confirmed",
                    {{"operator", name}, {"peer", peer}});
    }
    co_return answer;
}

}  // namespace sycee::admin
