#pragma once

#include <sycee/base/secret.hpp>
#include <sycee/base/time.hpp>

#include <memory>
#include <string>

namespace sycee {

// What an HTTPS server shows and proves, in PEM: its certificate, followed by those that lead to an
// authority; and its key.
struct TlsMaterial {
    std::string certificate_chain;
    Secret key;
};

// TLS 1.2 and 1.3 for an HttpServer. Connections that are open keep the certificate that they began
// with; those that come after use() get the new one.
class ServerTls {
  public:
    // Throws std::runtime_error that says what is wrong: text that is no certificate or key, a key
    // of another certificate, a certificate that has expired at `now`.
    ServerTls(TlsMaterial const& material, Timestamp now);
    ServerTls(ServerTls const&) = delete;
    ServerTls& operator=(ServerTls const&) = delete;
    ~ServerTls();

    // Throws as above, and then keeps what it has.
    void use(TlsMaterial const& material, Timestamp now);
    // When the certificate ends.
    Timestamp expires_at() const;

    struct Context;
    std::shared_ptr<Context> context() const { return context_; }

  private:
    std::shared_ptr<Context> context_;
};

}  // namespace sycee
