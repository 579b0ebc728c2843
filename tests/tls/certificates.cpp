// Makes keys and certificates with OpenSSL's own functions.
// Failures are test failures.
#include "tests/tls/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>
#include <stdlib.h>

namespace tls {

namespace {

using KeyRef = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificateRef = std::unique_ptr<X509, decltype(&X509_free)>;
using BioRef = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long validity_seconds = 3600;

void add_names(X509* certificate, const std::string& text) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, text.c_str()),
        &X509_EXTENSION_free
    );
    EXPECT_EQ(X509_add_ext(certificate, names.get(), -1), 1);
}

CertificateRef make_certificate(EVP_PKEY* key, const std::string& names, long ends_in_s) {
    CertificateRef certificate(X509_new(), &X509_free);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -validity_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends_in_s);
    X509_NAME* const name = X509_get_subject_name(certificate.get());
    const unsigned char text[] = "localhost";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_set_pubkey(certificate.get(), key);
    add_names(certificate.get(), names);
    EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
    return certificate;
}

BioRef open_file(const std::filesystem::path& path) {
    return BioRef(BIO_new_file(path.c_str(), "w"), &BIO_free);
}

void write_key(const std::filesystem::path& path, EVP_PKEY* key, const EVP_CIPHER* cipher) {
    const char* const passphrase = cipher == nullptr ? nullptr : "secret";
    const int done = PEM_write_bio_PKCS8PrivateKey(
        open_file(path).get(), key, cipher, passphrase, cipher == nullptr ? 0 : 6, nullptr, nullptr
    );
    EXPECT_EQ(done, 1);
}

}  // namespace

Certificate::Certificate(const std::string& names, long ends_in_s) {
    std::string directory = testing::TempDir() + "stampede-XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    const KeyRef key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    EXPECT_NE(key, nullptr);
    const CertificateRef certificate = make_certificate(key.get(), names, ends_in_s);
    EXPECT_EQ(PEM_write_bio_X509(open_file(certificate_file()).get(), certificate.get()), 1);
    write_key(key_file(), key.get(), nullptr);
    std::filesystem::permissions(key_file(), static_cast<std::filesystem::perms>(0600));
    write_key(encrypted_key_file(), key.get(), EVP_aes_128_cbc());
}

Certificate::~Certificate() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string Certificate::file_with(const std::string& text) const {
    const std::filesystem::path path = directory_ / "other.pem";
    std::ofstream(path) << text;
    return path.string();
}

}  // namespace tls
