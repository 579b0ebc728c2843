// A certificate authority made for one test: issues what is asked for, odd names included, and
// revokes it. Elliptic curve keys; its folder goes with it.
#pragma once

#include "broker/tls/server_files.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tls {

using KeyRef = std::shared_ptr<EVP_PKEY>;
using CertificateRef = std::shared_ptr<X509>;

/// What a certificate is to say. Texts may hold any octet.
struct Recipe {
    std::vector<std::pair<int, std::string>> subject = {};  ///< NID and value, in this order.
    std::vector<std::pair<int, std::string>> names = {};    ///< GEN_URI, GEN_EMAIL or GEN_DNS.
    long begins_s = -3600;                                  ///< From now.
    long ends_s = 3600;
    int text_type = V_ASN1_UTF8STRING;  ///< Of the subject's values.
    bool is_authority = false;
};

struct Issued {
    CertificateRef certificate;
    KeyRef key;
};

class Authority {
public:
    explicit Authority(const std::string& name = "Test CA");
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    [[nodiscard]] Issued issue(const Recipe& recipe) const;

    /// An authority that this one has issued a certificate to signs the same way.
    [[nodiscard]] static Issued issue_by(const Issued& issuer, const Recipe& recipe);

    /// Writes both; the names of the files begin with `name`.
    [[nodiscard]] PairFiles write(const std::string& name, const Issued& issued) const;

    /// Writes a CRL with `revoked`, due `next_s` from now, over the one before.
    std::string write_crl(const std::vector<Issued>& revoked, long next_s = 3600) const;

    [[nodiscard]] std::string ca_file() const { return (folder_ / "ca.pem").string(); }

    [[nodiscard]] std::string crl_file() const { return (folder_ / "crl.pem").string(); }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
    Issued self_;
};

}  // namespace tls
