#include "tests/security/token_maker.hpp"

#include "protocol/base64.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <utility>

namespace security {

namespace {

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void must(bool done) {
    if (!done) { throw std::runtime_error("OpenSSL refused to make a key or a signature"); }
}

std::string octets(std::string_view text) {
    return protocol::decode_base64url(text).value();
}

// RFC 7515, A.2.
constexpr std::string_view rsa_n =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
constexpr std::string_view rsa_d =
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoA"
    "Je46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpR"
    "LI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZF"
    "D9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";

PublishedKey rsa() {
    return {octets(rsa_n), octets("AQAB"), {}, {}, {}, octets(rsa_d)};
}

// RFC 7515, A.3.
PublishedKey p256() {
    return {
        {},
        {},
        octets("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        octets("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        {},
        octets("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")};
}

// RFC 6979, A.2.6.
PublishedKey p384() {
    return {
        {},
        {},
        octets("7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT"),
        octets("gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg"),
        {},
        octets("a509rS4bjBwFsZh1tmWfTeI8O2Z78pe6mqR3QHhxN9iW1XJOTHCoJfhyyepg0u31")};
}

// RFC 7515, A.4.
PublishedKey p521() {
    return {
        {},
        {},
        octets("AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_"
               "NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"),
        octets("ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-"
               "x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"),
        {},
        octets("AY5pb7A0UFiB3RELSD64fTLOSV_"
               "jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C")};
}

// RFC 8037, A.1.
PublishedKey ed25519() {
    return {
        {},
        {},
        octets("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        {},
        {},
        octets("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")};
}

// RFC 7515, A.1: 64 octets.
PublishedKey secret() {
    return {
        {},
        {},
        {},
        {},
        octets(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        ),
        {}};
}

void push_number(OSSL_PARAM_BLD* builder, const char* name, Bignum& number, std::string_view from) {
    number.reset(BN_bin2bn(octets_of(from), static_cast<int>(from.size()), nullptr));
    must(OSSL_PARAM_BLD_push_BN(builder, name, number.get()) == 1);
}

Pkey pair_from(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    must(EVP_PKEY_fromdata_init(context.get()) == 1);
    must(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) == 1);
    return Pkey(made);
}

Pkey rsa_pair(const PublishedKey& key) {
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    Bignum n, e, d;
    push_number(builder.get(), OSSL_PKEY_PARAM_RSA_N, n, key.n);
    push_number(builder.get(), OSSL_PKEY_PARAM_RSA_E, e, key.e);
    push_number(builder.get(), OSSL_PKEY_PARAM_RSA_D, d, key.d);
    return pair_from("RSA", builder.get());
}

Pkey ec_pair(const PublishedKey& key, const char* group) {
    const std::string point = "\x04" + key.x + key.y;
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    Bignum d;
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    OSSL_PARAM_BLD_push_octet_string(
        builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()
    );
    push_number(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d, key.d);
    return pair_from("EC", builder.get());
}

Pkey published_pair(JwtAlgorithm algorithm) {
    const PublishedKey key = published_key(algorithm);
    const JwtAlgorithmTraits& is = traits(algorithm);
    if (is.type == "RSA") { return rsa_pair(key); }
    if (is.type == "EC") { return ec_pair(key, is.group); }
    return Pkey(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets_of(key.d), key.d.size())
    );
}

/// The coordinates of a signature in DER, each of `size` octets.
std::string raw_form(std::string_view der, std::size_t size) {
    const unsigned char* at = octets_of(der);
    const EcdsaSignature both(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    must(both != nullptr);
    std::string raw(2 * size, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), out, static_cast<int>(size));
    BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), out + size, static_cast<int>(size));
    return raw;
}

std::string hmac(const std::string& secret, const char* digest, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    std::size_t size = 0;
    must(
        EVP_Q_mac(
            nullptr,
            "HMAC",
            nullptr,
            digest,
            nullptr,
            secret.empty() ? "" : secret.data(),
            secret.size(),
            octets_of(text),
            text.size(),
            out,
            sizeof out,
            &size
        ) != nullptr
    );
    return {reinterpret_cast<const char*>(out), size};
}

std::string member(std::string_view name, std::string_view octets) {
    if (octets.empty()) { return {}; }
    return ",\"" + std::string(name) + "\":\"" + protocol::encode_base64url(octets) + "\"";
}

}  // namespace

