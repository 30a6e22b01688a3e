#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include "login_throttle.hpp"
#include "session.hpp"

#include <optional>
#include <string>

namespace sycee::admin {

struct LoginAnswer {
    std::optional<SessionToken> token;  // logged in
    std::chrono::seconds wait{0};       // above zero: too many failures
};

// Checks a name and a password. A name that nobody has costs the same time and gets the same answer
// as a wrong password.
class Login {
  public:
    Login(AccessPort& access, WorkerPool& workers, Clock& clock, Metrics& metrics);

    Task<LoginAnswer> attempt(std::string name, Secret password, std::string peer);

  private:
    AccessPort& access_;
    WorkerPool& workers_;
    Clock& clock_;
    Metrics& metrics_;
    LoginThrottle throttle_;
    std::string nobodys_hash_;
};

}  // namespace sycee::admin
