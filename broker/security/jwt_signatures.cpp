#include "broker/security/jwt_signatures.hpp"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <string>

namespace security {

namespace {

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// A number from 1 to `order` - 1, or nothing.
Bignum scalar(std::string_view octets, const BIGNUM& order) {
    Bignum number(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
    const bool is_good =
        number && BN_is_zero(number.get()) == 0 && BN_cmp(number.get(), &order) < 0;
    return is_good ? std::move(number) : nullptr;
}

/// What OpenSSL wants instead of `r || s`; empty if it is no signature.
std::string der_of(std::string_view signature, const BIGNUM& order) {
    Bignum r = scalar(signature.substr(0, signature.size() / 2), order);
    Bignum s = scalar(signature.substr(signature.size() / 2), order);
    const EcdsaSignature both(ECDSA_SIG_new());
    if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) { return {}; }
    // Now they belong to `both`.
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both.get(), &der);
    if (size <= 0) { return {}; }
    std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return octets;
}

bool sets_pss(EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool verifies(
    EVP_PKEY& key,
    const char* digest,
    bool is_pss,
    std::string_view text,
    std::string_view signature
) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;  // Belongs to `context`.
    return context &&
           EVP_DigestVerifyInit_ex(
               context.get(), &settings, digest, nullptr, nullptr, &key, nullptr
           ) == 1 &&
           (!is_pss || sets_pss(settings)) &&
           EVP_DigestVerify(
               context.get(), octets_of(signature), signature.size(), octets_of(text), text.size()
           ) == 1;
}

}  // namespace

bool verifies_rsa(
    EVP_PKEY& key, const JwtAlgorithmTraits& is, std::string_view text, std::string_view signature
) {
    if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(&key))) { return false; }
    return verifies(key, is.digest, is.family == JwtFamily::rsa_pss, text, signature);
}

bool verifies_ecdsa(
    EVP_PKEY& key,
    const BIGNUM& order,
    const JwtAlgorithmTraits& is,
    std::string_view text,
    std::string_view signature
) {
    if (signature.size() != 2 * is.coordinate_octets) { return false; }
    const std::string der = der_of(signature, order);
    return !der.empty() && verifies(key, is.digest, false, text, der);
}

bool verifies_ed25519(EVP_PKEY& key, std::string_view text, std::string_view signature) {
    return signature.size() == 64 && verifies(key, nullptr, false, text, signature);
}

bool verifies_hmac(
    const engine::Secret& secret,
    const JwtAlgorithmTraits& is,
    std::string_view text,
    std::string_view signature
) {
    unsigned char expected[EVP_MAX_MD_SIZE];
    std::size_t size = 0;
    const std::string_view key = secret.reveal();
    const unsigned char* const made = EVP_Q_mac(
        nullptr,
        "HMAC",
        nullptr,
        is.digest,
        nullptr,
        key.data(),
        key.size(),
        octets_of(text),
        text.size(),
        expected,
        sizeof expected,
        &size
    );
    return made != nullptr && signature.size() == size &&
           CRYPTO_memcmp(expected, signature.data(), size) == 0;
}

}  // namespace security
