#include "tests/security/reference_signatures.hpp"

#include "tests/security/token_maker.hpp"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace security {

namespace {

BN_CTX* context() {
    static const BignumContext made(BN_CTX_new());
    return made.get();
}

/// A number that is a value.
class Number {
public:
    Number() : value_(BN_new()) {}

    explicit Number(std::string_view octets)
        : value_(BN_bin2bn(
              reinterpret_cast<const unsigned char*>(octets.data()),
              static_cast<int>(octets.size()),
              nullptr
          )) {}

    Number(const Number& other) : value_(BN_dup(other.get())) {}

    Number& operator=(const Number&) = delete;

    static Number hex(const char* digits) {
        BIGNUM* made = nullptr;
        BN_hex2bn(&made, digits);
        Number number;
        number.value_.reset(made);
        return number;
    }

    [[nodiscard]] BIGNUM* get() const { return value_.get(); }

    [[nodiscard]] bool is_zero() const { return BN_is_zero(get()) != 0; }

    friend bool operator<(const Number& a, const Number& b) { return BN_cmp(a.get(), b.get()) < 0; }

    friend bool operator==(const Number& a, const Number& b) {
        return BN_cmp(a.get(), b.get()) == 0;
    }

private:
    Bignum value_;
};

Number plus(const Number& a, const Number& b, const Number& m) {
    Number result;
    BN_mod_add(result.get(), a.get(), b.get(), m.get(), context());
    return result;
}

Number minus(const Number& a, const Number& b, const Number& m) {
    Number result;
    BN_mod_sub(result.get(), a.get(), b.get(), m.get(), context());
    return result;
}

Number times(const Number& a, const Number& b, const Number& m) {
    Number result;
    BN_mod_mul(result.get(), a.get(), b.get(), m.get(), context());
    return result;
}

Number over(const Number& a, const Number& b, const Number& m) {
    Number inverse;
    BN_mod_inverse(inverse.get(), b.get(), m.get(), context());
    return times(a, inverse, m);
}

std::string digest_of(const char* name, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    std::size_t size = 0;
    EVP_Q_digest(nullptr, name, nullptr, text.data(), text.size(), out, &size);
    return {reinterpret_cast<const char*>(out), size};
}

/// The block that an RSA signature hides; nothing if it is no number below the modulus.
std::optional<std::string> rsa_block(const PublishedKey& key, const std::string& signature) {
    const Number n(key.n);
    const Number s(signature);
    if (signature.size() != 256 || !(s < n)) { return std::nullopt; }
    Number block;
    BN_mod_exp(block.get(), s.get(), Number(key.e).get(), n.get(), context());
    std::string octets(256, '\0');
    BN_bn2binpad(block.get(), reinterpret_cast<unsigned char*>(octets.data()), 256);
    return octets;
}

// RFC 8017, 9.2.
bool verifies_pkcs1(
    const PublishedKey& key, const std::string& digest, const std::string& signature
) {
    const auto block = rsa_block(key, signature);
    const auto size = static_cast<char>(digest.size());
    const char kind = digest.size() == 32 ? '\1' : digest.size() == 48 ? '\2' : '\3';
    std::string info(
        "\x30\x31\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19
    );
    info[1] = static_cast<char>(size + 17);
    info[14] = kind;
    info[18] = size;
    const std::string tail = std::string(1, '\0') + info + digest;
    return block == std::string("\x00\x01", 2) + std::string(254 - tail.size(), '\xFF') + tail;
}

// RFC 8017, B.2.1.
std::string mask(const char* name, const std::string& seed, std::size_t size) {
    std::string octets;
    for (char count = 0; octets.size() < size; ++count) {
        octets += digest_of(name, seed + std::string(3, '\0') + count);
    }
    return octets.substr(0, size);
}

// RFC 8017, 9.1.2, for a modulus of 2048 bits and a salt as long as the digest.
bool verifies_pss(
    const PublishedKey& key,
    const char* name,
    const std::string& digest,
    const std::string& signature
) {
    const auto block = rsa_block(key, signature);
    const std::size_t size = digest.size();
    if (!block || block->back() != '\xBC' || block->front() < 0) { return false; }
    std::string db = block->substr(0, 255 - size);
    const std::string h = block->substr(255 - size, size);
    const std::string m = mask(name, h, db.size());
    for (std::size_t i = 0; i < db.size(); ++i) {
        db[i] = static_cast<char>(db[i] ^ m[i]);
    }
    db[0] = static_cast<char>(db[0] & 0x7F);
    const std::size_t filling = db.size() - size - 1;
    if (db.substr(0, filling) != std::string(filling, '\0') || db[filling] != '\1') {
        return false;
    }
    return digest_of(name, std::string(8, '\0') + digest + db.substr(filling + 1)) == h;
}

// FIPS 186-4, 6.4. No digest is longer than its order here.
bool verifies_point(
    const PublishedKey& key,
    const char* curve,
    const std::string& digest,
    const std::string& signature
) {
    const std::size_t size = key.x.size();
    const std::unique_ptr<EC_GROUP, Releases<EC_GROUP_free>> group(
        EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve))
    );
    const std::unique_ptr<EC_POINT, Releases<EC_POINT_free>> q(EC_POINT_new(group.get()));
    const std::unique_ptr<EC_POINT, Releases<EC_POINT_free>> sum(EC_POINT_new(group.get()));
    Number n;
    EC_GROUP_get_order(group.get(), n.get(), context());
    EC_POINT_set_affine_coordinates(
        group.get(), q.get(), Number(key.x).get(), Number(key.y).get(), context()
    );
    if (signature.size() != 2 * size) { return false; }
    const Number r(signature.substr(0, size));
    const Number s(signature.substr(size));
    if (r.is_zero() || s.is_zero() || !(r < n) || !(s < n)) { return false; }
    const Number u = over(Number(digest), s, n);
    const Number v = over(r, s, n);
    EC_POINT_mul(group.get(), sum.get(), u.get(), q.get(), v.get(), context());
    Number x;
    if (EC_POINT_get_affine_coordinates(group.get(), sum.get(), x.get(), nullptr, context()) != 1) {
        return false;
    }
    return plus(x, Number(), n) == r;
}

