// Certificates and revocation lists with OpenSSL's own functions. Failures are test failures.
#include "tests/tls/authority.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <stdlib.h>

namespace tls {

namespace {

using BioRef = std::unique_ptr<BIO, decltype(&BIO_free)>;

long next_serial() {
    static long serial = 100;
    return ++serial;
}

KeyRef make_key() {
    return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

void add_subject(X509* certificate, const Recipe& recipe) {
    X509_NAME* const name = X509_get_subject_name(certificate);
    for (const auto& [kind, value] : recipe.subject) {
        const auto* const octets = reinterpret_cast<const unsigned char*>(value.data());
        const int size = static_cast<int>(value.size());
        EXPECT_EQ(X509_NAME_add_entry_by_NID(name, kind, recipe.text_type, octets, size, -1, 0), 1);
    }
}

// By hand: OpenSSL's own texts for names know no NUL.
void add_names(X509* certificate, const Recipe& recipe) {
    if (recipe.names.empty()) { return; }
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
        GENERAL_NAMES_new(), &GENERAL_NAMES_free
    );
    for (const auto& [kind, value] : recipe.names) {
        ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, value.data(), static_cast<int>(value.size()));
        GENERAL_NAME* const name = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(name, kind, text);
        sk_GENERAL_NAME_push(names.get(), name);
    }
    EXPECT_EQ(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0), 1);
}

void add_extension(X509* certificate, int kind, const char* text) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, text);
    EXPECT_EQ(X509_add_ext(certificate, extension, -1), 1) << text;
    X509_EXTENSION_free(extension);
}

CertificateRef make_certificate(const Recipe& recipe, EVP_PKEY* key, const Issued* issuer) {
    CertificateRef made(X509_new(), &X509_free);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), next_serial());
    X509_gmtime_adj(X509_getm_notBefore(made.get()), recipe.begins_s);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), recipe.ends_s);
    add_subject(made.get(), recipe);
    const X509* const signer = issuer == nullptr ? made.get() : issuer->certificate.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
    X509_set_pubkey(made.get(), key);
    add_names(made.get(), recipe);
    if (recipe.is_authority) {
        add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
        add_extension(made.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    EVP_PKEY* const signing = issuer == nullptr ? key : issuer->key.get();
    EXPECT_GT(X509_sign(made.get(), signing, EVP_sha256()), 0);
    return made;
}

BioRef open_file(const std::filesystem::path& path) {
    return {BIO_new_file(path.c_str(), "w"), &BIO_free};
}

void set_time(X509_CRL* crl, long from_now, int (*set)(X509_CRL*, const ASN1_TIME*)) {
    ASN1_TIME* const time = X509_gmtime_adj(nullptr, from_now);
    set(crl, time);
    ASN1_TIME_free(time);
}

}  // namespace

Authority::Authority(const std::string& name) {
    std::string folder = testing::TempDir() + "stampede-ca-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    Recipe recipe;
    recipe.subject = {{NID_commonName, name}};
    recipe.is_authority = true;
    self_.key = make_key();
    self_.certificate = make_certificate(recipe, self_.key.get(), nullptr);
    EXPECT_EQ(PEM_write_bio_X509(open_file(ca_file()).get(), self_.certificate.get()), 1);
}

Authority::~Authority() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Issued Authority::issue(const Recipe& recipe) const {
    return issue_by(self_, recipe);
}

Issued Authority::issue_by(const Issued& issuer, const Recipe& recipe) {
    Issued issued;
    issued.key = make_key();
    issued.certificate = make_certificate(recipe, issued.key.get(), &issuer);
    return issued;
}

PairFiles Authority::write(const std::string& name, const Issued& issued) const {
    const PairFiles files{
        (folder_ / (name + ".pem")).string(), (folder_ / (name + "-key.pem")).string()};
    EXPECT_EQ(
        PEM_write_bio_X509(open_file(files.certificate_file).get(), issued.certificate.get()), 1
    );
    EXPECT_EQ(
        PEM_write_bio_PKCS8PrivateKey(
            open_file(files.key_file).get(), issued.key.get(), nullptr, nullptr, 0, nullptr, nullptr
        ),
        1
    );
    std::filesystem::permissions(files.key_file, static_cast<std::filesystem::perms>(0600));
    return files;
}

std::string Authority::write_crl(const std::vector<Issued>& revoked, long next_s) const {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> crl(X509_CRL_new(), &X509_CRL_free);
    X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(self_.certificate.get()));
    set_time(crl.get(), -3600, &X509_CRL_set1_lastUpdate);
    set_time(crl.get(), next_s, &X509_CRL_set1_nextUpdate);
    for (const Issued& issued : revoked) {
        X509_REVOKED* const entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(issued.certificate.get()));
        ASN1_TIME* const now = X509_gmtime_adj(nullptr, 0);
        X509_REVOKED_set_revocationDate(entry, now);
        ASN1_TIME_free(now);
        X509_CRL_add0_revoked(crl.get(), entry);
    }
    EXPECT_GT(X509_CRL_sign(crl.get(), self_.key.get(), EVP_sha256()), 0);
    EXPECT_EQ(PEM_write_bio_X509_CRL(open_file(crl_file()).get(), crl.get()), 1);
    return crl_file();
}

}  // namespace tls
