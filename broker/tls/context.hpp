// The one place that builds an SSL_CTX, for listeners and for clients (S-TLS-01, S-TLS-04).
// Reads files, so it blocks: at the start, and on the first shard at a reload. Errors are
// exceptions of one sentence that names the file and what to do.
#pragma once

#include "broker/tls/server_files.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tls {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What accepts, and what is unwise about files that work; the caller logs it at WARN (S-TLS-03).
struct ServerSide {
    std::shared_ptr<SSL_CTX> context;
    std::vector<std::string> warnings = {};  ///< Keys that others may read, CRLs out of date.
    /// When the first of its certificates to expire does, in milliseconds since 1970.
    std::int64_t expires_at = 0;
};

/// A context for accepting: TLS 1.2 and 1.3 only, http/1.1 chosen if the client offers ALPN, the
/// pair by the name that the client asks for, clients' certificates verified as `files` says.
/// Throws Error if a file is missing, unreadable or not PEM, if a key does not belong to its
/// certificate, or if others may read a key and modes are strict.
[[nodiscard]] ServerSide make_server_context(const ServerFiles& files);

/// A context for connecting; it verifies the chain, against `ca_file` or, if that is empty, the
/// system's certificates, and shows `own` if that is set. The caller adds the host name with
/// set_peer_name(). Throws Error as make_server_context() does.
[[nodiscard]] std::shared_ptr<SSL_CTX> make_client_context(
    const std::string& ca_file = {}, const PairFiles& own = {}
);

/// Makes `ssl` send `host` as SNI (unless it is an address) and verify the certificate against it.
/// Throws Error if OpenSSL refuses the name.
void set_peer_name(SSL& ssl, const std::string& host);

}  // namespace tls
