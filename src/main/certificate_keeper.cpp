#include "certificate_keeper.hpp"

#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/finish_within.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {
namespace asio = boost::asio;

constexpr std::chrono::minutes kEvery{1};

Bytes32 digest_of(TlsMaterial const& material) {
    return sha256(as_bytes(material.certificate_chain + "\n" + material.key.reveal()));
}

Task<int> next(asio::signal_set& signals) {
    co_return co_await signals.async_wait(asio::use_awaitable);
}

}  // namespace

CertificateKeeper::CertificateKeeper(Executor executor, Config::Server server, Clock& clock,
                                     Metrics& metrics)
    : executor_(std::move(executor)), server_(std::move(server)), clock_(clock), metrics_(metrics) {
    if (server_.tls_certificate_file.empty()) return;
    auto const material = load_tls_material(server_);
    if (!material) throw std::runtime_error("tls: " + to_string(material.error()));
    tls_ = std::make_shared<ServerTls>(*material, clock_.now());
    digest_ = digest_of(*material);
    tell_end();
}

Task<void> CertificateKeeper::run() {
    asio::signal_set signals(executor_, SIGHUP);
    for (;;) {
        auto signal = next(signals);
        co_await result_within(kEvery, std::move(signal));
        read_again();
    }
}

void CertificateKeeper::read_again() {
    auto const material = load_tls_material(server_);
    if (!material) {
        log_error("main", "the certificate can't be read again: the old one stays",
                  {{"why", to_string(material.error())}});
        return;
    }
    auto const digest = digest_of(*material);
    if (digest == digest_) return;
    try {
        tls_->use(*material, clock_.now());
    } catch (std::runtime_error const& error) {
        log_error("main", "the new certificate is not right: the old one stays",
                  {{"why", error.what()}});
        return;
    }
    digest_ = digest;
    tell_end();
}

void CertificateKeeper::tell_end() {
    log_info("main", "the certificate is in use", {{"until", to_rfc3339(tls_->expires_at())}});
    metrics_.set("sycee_tls_certificate_expires_seconds",
                 static_cast<double>(to_unix_seconds(tls_->expires_at())));
}

}  // namespace sycee
