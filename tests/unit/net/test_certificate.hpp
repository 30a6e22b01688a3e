#pragma once

#include <boost/asio/ssl/context.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace sycee {

// A key with a certificate that it signed itself, for one name; trusted by whoever is told so.
class TestCertificate {
  public:
    // Of the serial number, and ending in so many seconds.
    explicit TestCertificate(std::string const& alternative_name, long serial = 1,
                             long seconds = 3600) {
        require(X509_set_version(certificate_.get(), 2) == 1);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), seconds);
        auto* name = X509_get_subject_name(certificate_.get());
        auto const* common = reinterpret_cast<unsigned char const*>("sycee test");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
        X509_set_issuer_name(certificate_.get(), name);
        X509_set_pubkey(certificate_.get(), key_.get());
        extend(NID_basic_constraints, "critical,CA:TRUE");
        extend(NID_subject_alt_name, alternative_name);
        require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
    }

    boost::asio::ssl::context server_context() const {
        boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
        require(SSL_CTX_use_certificate(context.native_handle(), certificate_.get()) == 1);
        require(SSL_CTX_use_PrivateKey(context.native_handle(), key_.get()) == 1);
        return context;
    }

    std::string certificate_pem() const {
        return text_of([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
    }
    // Encrypted where a passphrase is given.
    std::string key_pem(std::string passphrase = "") const {
        return text_of([&](BIO* bio) {
            auto const* cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
            return PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), cipher, nullptr, 0, nullptr,
                                                 passphrase.data());
        });
    }

    void write_to(std::string const& path) const {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "w"),
                                                                   &std::fclose);
        require(file != nullptr && PEM_write_X509(file.get(), certificate_.get()) == 1);
    }

  private:
    static void require(bool holds) {
        if (!holds) throw std::runtime_error("the test certificate can't be made");
    }

    template <class Write>
    static std::string text_of(Write write) {
        std::unique_ptr<BIO, int (*)(BIO*)> const bio(BIO_new(BIO_s_mem()), &BIO_free);
        require(bio != nullptr && write(bio.get()) == 1);
        char* data = nullptr;
        auto const size = BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }

    void extend(int nid, std::string const& value) {
        auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
        require(extension != nullptr);
        X509_add_ext(certificate_.get(), extension, -1);
        X509_EXTENSION_free(extension);
    }

    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_{
        EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free};
    std::unique_ptr<X509, void (*)(X509*)> certificate_{X509_new(), &X509_free};
};

// OpenSSL's own variable: contexts made while this lives trust the certificates of that file only.
class TrustedFile {
  public:
    explicit TrustedFile(std::string path) : path_(std::move(path)) {
        ::setenv("SSL_CERT_FILE", path_.c_str(), 1);
    }
    TrustedFile(TrustedFile const&) = delete;
    TrustedFile& operator=(TrustedFile const&) = delete;
    ~TrustedFile() {
        ::unsetenv("SSL_CERT_FILE");
        std::remove(path_.c_str());
    }

  private:
    std::string path_;
};

}  // namespace sycee
