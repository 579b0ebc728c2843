// Protocol versions, cipher suites, options and files of every SSL_CTX.
// TLS 1.3 suites are OpenSSL's defaults, all of them AEAD; no tickets, so nothing to rotate.
#include "broker/tls/context.hpp"

#include "broker/files/small_file.hpp"
#include "broker/tls/client_identity.hpp"
#include "broker/tls/client_trust.hpp"
#include "broker/tls/openssl_error.hpp"
#include "broker/tls/server_names.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <sys/stat.h>
#include <utility>

namespace tls {

namespace {

using ContextRef = std::shared_ptr<SSL_CTX>;

constexpr const char* suites_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

ContextRef make_context(const SSL_METHOD* method) {
    ERR_clear_error();
    ContextRef context(SSL_CTX_new(method), &SSL_CTX_free);
    require(context != nullptr, "SSL_CTX_new");
    require(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "minimum version");
    require(SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) == 1, "maximum version");
    require(SSL_CTX_set_cipher_list(context.get(), suites_1_2) == 1, "cipher suites");
    SSL_CTX_set_options(
        context.get(),
        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA
    );
    SSL_CTX_set_mode(
        context.get(),
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
            SSL_MODE_RELEASE_BUFFERS
    );
    return context;
}

// Chooses http/1.1 if offered; a client that offers only other protocols goes on without ALPN.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(
        &chosen, out_size, ours.data(), static_cast<unsigned>(ours.size()), offered, offered_size
    );
    if (result != OPENSSL_NPN_NEGOTIATED) { return SSL_TLSEXT_ERR_NOACK; }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

void use_certificate(SSL_CTX& context, const std::string& file) {
    if (SSL_CTX_use_certificate_chain_file(&context, file.c_str()) == 1) { return; }
    fail(
        "cannot use the TLS certificate \"" + file + "\"",
        "it must be a readable PEM file with the owner's certificate first, then its chain"
    );
}

void use_key(SSL_CTX& context, const std::string& file, const std::string& certificate_file) {
    // Checked after loading: with the certificate in place a foreign key is refused here already.
    if (SSL_CTX_use_PrivateKey_file(&context, file.c_str(), SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(&context) == 1) {
        return;
    }
    const bool is_foreign = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                            ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    if (is_foreign) {
        fail(
            "the TLS key \"" + file + "\" does not belong to the certificate \"" +
                certificate_file + "\"",
            "name the key that the certificate was made for"
        );
    }
    fail(
        "cannot use the TLS key \"" + file + "\"",
        "it must be a PEM file without passphrase that we may read"
    );
}

// Without this an encrypted key would make OpenSSL ask for its passphrase on the terminal.
int refuse_passphrase(char*, int, int, void*) {
    return -1;
}

void use_pair(SSL_CTX& context, const PairFiles& pair) {
    SSL_CTX_set_default_passwd_cb(&context, &refuse_passphrase);
    use_certificate(context, pair.certificate_file);
    use_key(context, pair.key_file, pair.certificate_file);
}

bool is_address(const std::string& host) {
    const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> address(
        a2i_IPADDRESS(host.c_str()), &ASN1_OCTET_STRING_free
    );
    ERR_clear_error();
    return address != nullptr;
}

// SSL_set_tlsext_host_name is a macro with an old-style cast.
bool send_server_name(SSL& ssl, std::string host) {
    void* const name = host.data();
    return SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

std::string octal(unsigned mode) {
    std::string digits = "0";
    for (const unsigned shift : {6U, 3U, 0U}) {
        digits += static_cast<char>('0' + ((mode >> shift) & 7U));
    }
    return digits;
}

// S-TLS-03.
void check_key_mode(
    const std::string& key_file, bool is_strict, std::vector<std::string>& warnings
) {
    struct stat status {};

    if (::stat(key_file.c_str(), &status) != 0) { return; }
    if (!files::is_looser(status.st_mode, 0640U)) { return; }
    const std::string what =
        "the TLS key \"" + key_file + "\" has mode " + octal(status.st_mode & 0777U) +
        ", looser than 0640: others may read it; run chmod 0640 \"" + key_file + "\"";
    if (is_strict) { throw Error(what); }
    warnings.push_back(what);
}

// One certificate with its key. Chains are sent as they are in the file, never completed from what
// clients are verified with.
ContextRef make_pair_context(const PairFiles& pair) {
    ContextRef context = make_context(TLS_server_method());
    SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN);
    use_pair(*context, pair);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    // With NO_TICKET alone TLS 1.3 would still send stateful tickets that nothing can redeem.
    require(SSL_CTX_set_num_tickets(context.get(), 0) == 1, "session tickets");
    SSL_CTX_set_alpn_select_cb(context.get(), &select_alpn, nullptr);
    return context;
}

}  // namespace

ServerSide make_server_context(const ServerFiles& files) {
    if (files.pairs.empty()) { throw Error("a TLS listener needs a certificate and its key"); }
    ServerSide side;
    const ClientTrust trust = read_client_trust(files);
    auto names = std::make_unique<ServerNames>();
    for (const PairFiles& pair : files.pairs) {
        ContextRef context = make_pair_context(pair);
        trust.apply(*context);
        check_key_mode(pair.key_file, files.strict_file_modes, side.warnings);
        const bool is_first = side.context == nullptr;
        const std::int64_t expiry = expiry_of(*SSL_CTX_get0_certificate(context.get()));
        side.expires_at = is_first ? expiry : std::min(side.expires_at, expiry);
        names->add(*context, is_first ? nullptr : context);
        if (is_first) { side.context = std::move(context); }
    }
    side.warnings.insert(side.warnings.end(), trust.warnings.begin(), trust.warnings.end());
    if (files.pairs.size() > 1) { ServerNames::attach(std::move(names), *side.context); }
    return side;
}

std::shared_ptr<SSL_CTX> make_client_context(const std::string& ca_file, const PairFiles& own) {
    ContextRef context = make_context(TLS_client_method());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (ca_file.empty()) {
        require(SSL_CTX_set_default_verify_paths(context.get()) == 1, "system certificates");
    } else if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
        fail(
            "cannot use the CA file \"" + ca_file + "\"",
            "it must be a readable PEM file with the certificates to trust"
        );
    }
    if (own.is_set()) { use_pair(*context, own); }
    return context;
}

void set_peer_name(SSL& ssl, const std::string& host) {
    ERR_clear_error();
    if (is_address(host)) {
        require(
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), host.c_str()) == 1, "peer address"
        );
        return;
    }
    SSL_set_hostflags(&ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool is_name = !host.empty() && host.find('\0') == std::string::npos;
    if (!is_name || !send_server_name(ssl, host) || SSL_set1_host(&ssl, host.c_str()) != 1) {
        fail("\"" + host + "\" cannot be the name of a TLS peer", "give a host name or an address");
    }
}

}  // namespace tls
