// Signatures that must be refused, made by arithmetic on good ones.
#include "protocol/base64.hpp"
#include "tests/security/hostile_tokens.hpp"
#include "tests/security/token_maker.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace security {

namespace {

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Bignum number(std::string_view octets) {
    return Bignum(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
}

Bignum hexadecimal(const char* digits) {
    BIGNUM* made = nullptr;
    BN_hex2bn(&made, digits);
    return Bignum(made);
}

std::string octets(const Bignum& of, std::size_t size) {
    std::string text(size, '\0');
    BN_bn2binpad(of.get(), reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(size));
    return text;
}

std::string sum(std::string_view a, const Bignum& b, std::size_t size) {
    const Bignum made(BN_new());
    BN_add(made.get(), number(a).get(), b.get());
    return octets(made, size);
}

using Change = std::function<std::string(std::string)>;

/// A good token but for its signature.
std::string changed(JwtAlgorithm algorithm, const Change& change) {
    const TokenMaker maker(algorithm);
    const std::string text = signing_text(maker.header(), good_claims());
    return text + "." + protocol::encode_base64url(change(maker.signature(text)));
}

/// Signed by another with the header of `algorithm`.
std::string signed_by(const TokenMaker& other, JwtAlgorithm algorithm) {
    const std::string text = signing_text(TokenMaker(algorithm).header(), good_claims());
    return text + "." + protocol::encode_base64url(other.signature(text));
}

HostileTokens refused(
    JwtAlgorithm algorithm, const std::vector<std::pair<std::string, Change>>& changes
) {
    HostileTokens all;
    for (const auto& [what, change] : changes) {
        all.push_back(
            {std::string(traits(algorithm).name) + " " + what,
             changed(algorithm, change),
             TokenFault::signature}
        );
    }
    return all;
}

/// `m` to the private exponent of the published key: a signature of whatever block `m` is.
std::string rsa_private(std::string_view block) {
    const PublishedKey key = published_key(JwtAlgorithm::rs256);
    const BignumContext context(BN_CTX_new());
    const Bignum made(BN_new());
    BN_mod_exp(
        made.get(), number(block).get(), number(key.d).get(), number(key.n).get(), context.get()
    );
    return octets(made, 256);
}

/// The block of PKCS #1 for SHA-256, as RS256 signs it.
std::string pkcs1_block(std::string_view text) {
    const auto from_hex = [](const char* digits, std::size_t size) {
        return octets(hexadecimal(digits), size);
    };
    unsigned char digest[32];
    std::size_t size = 0;
    EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), digest, &size);
    const std::string info = from_hex("3031300D060960864801650304020105000420", 19);
    const std::string tail =
        std::string(1, '\0') + info + std::string(reinterpret_cast<const char*>(digest), size);
    return std::string("\x00\x01", 2) + std::string(256 - 2 - tail.size(), '\xFF') + tail;
}

/// RS256 over a block that `change` has made of the right one.
std::string with_block(const Change& change) {
    const std::string text = signing_text(TokenMaker(JwtAlgorithm::rs256).header(), good_claims());
    return text + "." + protocol::encode_base64url(rsa_private(change(pkcs1_block(text))));
}

}  // namespace

HostileTokens hostile_rsa_signatures() {
    const Bignum n = number(published_key(JwtAlgorithm::rs256).n);
    HostileTokens all = refused(
        JwtAlgorithm::rs256,
        {{"of 255 octets", [](auto good) { return good.substr(1); }},
         {"of 257 octets", [](auto good) { return std::string(1, '\0') + good; }},
         {"and one behind", [](auto good) { return good + '\0'; }},
         {"all zero", [](auto) { return std::string(256, '\0'); }},
         {"one", [](auto) { return std::string(255, '\0') + '\1'; }},
         {"all ones", [](auto) { return std::string(256, '\xFF'); }},
         {"the modulus", [&](auto) { return octets(n, 256); }},
         {"plus the modulus", [&](auto good) { return sum(good, n, 257); }}}
    );
    const auto block = [&](const char* what, const Change& change) {
        all.push_back({what, with_block(change), TokenFault::signature});
    };
    block("RS256 block of type 2", [](auto good) {
        good.replace(1, 1, "\2");
        return good;
    });
    block("RS256 with a short filling", [](auto good) {
        // The digest moves forward; what is behind it is the attacker's (Bleichenbacher 2006).
        return good.substr(0, 10) + good.substr(204) + std::string(194, '\1');
    });
    block("RS256 with a flaw in the filling", [](auto good) {
        good.replace(100, 1, "\xFE");
        return good;
    });
    block("RS256 with another digest's name", [](auto good) {
        good.replace(205 + 14, 1, "\3");
        return good;
    });
    block("RS256 with the digest alone", [](auto good) {
        return std::string("\x00\x01", 2) + std::string(221, '\xFF') + '\0' + good.substr(224);
    });
    const TokenMaker other(
        JwtAlgorithm::rs256, Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}))
    );
    const TokenMaker small(
        JwtAlgorithm::rs256, Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{512}))
    );
    all.push_back(
        {"RS256 by another key", signed_by(other, JwtAlgorithm::rs256), TokenFault::signature}
    );
    all.push_back(
        {"RS256 by a key of 512 bits", signed_by(small, JwtAlgorithm::rs256), TokenFault::signature}
    );
    all.push_back(
        {"RS256 with the padding of PS256",
         signed_by(TokenMaker(JwtAlgorithm::ps256), JwtAlgorithm::rs256),
         TokenFault::signature}
    );
    all.push_back(
        {"RS256 with SHA-384",
         signed_by(TokenMaker(JwtAlgorithm::rs384), JwtAlgorithm::rs256),
         TokenFault::signature}
    );
    return all;
}

