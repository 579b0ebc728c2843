#include "broker/security/jwt_keys.hpp"

#include "broker/security/ed25519_point.hpp"
#include "broker/security/jwt_signatures.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

namespace security {

namespace {

constexpr std::size_t pem_octets_max = 65'536;
constexpr std::string_view pem_begin = "-----BEGIN ";

KeyFault fault(std::string_view what) {
    return {std::string(what)};
}

KeyFault does_not_fit(JwtAlgorithm algorithm) {
    const JwtAlgorithmTraits& is = traits(algorithm);
    std::string what = "is not a key for ";
    what.append(is.name).append(", which needs kind ").append(is.type);
    if (!is.curve.empty()) { what.append(" with curve ").append(is.curve); }
    return {what};
}

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Bignum number_of(std::string_view octets) {
    return Bignum(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
}

Pkey made_from(const char* type, const Params& params) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    const bool is_made =
        context && params && EVP_PKEY_fromdata_init(context.get()) == 1 &&
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
    return Pkey(is_made ? made : nullptr);
}

// Without this OpenSSL would ask the terminal for the passphrase of an encrypted block.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Pkey read_pem(std::string_view pem) {
    const std::unique_ptr<BIO, Releases<BIO_free>> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))
    );
    return Pkey(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

/// Why `pem` is not one public key and nothing else; empty if it may be.
std::string_view pem_fault(std::string_view pem) {
    if (pem.size() > pem_octets_max) { return "is larger than 64 KiB"; }
    const std::size_t begin = pem.find(pem_begin);
    if (begin == std::string_view::npos) { return "is not a PEM text"; }
    if (pem.find(pem_begin, begin + 1) != std::string_view::npos) {
        return "has more than one PEM block: keep the one PUBLIC KEY";
    }
    const std::string_view label = pem.substr(begin + pem_begin.size());
    if (label.starts_with("PUBLIC KEY-----")) { return {}; }
    if (label.starts_with("CERTIFICATE")) {
        return "is a certificate: take its key with `openssl x509 -pubkey -noout`";
    }
    if (label.starts_with("RSA PUBLIC KEY")) {
        return "is in the old form of RSA: convert it with `openssl rsa -RSAPublicKey_in -pubout`";
    }
    const bool is_private = label.substr(0, 64).find("PRIVATE") != std::string_view::npos;
    return is_private ? "is a private key: the broker needs only the public one"
                      : "is not a PEM block PUBLIC KEY";
}

std::optional<Bignum> number_in(const Pkey& key, const char* name) {
    BIGNUM* found = nullptr;
    if (EVP_PKEY_get_bn_param(key.get(), name, &found) != 1) { return std::nullopt; }
    return Bignum(found);
}

std::string_view rsa_fault(const Pkey& key) {
    const auto n = number_in(key, OSSL_PKEY_PARAM_RSA_N);
    const auto e = number_in(key, OSSL_PKEY_PARAM_RSA_E);
    if (!n || !e) { return "is not an RSA key"; }
    const auto bits = static_cast<std::size_t>(BN_num_bits(n->get()));
    if (bits < rsa_bits_min) { return "is an RSA key of less than 2048 bits"; }
    if (bits > rsa_bits_max) { return "is an RSA key of more than 8192 bits"; }
    const bool is_good =
        BN_is_odd(e->get()) != 0 && BN_is_one(e->get()) == 0 && BN_num_bits(e->get()) <= 64;
    return is_good ? std::string_view() : "has a bad RSA exponent";
}

bool is_on_group(const Pkey& key, const JwtAlgorithmTraits& is) {
    char group[32] = {};
    std::size_t size = 0;
    const bool has_group = EVP_PKEY_get_group_name(key.get(), group, sizeof group, &size) == 1;
    return has_group && std::strcmp(group, is.group) == 0;
}

bool is_good_ed25519(const Pkey& key) {
    unsigned char octets[32] = {};
    std::size_t size = sizeof octets;
    return EVP_PKEY_get_raw_public_key(key.get(), octets, &size) == 1 &&
           is_ed25519_public_key({reinterpret_cast<const char*>(octets), size});
}

bool is_of_kind(const Pkey& key, const JwtAlgorithmTraits& is) {
    switch (is.family) {
        case JwtFamily::rsa_pkcs1:
        case JwtFamily::rsa_pss:
            return EVP_PKEY_is_a(key.get(), "RSA") == 1;
        case JwtFamily::ecdsa:
            return EVP_PKEY_is_a(key.get(), "EC") == 1 && is_on_group(key, is);
        case JwtFamily::ed25519:
            return EVP_PKEY_is_a(key.get(), "ED25519") == 1;
        case JwtFamily::hmac:
            break;
    }
    return false;
}

bool passes_check(const Pkey& key) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

/// Why the key cannot be used for the algorithm; empty if it can.
std::string public_key_fault(const Pkey& key, JwtAlgorithm algorithm) {
    const JwtAlgorithmTraits& is = traits(algorithm);
    if (!is_of_kind(key, is)) { return does_not_fit(algorithm).what; }
    if (is.type == "RSA" && !rsa_fault(key).empty()) { return std::string(rsa_fault(key)); }
    if (is.family == JwtFamily::ed25519 && !is_good_ed25519(key)) {
        return "is not a point of Ed25519 that can be trusted";
    }
    return passes_check(key) ? std::string() : "fails the check of public keys";
}

}  // namespace