std::string good_claims(std::string_view more) {
    return R"({"iss":"https://id.example","aud":"stampede","sub":"anna","exp":1700000600)" +
           std::string(more) + "}";
}

TokenSettings test_settings() {
    return {.issuer = "https://id.example", .audience = "stampede"};
}

PublishedKey published_key(JwtAlgorithm algorithm) {
    const JwtAlgorithmTraits& is = traits(algorithm);
    if (is.type == "RSA") { return rsa(); }
    if (is.type == "oct") { return secret(); }
    if (is.curve == "P-256") { return p256(); }
    if (is.curve == "P-384") { return p384(); }
    return is.curve == "P-521" ? p521() : ed25519();
}

std::string published_members(JwtAlgorithm algorithm) {
    const PublishedKey key = published_key(algorithm);
    const JwtAlgorithmTraits& is = traits(algorithm);
    std::string members = "\"kty\":\"" + std::string(is.type) + "\"";
    if (!is.curve.empty()) { members += ",\"crv\":\"" + std::string(is.curve) + "\""; }
    return members + member("n", key.n) + member("e", key.e) + member("x", key.x) +
           member("y", key.y) + member("k", key.k);
}

std::vector<JwtAlgorithm> all_algorithms() {
    std::vector<JwtAlgorithm> all;
    for (std::size_t i = 0; i < jwt_algorithm_count; ++i) {
        all.push_back(static_cast<JwtAlgorithm>(i));
    }
    return all;
}

TokenMaker::TokenMaker(JwtAlgorithm algorithm) : algorithm_(algorithm) {
    if (traits(algorithm).family == JwtFamily::hmac) {
        secret_ = published_key(algorithm).k;
    } else {
        pkey_ = published_pair(algorithm);
        must(pkey_ != nullptr);
    }
}

std::string TokenMaker::native_signature(std::string_view text) const {
    return pss_signature(text, RSA_PSS_SALTLEN_DIGEST);
}

std::string TokenMaker::pss_signature(std::string_view text, int salt_octets) const {
    const JwtAlgorithmTraits& is = traits(algorithm_);
    if (is.family == JwtFamily::hmac) { return hmac(secret_, is.digest, text); }
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    must(
        EVP_DigestSignInit_ex(
            context.get(), &settings, is.digest, nullptr, nullptr, pkey_.get(), nullptr
        ) == 1
    );
    if (is.family == JwtFamily::rsa_pss) {
        must(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, salt_octets) == 1);
    }
    std::string out(1024, '\0');
    std::size_t size = out.size();
    auto* const data = reinterpret_cast<unsigned char*>(out.data());
    must(EVP_DigestSign(context.get(), data, &size, octets_of(text), text.size()) == 1);
    out.resize(size);
    return out;
}

std::string TokenMaker::signature(std::string_view text) const {
    const JwtAlgorithmTraits& is = traits(algorithm_);
    std::string native = native_signature(text);
    return is.family == JwtFamily::ecdsa ? raw_form(native, is.coordinate_octets) : native;
}

std::string TokenMaker::header() const {
    return R"({"alg":")" + std::string(traits(algorithm_).name) + R"(","typ":"JWT"})";
}

std::string TokenMaker::token(std::string_view header, std::string_view payload) const {
    const std::string text = signing_text(header, payload);
    return text + "." + protocol::encode_base64url(signature(text));
}

std::string TokenMaker::token(std::string_view payload) const {
    return token(header(), payload);
}

JwtKey TokenMaker::key(std::string id) const {
    if (!pkey_) { return *JwtKey::from_secret(algorithm_, engine::Secret(secret_), std::move(id)); }
    return *JwtKey::from_pem(algorithm_, pem(), std::move(id));
}

std::string TokenMaker::pem() const {
    const std::unique_ptr<BIO, Releases<BIO_free>> bio(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_PUBKEY(bio.get(), pkey_.get()) == 1);
    std::string text(4096, '\0');
    const int size = BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
    must(size > 0);
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string signing_text(std::string_view header, std::string_view payload) {
    return protocol::encode_base64url(header) + "." + protocol::encode_base64url(payload);
}

KeySetRef key_set(const std::vector<JwtAlgorithm>& algorithms) {
    std::vector<JwtKey> keys;
    for (const JwtAlgorithm algorithm : algorithms) {
        keys.push_back(TokenMaker(algorithm).key());
    }
    return std::make_shared<const KeySet>(*KeySet::from(std::move(keys)));
}

}  // namespace security
