#include "broker/tls/client_identity.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

namespace tls {

namespace {

struct AlternativeNames {
    std::vector<std::string> uris;
    std::vector<std::string> emails;
    std::string fault;
};

std::string_view octets_of(const ASN1_STRING* text) {
    return {
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
        static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

void take(AlternativeNames& names, const GENERAL_NAME& name) {
    const bool is_uri = name.type == GEN_URI;
    const bool is_email = name.type == GEN_EMAIL;
    if (!is_uri && !is_email && name.type != GEN_DNS) { return; }
    const std::string_view text = octets_of(name.d.ia5);
    if (text.find('\0') != std::string_view::npos) {
        names.fault = "a name of the certificate has a NUL";
    }
    if (!is_uri && !is_email) { return; }
    if (text.empty() || !is_visible_ascii(text)) {
        names.fault = "a URI or e-mail address of the certificate is not visible ASCII";
    }
    (is_uri ? names.uris : names.emails).emplace_back(text);
}

AlternativeNames alternative_names(const X509& certificate) {
    AlternativeNames names;
    int found = -1;
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> list(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(&certificate, NID_subject_alt_name, &found, nullptr)
        ),
        &GENERAL_NAMES_free
    );
    // -1: there are none; -2: more than once; else what is there cannot be read.
    if (!list && found != -1) { names.fault = "the certificate's alternative names are malformed"; }
    for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
        take(names, *sk_GENERAL_NAME_value(list.get(), i));
    }
    return names;
}

std::string fault_of_subject(const X509_NAME* subject) {
    for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
        unsigned char* text = nullptr;
        const int size =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
        if (size < 0) { return "the certificate's subject cannot be read"; }
        const bool has_nul = std::find(text, text + size, '\0') != text + size;
        OPENSSL_free(text);
        if (has_nul) { return "the certificate's subject has a NUL"; }
    }
    return {};
}

// As `openssl x509 -subject -nameopt RFC2253` prints it: what could be taken for a separator is
// escaped, so that two subjects never read alike.
std::string text_of(const X509_NAME* subject) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    if (!out || X509_NAME_print_ex(out.get(), subject, 0, XN_FLAG_RFC2253) < 0) { return {}; }
    char* text = nullptr;
    const long size = BIO_ctrl(out.get(), BIO_CTRL_INFO, 0, &text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

ClientIdentity refused(std::string why) {
    ClientIdentity identity;
    identity.fault = std::move(why);
    return identity;
}

ClientIdentity named(std::string text, const X509& certificate) {
    if (text.size() > identity_octets_max) {
        return refused("the certificate's identity is longer than 1,024 octets");
    }
    ClientIdentity identity;
    identity.text = std::move(text);
    identity.expires_at = expiry_of(certificate);
    return identity;
}

ClientIdentity decide(const X509& certificate) {
    const X509_NAME* const subject = X509_get_subject_name(&certificate);
    const AlternativeNames names = alternative_names(certificate);
    if (!names.fault.empty()) { return refused(names.fault); }
    if (auto fault = fault_of_subject(subject); !fault.empty()) { return refused(fault); }
    if (names.uris.size() > 1) { return refused("the certificate has several URIs"); }
    if (!names.uris.empty()) { return named("uri:" + names.uris.front(), certificate); }
    if (names.emails.size() > 1) { return refused("the certificate has several e-mail addresses"); }
    if (!names.emails.empty()) { return named("email:" + names.emails.front(), certificate); }
    const std::string text = text_of(subject);
    if (text.empty()) { return refused("the certificate names nobody"); }
    return named("dn:" + text, certificate);
}

}  // namespace

std::int64_t expiry_of(const X509& certificate) {
    std::tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) { return 1; }
    return static_cast<std::int64_t>(::timegm(&time)) * 1000;
}

ClientIdentity identity_of(const X509& certificate) {
    ClientIdentity identity = decide(certificate);
    ERR_clear_error();
    return identity;
}

}  // namespace tls
