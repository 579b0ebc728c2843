// Whom a listener believes: the CAs of its clients, and what they have revoked (S-AUTH-13).
// Read at start and reload. Files are bounded: 1 MiB of CAs, 16 MiB in each CRL file.
#pragma once

#include "broker/tls/server_files.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

namespace tls {

struct ClientTrust {
    ClientCertificates mode = ClientCertificates::off;
    std::shared_ptr<X509_STORE> store;  ///< CAs and CRLs; null if clients are not asked.
    std::vector<std::shared_ptr<X509>> authorities;  ///< Of the store, in the order of the file.
    std::vector<std::string> warnings = {};          ///< CRLs that are out of date.

    /// Makes `context` ask clients for certificates, or not.
    void apply(SSL_CTX& context) const;
};

/// Throws Error if a file is missing, too large or has nothing of what it is for; if certificates
/// are asked for without a CA; or if there is a CA or CRL but nobody is asked. An outdated CRL is a
/// warning: it refuses every certificate of its CA until there is a newer one.
[[nodiscard]] ClientTrust read_client_trust(const ServerFiles& files);

}  // namespace tls