/// A public key, with the order of its curve if it has one, or a secret.
struct JwtKey::Material {
    Pkey pkey = nullptr;
    Bignum order = nullptr;
    engine::Secret secret = {};
};

JwtKey::JwtKey(JwtAlgorithm algorithm, std::string id, std::unique_ptr<const Material> material)
    : algorithm_(algorithm), id_(std::move(id)), material_(std::move(material)) {}

JwtKey::JwtKey(JwtKey&&) noexcept = default;
JwtKey& JwtKey::operator=(JwtKey&&) noexcept = default;
JwtKey::~JwtKey() = default;

KeyResult<JwtKey> JwtKey::from_material(
    JwtAlgorithm algorithm, std::unique_ptr<Material> material, std::string id
) {
    if (id.size() > key_id_octets_max) { return fault("has an id longer than 256 octets"); }
    if (!material->pkey) { return fault("is not a valid key"); }
    std::string wrong = public_key_fault(material->pkey, algorithm);
    if (!wrong.empty()) { return KeyFault{std::move(wrong)}; }
    if (traits(algorithm).family == JwtFamily::ecdsa) {
        auto order = number_in(material->pkey, OSSL_PKEY_PARAM_EC_ORDER);
        if (!order) { return does_not_fit(algorithm); }
        material->order = std::move(*order);
    }
    return JwtKey(algorithm, std::move(id), std::move(material));
}

KeyResult<JwtKey> JwtKey::from_pem(JwtAlgorithm algorithm, std::string_view pem, std::string id) {
    const QuietErrors quiet;
    if (const std::string_view wrong = pem_fault(pem); !wrong.empty()) { return fault(wrong); }
    return from_material(
        algorithm, std::make_unique<Material>(Material{read_pem(pem)}), std::move(id)
    );
}

KeyResult<JwtKey> JwtKey::from_rsa(
    JwtAlgorithm algorithm, std::string_view n, std::string_view e, std::string id
) {
    const QuietErrors quiet;
    if (traits(algorithm).type != "RSA") { return does_not_fit(algorithm); }
    // Before OpenSSL works on it.
    if (n.size() > rsa_bits_max / 8 + 1) { return fault("is an RSA key of more than 8192 bits"); }
    if (e.size() > 8) { return fault("has a bad RSA exponent"); }
    const Bignum modulus = number_of(n);
    const Bignum exponent = number_of(e);
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    return from_material(
        algorithm, std::make_unique<Material>(Material{made_from("RSA", params)}), std::move(id)
    );
}

