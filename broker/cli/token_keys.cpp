// OpenSSL signs; the form of RFC 7518 differs from its own only for ECDSA.
#include "broker/cli/token_keys.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/files/small_file.hpp"
#include "broker/security/evp.hpp"
#include "broker/security/jwks.hpp"
#include "protocol/base64.hpp"

#include <boost/json.hpp>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <optional>
#include <utility>
#include <vector>

namespace cli {
namespace {

using security::JwtAlgorithm;
using security::JwtFamily;

[[noreturn]] void refuse(const std::string& what) {
    throw Failure(ExitCode::usage, what);
}

std::string text_of(const boost::json::object& key, std::string_view name) {
    const boost::json::value* const value = key.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

const security::JwtAlgorithmTraits& named(const std::string& name) {
    const auto algorithm = security::jwt_algorithm_named(name);
    if (!algorithm) { refuse("no algorithm of tokens is called " + name); }
    return security::traits(*algorithm);
}

/// The algorithm that suits an OpenSSL key when none is named.
std::string default_algorithm(const EVP_PKEY& key) {
    switch (EVP_PKEY_get_base_id(&key)) {
        case EVP_PKEY_RSA:
            return "RS256";
        case EVP_PKEY_ED25519:
            return "EdDSA";
        case EVP_PKEY_EC:
            break;
        default:
            refuse("tokens are signed with RSA, EC and Ed25519 keys only");
    }
    const int bits = EVP_PKEY_get_bits(&key);
    if (bits == 256) { return "ES256"; }
    return bits == 384 ? "ES384" : "ES512";
}

int type_of(JwtFamily family) {
    switch (family) {
        case JwtFamily::rsa_pkcs1:
        case JwtFamily::rsa_pss:
            return EVP_PKEY_RSA;
        case JwtFamily::ecdsa:
            return EVP_PKEY_EC;
        case JwtFamily::ed25519:
            return EVP_PKEY_ED25519;
        case JwtFamily::hmac:
            break;
    }
    return EVP_PKEY_NONE;
}

std::vector<boost::json::object> keys_of(std::string_view text) {
    boost::system::error_code ec;
    const boost::json::value value = boost::json::parse(text, ec);
    if (ec || !value.is_object()) { refuse("the keys are neither JSON nor PEM"); }
    const boost::json::value* const keys = value.as_object().if_contains("keys");
    if (keys == nullptr || !keys->is_array()) { return {value.as_object()}; }
    std::vector<boost::json::object> all;
    for (const boost::json::value& key : keys->as_array()) {
        if (key.is_object()) { all.push_back(key.as_object()); }
    }
    return all;
}

}  // namespace

struct SigningKey::Material {
    security::Pkey key;
    std::string secret;
};

SigningKey::SigningKey(
    const security::JwtAlgorithmTraits& traits,
    std::string id,
    std::unique_ptr<const Material> material
)
    : traits_(traits), id_(std::move(id)), material_(std::move(material)) {}

SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::from_file(
    const std::string& file, const std::string& algorithm, const std::string& id
) {
    const files::SmallFile read = files::read_small_file(file, security::jwks_octets_max);
    if (!read.error.empty()) { refuse("cannot read the key " + file + ": " + read.error); }
    const bool is_pem = read.text.find("-----BEGIN") != std::string::npos;
    return is_pem ? from_pem(read.text, algorithm, id) : from_set(read.text, algorithm, id);
}

SigningKey SigningKey::from_set(
    std::string_view text, const std::string& algorithm, const std::string& id
) {
    std::optional<boost::json::object> chosen;
    for (boost::json::object& key : keys_of(text)) {
        if (text_of(key, "kty") != "oct" || (!id.empty() && text_of(key, "kid") != id)) {
            continue;
        }
        if (chosen) { refuse("there are several secrets: choose one with --kid"); }
        chosen = std::move(key);
    }
    if (!chosen) {
        refuse("no secret (kty oct) there to sign with; for other keys give the private key in PEM"
        );
    }
    const std::string own = text_of(*chosen, "alg");
    const std::string name = algorithm.empty() ? own : algorithm;
    const auto& traits = named(name.empty() ? "HS256" : name);
    auto secret = protocol::decode_base64url(text_of(*chosen, "k"));
    if (traits.family != JwtFamily::hmac) { refuse("a secret signs HS256, HS384 or HS512 only"); }
    if (!secret || secret->size() < traits.secret_octets_min) {
        refuse("the secret is too short for " + std::string(traits.name));
    }
    auto material = std::make_unique<Material>();
    material->secret = std::move(*secret);
    return {traits, text_of(*chosen, "kid"), std::move(material)};
}

SigningKey SigningKey::from_pem(
    std::string_view text, const std::string& algorithm, const std::string& id
) {
    const security::QuietErrors quiet;
    const std::unique_ptr<BIO, security::Releases<BIO_free>> memory(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))
    );
    auto material = std::make_unique<Material>();
    // An empty passphrase: without one OpenSSL would ask the terminal.
    char passphrase[] = "";
    material->key.reset(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, passphrase));
    if (!material->key) { refuse("no private key without passphrase in that PEM file"); }
    const auto& traits = named(algorithm.empty() ? default_algorithm(*material->key) : algorithm);
    if (type_of(traits.family) != EVP_PKEY_get_base_id(material->key.get())) {
        refuse("that key cannot sign " + std::string(traits.name));
    }
    return {traits, id, std::move(material)};
}

std::string SigningKey::sign(std::string_view text) const {
    const security::QuietErrors quiet;
    std::string signature =
        traits_.family == JwtFamily::hmac ? sign_hmac(text) : sign_with_key(text);
    if (signature.empty()) {
        throw Failure(ExitCode::failure, "OpenSSL cannot sign with that key");
    }
    return signature;
}

std::string SigningKey::sign_hmac(std::string_view text) const {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    const EVP_MD* const digest = EVP_get_digestbyname(traits_.digest);
    const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    const std::string& secret = material_->secret;
    const int secret_size = static_cast<int>(secret.size());
    if (!HMAC(digest, secret.data(), secret_size, data, text.size(), to, &size)) { return {}; }
    out.resize(size);
    return out;
}

std::string SigningKey::sign_with_key(std::string_view text) const {
    const security::DigestContext context(EVP_MD_CTX_new());
    const bool has_digest = traits_.family != JwtFamily::ed25519;
    const EVP_MD* const digest = has_digest ? EVP_get_digestbyname(traits_.digest) : nullptr;
    EVP_PKEY_CTX* settings = nullptr;
    const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DigestSignInit(context.get(), &settings, digest, nullptr, material_->key.get()) != 1) {
        return {};
    }
    if (traits_.family == JwtFamily::rsa_pss) {
        EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    std::size_t size = 0;
    if (EVP_DigestSign(context.get(), nullptr, &size, data, text.size()) != 1) { return {}; }
    std::string out(size, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    if (EVP_DigestSign(context.get(), to, &size, data, text.size()) != 1) { return {}; }
    out.resize(size);
    return traits_.family == JwtFamily::ecdsa ? to_jose(out) : out;
}

// r and s of a DER signature, each as long as a coordinate.
std::string SigningKey::to_jose(std::string_view der) const {
    const auto* from = reinterpret_cast<const unsigned char*>(der.data());
    const security::EcdsaSignature signature(
        d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size()))
    );
    if (!signature) { return {}; }
    const std::size_t half = traits_.coordinate_octets;
    std::string out(2 * half, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    const int size = static_cast<int>(half);
    const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, size) == size &&
                      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + half, size) == size;
    return fits ? out : std::string();
}

}  // namespace cli
