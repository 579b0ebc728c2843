#include "broker/tls/client_trust.hpp"

#include "broker/files/small_file.hpp"
#include "broker/tls/context.hpp"
#include "broker/tls/openssl_error.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <utility>

namespace tls {

namespace {

using BioRef = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificateRef = std::shared_ptr<X509>;
using CrlRef = std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)>;

constexpr std::size_t ca_octets_max = std::size_t{1} << 20U;
constexpr std::size_t crl_octets_max = std::size_t{16} << 20U;
constexpr std::size_t announced_max = 64;  // Names of CAs that clients are told.
constexpr long chain_octets_max = 32L * 1024;
constexpr int chain_length_max = 8;

std::string read(const std::string& file, std::size_t octets_max, const char* what) {
    files::SmallFile read = files::read_small_file(file, octets_max);
    if (read.error.empty()) { return std::move(read.text); }
    throw Error(
        std::string("cannot use the ") + what + " \"" + file + "\" (" + read.error +
        "): name a PEM file that the broker's user may read"
    );
}

BioRef bio_over(const std::string& text) {
    ERR_clear_error();
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// After the last of its kind there is no further beginning; whatever else it says is a fault.
bool is_at_end() {
    const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_end) { ERR_clear_error(); }
    return is_end;
}

void add_authorities(ClientTrust& trust, const std::string& file) {
    const std::string text = read(file, ca_octets_max, "client CA file");
    const BioRef bio = bio_over(text);
    for (;;) {
        const CertificateRef found(
            PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free
        );
        if (!found) { break; }
        require(X509_STORE_add_cert(trust.store.get(), found.get()) == 1, "client CA");
        trust.authorities.push_back(found);
    }
    const bool is_whole = !trust.authorities.empty() && is_at_end();
    if (is_whole) { return; }
    fail(
        "cannot use the client CA file \"" + file + "\"",
        "it must have the certificates, in PEM, of those who issue clients' certificates"
    );
}

bool is_outdated(const X509_CRL& crl) {
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(&crl);
    return next != nullptr && X509_cmp_current_time(next) < 0;
}

void add_crls(ClientTrust& trust, const std::string& file) {
    const std::string text = read(file, crl_octets_max, "CRL");
    const BioRef bio = bio_over(text);
    std::size_t count = 0;
    for (;; ++count) {
        const CrlRef found(
            PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr), &X509_CRL_free
        );
        if (!found) { break; }
        require(X509_STORE_add_crl(trust.store.get(), found.get()) == 1, "CRL");
        if (!is_outdated(*found)) { continue; }
        trust.warnings.push_back(
            "the CRL \"" + file +
            "\" is out of date: certificates of its CA are refused; put a newer one there"
        );
    }
    const bool is_whole = count != 0 && is_at_end();
    if (is_whole) { return; }
    fail("cannot use the CRL \"" + file + "\"", "it must have one revocation list or more, in PEM");
}

void check_mode(const ServerFiles& files) {
    const bool is_off = files.client_certificates == ClientCertificates::off;
    if (!is_off && files.client_ca_file.empty()) {
        throw Error("client certificates need a client CA file: name it in client_ca");
    }
    if (is_off && (!files.client_ca_file.empty() || !files.crl_files.empty())) {
        throw Error(
            "there is a client CA or CRL, but clients are not asked for certificates: set "
            "client_certificates"
        );
    }
}

}  // namespace

void ClientTrust::apply(SSL_CTX& context) const {
    if (mode == ClientCertificates::off) { return; }
    SSL_CTX_set1_cert_store(&context, store.get());
    const int fatal = mode == ClientCertificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | fatal, nullptr);
    // OpenSSL counts those between the first and the last.
    SSL_CTX_set_verify_depth(&context, chain_length_max - 2);
    SSL_CTX_ctrl(&context, SSL_CTRL_SET_MAX_CERT_LIST, chain_octets_max, nullptr);
    // A long list would not fit the handshake; without one clients send what they have.
    if (authorities.size() > announced_max) { return; }
    for (const auto& authority : authorities) {
        require(SSL_CTX_add_client_CA(&context, authority.get()) == 1, "name of a client CA");
    }
}

ClientTrust read_client_trust(const ServerFiles& files) {
    check_mode(files);
    ClientTrust trust;
    trust.mode = files.client_certificates;
    if (trust.mode == ClientCertificates::off) { return trust; }
    trust.store = {X509_STORE_new(), &X509_STORE_free};
    require(trust.store != nullptr, "store of client CAs");
    add_authorities(trust, files.client_ca_file);
    for (const std::string& file : files.crl_files) {
        add_crls(trust, file);
    }
    // Every certificate of a chain is looked up: a CA's CRL that is missing refuses too.
    const unsigned long flags =
        files.crl_files.empty() ? 0 : X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    require(X509_STORE_set_flags(trust.store.get(), flags) == 1, "revocation");
    return trust;
}

}  // namespace tls