KeyResult<JwtKey> JwtKey::from_point(
    JwtAlgorithm algorithm, std::string_view x, std::string_view y, std::string id
) {
    const QuietErrors quiet;
    const JwtAlgorithmTraits& is = traits(algorithm);
    if (is.family != JwtFamily::ecdsa) { return does_not_fit(algorithm); }
    if (x.size() != is.coordinate_octets || y.size() != is.coordinate_octets) {
        return fault("has coordinates of the wrong length for its curve");
    }
    const std::string point = std::string("\x04").append(x).append(y);
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, is.group, 0);
    OSSL_PARAM_BLD_push_octet_string(
        builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()
    );
    const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    Pkey key = made_from("EC", params);
    if (!key) { return fault("has a point that is not on its curve"); }
    return from_material(
        algorithm, std::make_unique<Material>(Material{std::move(key)}), std::move(id)
    );
}

KeyResult<JwtKey> JwtKey::from_ed25519(std::string_view x, std::string id) {
    const QuietErrors quiet;
    if (x.size() != 32) { return fault("is not of 32 octets, as keys of Ed25519 are"); }
    Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(x), x.size()));
    return from_material(
        JwtAlgorithm::eddsa, std::make_unique<Material>(Material{std::move(key)}), std::move(id)
    );
}

KeyResult<JwtKey> JwtKey::from_secret(
    JwtAlgorithm algorithm, engine::Secret secret, std::string id
) {
    const JwtAlgorithmTraits& is = traits(algorithm);
    if (is.family != JwtFamily::hmac) { return does_not_fit(algorithm); }
    if (id.size() > key_id_octets_max) { return fault("has an id longer than 256 octets"); }
    if (secret.size() < is.secret_octets_min) {
        return fault(
            "is a secret of less than " + std::to_string(is.secret_octets_min) + " octets, which " +
            std::string(is.name) + " needs"
        );
    }
    if (secret.reveal().find(pem_begin) != std::string_view::npos) {
        return fault("is a PEM text and cannot be the secret of " + std::string(is.name));
    }
    auto material = std::make_unique<Material>();
    material->secret = std::move(secret);
    return JwtKey(algorithm, std::move(id), std::move(material));
}

bool JwtKey::verifies(std::string_view text, std::string_view signature) const {
    const QuietErrors quiet;
    const JwtAlgorithmTraits& is = traits(algorithm_);
    switch (is.family) {
        case JwtFamily::rsa_pkcs1:
        case JwtFamily::rsa_pss:
            return verifies_rsa(*material_->pkey, is, text, signature);
        case JwtFamily::ecdsa:
            return verifies_ecdsa(*material_->pkey, *material_->order, is, text, signature);
        case JwtFamily::ed25519:
            return verifies_ed25519(*material_->pkey, text, signature);
        case JwtFamily::hmac:
            return verifies_hmac(material_->secret, is, text, signature);
    }
    return false;
}

KeyResult<KeySet> KeySet::from(std::vector<JwtKey> keys) {
    if (keys.size() > keys_max) { return fault("has more than 64 keys"); }
    std::set<std::string_view> ids;
    for (const JwtKey& key : keys) {
        if (!key.id().empty() && !ids.insert(key.id()).second) {
            return fault("has two keys of one id");
        }
    }
    KeySet set;
    set.keys_ = std::move(keys);
    return set;
}

const JwtKey* KeySet::find(JwtAlgorithm algorithm, const std::optional<std::string>& id) const {
    if (!id) { return only(algorithm, true); }
    const auto it = std::ranges::find_if(keys_, [&](const JwtKey& key) {
        return !key.id().empty() && key.id() == *id;
    });
    if (it == keys_.end()) { return only(algorithm, false); }
    return it->algorithm() == algorithm ? &*it : nullptr;
}

const JwtKey* KeySet::only(JwtAlgorithm algorithm, bool with_id_too) const {
    const JwtKey* found = nullptr;
    for (const JwtKey& key : keys_) {
        if (key.algorithm() != algorithm || !(with_id_too || key.id().empty())) { continue; }
        if (found != nullptr) { return nullptr; }
        found = &key;
    }
    return found;
}

}  // namespace security