HostileTokens hostile_ecdsa_signatures() {
    static const Bignum order =
        hexadecimal("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    const std::string zero(32, '\0');
    const std::string n = octets(order, 32);
    HostileTokens all = refused(
        JwtAlgorithm::es256,
        {{"all zero", [&](auto) { return zero + zero; }},
         {"r = 0", [&](auto good) { return zero + good.substr(32); }},
         {"s = 0", [&](auto good) { return good.substr(0, 32) + zero; }},
         {"r = n", [&](auto good) { return n + good.substr(32); }},
         {"s = n", [&](auto good) { return good.substr(0, 32) + n; }},
         {"r = n, s = n", [&](auto) { return n + n; }},
         {"r = n, s = 0", [&](auto) { return n + zero; }},
         {"r = 1, s = 1",
          [&](auto) { return octets(hexadecimal("1"), 32) + octets(hexadecimal("1"), 32); }},
         {"all ones", [&](auto) { return std::string(64, '\xFF'); }},
         {"r and s exchanged", [&](auto good) { return good.substr(32) + good.substr(0, 32); }},
         {"of 63 octets", [&](auto good) { return good.substr(1); }},
         {"of 65 octets", [&](auto good) { return good + '\0'; }},
         {"of 66 octets, r and s with a zero before",
          [&](auto good) { return '\0' + good.substr(0, 32) + '\0' + good.substr(32); }},
         {"r + n in 33 octets",
          [&](auto good) { return sum(good.substr(0, 32), order, 33) + '\0' + good.substr(32); }},
         {"r alone", [&](auto good) { return good.substr(0, 32); }}}
    );
    const TokenMaker own(JwtAlgorithm::es256);
    const std::string text = signing_text(own.header(), good_claims());
    all.push_back(
        {"ES256 in DER",
         text + "." + protocol::encode_base64url(own.native_signature(text)),
         TokenFault::signature}
    );
    const TokenMaker other(
        JwtAlgorithm::es256, Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))
    );
    all.push_back(
        {"ES256 by another key", signed_by(other, JwtAlgorithm::es256), TokenFault::signature}
    );
    for (const JwtAlgorithm curve : {JwtAlgorithm::es384, JwtAlgorithm::es512}) {
        all.push_back(
            {"ES256 by the key of " + std::string(traits(curve).name),
             signed_by(TokenMaker(curve), JwtAlgorithm::es256),
             TokenFault::signature}
        );
    }
    return all;
}

namespace {

/// The second half is a number with the least octet first; the order added changes nothing in the
/// equation.
std::string with_order_added(std::string good) {
    static const Bignum order =
        hexadecimal("1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED");
    std::string s = good.substr(32);
    std::ranges::reverse(s);
    s = sum(s, order, 32);
    std::ranges::reverse(s);
    return good.substr(0, 32) + s;
}

}  // namespace

HostileTokens hostile_other_signatures() {
    HostileTokens all = refused(
        JwtAlgorithm::eddsa,
        {{"of 63 octets", [](auto good) { return good.substr(0, 63); }},
         {"of 65 octets", [](auto good) { return good + '\0'; }},
         {"all zero", [](auto) { return std::string(64, '\0'); }},
         {"all ones", [](auto) { return std::string(64, '\xFF'); }},
         {"R = 1, S = 0", [](auto) { return '\1' + std::string(63, '\0'); }},
         {"S + order", with_order_added},
         {"halves exchanged", [](auto good) { return good.substr(32) + good.substr(0, 32); }}}
    );
    const TokenMaker other(
        JwtAlgorithm::eddsa, Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))
    );
    all.push_back(
        {"EdDSA by another key", signed_by(other, JwtAlgorithm::eddsa), TokenFault::signature}
    );
    for (HostileToken& one : refused(
             JwtAlgorithm::hs256,
             {{"of 31 octets", [](auto good) { return good.substr(0, 31); }},
              {"of 16 octets", [](auto good) { return good.substr(0, 16); }},
              {"of one octet", [](auto good) { return good.substr(0, 1); }},
              {"and one behind", [](auto good) { return good + '\0'; }},
              {"all zero", [](auto) { return std::string(32, '\0'); }}}
         )) {
        all.push_back(std::move(one));
    }
    all.push_back(
        {"HS256 with SHA-512",
         signed_by(TokenMaker(JwtAlgorithm::hs512), JwtAlgorithm::hs256),
         TokenFault::signature}
    );
    return all;
}

}  // namespace security
