#pragma once

#include <sycee/net/server_tls.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <memory>

namespace sycee {

// Has the certificate of the HTTPS server, and reads its files again: when they change, within a
// minute, and at SIGHUP. What is wrong then is logged, and the old certificate stays.
class CertificateKeeper {
  public:
    // Throws std::runtime_error that says what is wrong with the files.
    CertificateKeeper(Executor executor, Config::Server server, Clock& clock, Metrics& metrics);

    // Null where plain HTTP is served.
    std::shared_ptr<ServerTls> tls() const { return tls_; }
    // Ends only by cancellation. For a server with TLS.
    Task<void> run();

  private:
    void read_again();
    void tell_end();

    Executor executor_;
    Config::Server server_;
    Clock& clock_;
    Metrics& metrics_;
    std::shared_ptr<ServerTls> tls_;
    Bytes32 digest_{};  // of the files that are in use
};

}  // namespace sycee