/// Points of Ed25519 (RFC 8032, 5.1) in their two coordinates.
class Edwards {
public:
    struct Point {
        Number x, y;
    };

    [[nodiscard]] Point base() const {
        return {
            Number::hex("216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A"),
            Number::hex("6666666666666666666666666666666666666666666666666666666666666658")};
    }

    [[nodiscard]] Point sum(const Point& a, const Point& b) const {
        const Number xx = times(a.x, b.x, p_);
        const Number yy = times(a.y, b.y, p_);
        const Number k = times(d_, times(xx, yy, p_), p_);
        const Number cross = plus(times(a.x, b.y, p_), times(b.x, a.y, p_), p_);
        return {over(cross, plus(one_, k, p_), p_), over(plus(yy, xx, p_), minus(one_, k, p_), p_)};
    }

    [[nodiscard]] Point times_point(const Number& k, const Point& of) const {
        std::unique_ptr<Point> result = std::make_unique<Point>(Point{Number(), one_});
        for (int bit = BN_num_bits(k.get()) - 1; bit >= 0; --bit) {
            result = std::make_unique<Point>(sum(*result, *result));
            if (BN_is_bit_set(k.get(), bit) != 0) {
                result = std::make_unique<Point>(sum(*result, of));
            }
        }
        return std::move(*result);
    }

    [[nodiscard]] std::string encoded(const Point& point) const {
        std::string octets(32, '\0');
        auto* const out = reinterpret_cast<unsigned char*>(octets.data());
        BN_bn2lebinpad(point.y.get(), out, 32);
        if (BN_is_odd(point.x.get()) != 0) {
            out[31] = static_cast<unsigned char>(out[31] | 0x80U);
        }
        return octets;
    }

    /// The other way; only for what is a point.
    [[nodiscard]] Point decoded(std::string octets) const {
        const bool is_odd = octets[31] < 0;
        octets[31] = static_cast<char>(octets[31] & 0x7F);
        std::ranges::reverse(octets);
        const Number y(octets);
        const Number y2 = times(y, y, p_);
        const Number x2 = over(minus(y2, one_, p_), plus(times(d_, y2, p_), one_, p_), p_);
        Number x;
        BN_mod_sqrt(x.get(), x2.get(), p_.get(), context());
        if ((BN_is_odd(x.get()) != 0) != is_odd) { BN_sub(x.get(), p_.get(), x.get()); }
        return {x, y};
    }

private:
    Number p_ = Number::hex("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED");
    Number d_ = Number::hex("52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3");
    Number one_ = Number::hex("1");
};

Number little_endian(std::string octets) {
    std::ranges::reverse(octets);
    return Number(octets);
}

// R is compared as it is written: that of S B - k A, for the A of the key.
bool verifies_edwards(
    const PublishedKey& key, std::string_view text, const std::string& signature
) {
    const Number order =
        Number::hex("1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED");
    if (signature.size() != 64) { return false; }
    const std::string r = signature.substr(0, 32);
    const Number s = little_endian(signature.substr(32));
    if (!(s < order)) { return false; }
    const std::string hash = digest_of("SHA512", r + key.x + std::string(text));
    const Number k = minus(Number(), little_endian(hash), order);
    const Edwards curve;
    return curve.encoded(curve.sum(
               curve.times_point(s, curve.base()), curve.times_point(k, curve.decoded(key.x))
           )) == r;
}

// RFC 2104.
std::string hmac(const char* name, std::size_t block, std::string key, std::string_view text) {
    key.resize(block, '\0');
    std::string inner = key;
    std::string outer = key;
    for (char& octet : inner) {
        octet = static_cast<char>(octet ^ 0x36);
    }
    for (char& octet : outer) {
        octet = static_cast<char>(octet ^ 0x5C);
    }
    return digest_of(name, outer + digest_of(name, inner + std::string(text)));
}

}  // namespace

bool reference_verifies(
    std::string_view algorithm, std::string_view text, const std::string& signature
) {
    const auto named = jwt_algorithm_named(algorithm);
    if (!named) { return false; }
    const PublishedKey key = published_key(*named);
    const std::string kind(algorithm.substr(0, 2));
    if (kind == "Ed") { return verifies_edwards(key, text, signature); }
    const std::string name = "SHA" + std::string(algorithm.substr(2));
    const std::string digest = digest_of(name.c_str(), text);
    if (kind == "RS") { return verifies_pkcs1(key, digest, signature); }
    if (kind == "PS") { return verifies_pss(key, name.c_str(), digest, signature); }
    if (kind == "ES") { return verifies_point(key, traits(*named).group, digest, signature); }
    return hmac(name.c_str(), digest.size() == 32 ? 64 : 128, key.k, text) == signature;
}

}  // namespace security
