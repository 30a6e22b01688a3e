#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include "login_throttle.hpp"
#include "session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sycee::admin {

struct LoginAnswer {
    std::optional<SessionToken> token;  // logged in
    std::chrono::seconds wait{0};       // above zero: too many failures
};

struct PasswordAnswer {
    std::optional<Operator> who;   // whose password it is
    std::chrono::seconds wait{0};  // above zero: too many failures
};

// For a person who has to wait so long.
std::string wait_text(std::chrono::seconds wait);

// Checks a name and a password. A name that nobody has costs the same time and gets the same answer
// as a wrong password.
class Login {
  public:
    Login(AccessPort& access, WorkerPool& workers, Clock& clock, Metrics& metrics);

    Task<LoginAnswer> attempt(std::string name, Secret password, std::string peer);
    // That it is still the operator who sits there: before what a stolen session must not do.
    // Failures count with those of logins.
    Task<PasswordAnswer> confirm(std::string name, Secret password, std::string peer);

  private:
    Task<PasswordAnswer> check(std::string name, Secret password, std::string peer,
                               std::string_view metric);

    AccessPort& access_;
    WorkerPool& workers_;
    Clock& clock_;
    Metrics& metrics_;
    LoginThrottle throttle_;
    std::string nobodys_hash_;
};

}  // namespace sycee::admin
