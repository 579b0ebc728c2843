// The one place that builds an SSL_CTX, for listeners and for clients (S-TLS-01, S-TLS-04).
// Start-up only: errors are exceptions of one sentence that names the file and what to do.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tls {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A context for accepting: certificate chain and private key from PEM files, TLS 1.2 and 1.3 only,
/// http/1.1 chosen if the client offers ALPN. Throws Error if a file is missing, unreadable or not
/// PEM, or if the key does not belong to the certificate.
[[nodiscard]] std::shared_ptr<SSL_CTX> make_server_context(
    const std::string& certificate_file, const std::string& key_file
);

/// A context for connecting; it verifies the chain, against `ca_file` or, if that is empty, the
/// system's certificates. The caller adds the host name with set_peer_name().
[[nodiscard]] std::shared_ptr<SSL_CTX> make_client_context(const std::string& ca_file = {});

/// Makes `ssl` send `host` as SNI (unless it is an address) and verify the certificate against it.
/// Throws Error if OpenSSL refuses the name.
void set_peer_name(SSL& ssl, const std::string& host);

/// S-TLS-03: one sentence for each thing that is unwise about a key file that works; the caller
/// logs them at WARN. Empty if the mode is 0640 or tighter, or if the file cannot be looked at.
[[nodiscard]] std::vector<std::string> key_file_warnings(const std::string& key_file);

}  // namespace tls
