#include "server_tls_context.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <stdexcept>

namespace sycee {
namespace {
namespace asio = boost::asio;
using boost::system::error_code;
using Context = asio::ssl::context;

// What a browser of this decade speaks: forward secrecy, authenticated encryption.
constexpr char const* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

[[noreturn]] void fail(std::string const& what) {
    throw std::runtime_error("tls: " + what);
}

void require(error_code const& ec, std::string const& what) {
    if (ec) fail(what + ": " + ec.message());
}

Timestamp end_of(X509* certificate) {
    std::tm parts{};
    if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
        fail("the certificate does not say when it ends");
    return timestamp_from_seconds(static_cast<std::int64_t>(::timegm(&parts)));
}

// No protocol but ours is agreed on; a client that names none is served as well.
int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* size,
                    unsigned char const* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char kHttp[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    bool const agreed = SSL_select_next_proto(&found, size, kHttp, sizeof(kHttp) - 1, offered,
                                              offered_size) == OPENSSL_NPN_NEGOTIATED;
    *chosen = found;
    return agreed ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<ServerTls::Context> make(TlsMaterial const& material, Timestamp now) {
    auto made = std::make_shared<ServerTls::Context>();
    Context& ssl = made->ssl;
    error_code ec;
    ssl.set_options(Context::default_workarounds | Context::no_tlsv1 | Context::no_tlsv1_1 |
                        Context::no_compression | SSL_OP_NO_RENEGOTIATION |
                        SSL_OP_CIPHER_SERVER_PREFERENCE,
                    ec);
    require(ec, "the options");
    if (SSL_CTX_set_cipher_list(ssl.native_handle(), kCiphers) != 1) fail("no cipher is there");
    SSL_CTX_set_alpn_select_cb(ssl.native_handle(), choose_protocol, nullptr);
    ssl.use_certificate_chain(asio::buffer(material.certificate_chain), ec);
    require(ec, "the certificate can't be read");
    // OpenSSL would ask at the terminal, and everything wait for it.
    ssl.set_password_callback([](std::size_t, Context::password_purpose) { return std::string(); },
                              ec);
    require(ec, "the options");
    ssl.use_private_key(asio::buffer(material.key.reveal()), Context::pem, ec);
    require(ec, "the key can't be read, or is not the certificate's");
    if (SSL_CTX_check_private_key(ssl.native_handle()) != 1)
        fail("the key is not the certificate's");
    made->expires_at = end_of(SSL_CTX_get0_certificate(ssl.native_handle()));
    if (made->expires_at <= now)
        fail("the certificate has expired on " + to_rfc3339(made->expires_at));
    return made;
}

}  // namespace

ServerTls::ServerTls(TlsMaterial const& material, Timestamp now) : context_(make(material, now)) {}

ServerTls::~ServerTls() = default;

void ServerTls::use(TlsMaterial const& material, Timestamp now) {
    context_ = make(material, now);
}

Timestamp ServerTls::expires_at() const {
    return context_->expires_at;
}

}  // namespace sycee
