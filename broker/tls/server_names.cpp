#include "broker/tls/server_names.hpp"

#include "broker/tls/openssl_error.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tls {

namespace {

constexpr std::size_t name_bytes_max = 255;

std::string lower(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c - 'A' + 'a'); }
    }
    return text;
}

void free_names(void*, void* names, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<ServerNames*>(names);
}

int names_index() {
    static const int index =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, &free_names);
    return index;
}

int choose(SSL* ssl, int*, void* names) {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) { return SSL_TLSEXT_ERR_NOACK; }
    SSL_CTX* const chosen = static_cast<const ServerNames*>(names)->find(name);
    if (chosen == nullptr) { return SSL_TLSEXT_ERR_NOACK; }
    return SSL_set_SSL_CTX(ssl, chosen) != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

void ServerNames::add(SSL_CTX& of, const std::shared_ptr<SSL_CTX>& chosen) {
    const X509* const certificate = SSL_CTX_get0_certificate(&of);
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)
        ),
        &GENERAL_NAMES_free
    );
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) { continue; }
        const auto* const octets =
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
        const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
        contexts_.emplace(lower({octets, size}), chosen);
    }
}

SSL_CTX* ServerNames::find(std::string_view name) const {
    if (name.size() > name_bytes_max) { return nullptr; }
    const std::string wanted = lower(name);
    auto found = contexts_.find(wanted);
    const std::size_t dot = wanted.find('.');
    if (found == contexts_.end() && dot != std::string::npos && dot != 0) {
        found = contexts_.find("*" + wanted.substr(dot));
    }
    return found == contexts_.end() ? nullptr : found->second.get();
}

void ServerNames::attach(std::unique_ptr<ServerNames> names, SSL_CTX& first) {
    require(SSL_CTX_set_ex_data(&first, names_index(), names.get()) == 1, "server names");
    ServerNames* const kept = names.release();  // By `first` from here on.
    SSL_CTX_callback_ctrl(
        &first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(&choose)
    );
    SSL_CTX_ctrl(&first, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, kept);
}

}  // namespace tls
