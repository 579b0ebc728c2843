#include "broker/security/ed25519_point.hpp"

#include "broker/security/evp.hpp"

#include <cassert>
#include <string>

namespace security {

namespace {

// OpenSSL's functions on numbers fail only for want of memory.
void must(int done) {
    assert(done == 1);
}

Bignum number(const char* hexadecimal) {
    BIGNUM* made = nullptr;
    must(BN_hex2bn(&made, hexadecimal) > 0 ? 1 : 0);
    return Bignum(made);
}

/// The field of 2^255 - 19 elements, as far as it is needed here.
class Field {
public:
    Field()
        : context_(BN_CTX_new()),
          prime_(number("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED")) {
        assert(context_ != nullptr);
    }

    [[nodiscard]] bool holds(const Bignum& a) const { return BN_cmp(a.get(), prime_.get()) < 0; }

    [[nodiscard]] Bignum plus(const Bignum& a, const Bignum& b) const {
        Bignum sum(BN_new());
        must(BN_mod_add(sum.get(), a.get(), b.get(), prime_.get(), context_.get()));
        return sum;
    }

    [[nodiscard]] Bignum minus(const Bignum& a, const Bignum& b) const {
        Bignum difference(BN_new());
        must(BN_mod_sub(difference.get(), a.get(), b.get(), prime_.get(), context_.get()));
        return difference;
    }

    [[nodiscard]] Bignum times(const Bignum& a, const Bignum& b) const {
        Bignum product(BN_new());
        must(BN_mod_mul(product.get(), a.get(), b.get(), prime_.get(), context_.get()));
        return product;
    }

    [[nodiscard]] Bignum inverse(const Bignum& a) const {
        Bignum inverted(BN_mod_inverse(nullptr, a.get(), prime_.get(), context_.get()));
        assert(inverted != nullptr);
        return inverted;
    }

    [[nodiscard]] bool is_square(const Bignum& a) const {
        return BN_kronecker(a.get(), prime_.get(), context_.get()) == 1;
    }

private:
    BignumContext context_;
    Bignum prime_;
};

/// The second coordinate, which is what the encoding tells besides the sign of the first.
Bignum y_of(std::string_view octets) {
    std::string big_endian(octets.rbegin(), octets.rend());
    big_endian[0] = static_cast<char>(static_cast<unsigned char>(big_endian[0]) & 0x7FU);
    const auto* const data = reinterpret_cast<const unsigned char*>(big_endian.data());
    return Bignum(BN_bin2bn(data, static_cast<int>(big_endian.size()), nullptr));
}

}  // namespace

// The curve is -x^2 + y^2 = 1 + d x^2 y^2. Its points of small order are those with x = 0 (orders 1
// and 2), y = 0 (order 4), and x^2 + y^2 = 0, whose doubles have y = 0 (order 8).
bool is_ed25519_public_key(std::string_view octets) {
    if (octets.size() != 32) { return false; }
    const Field field;
    const Bignum one = number("1");
    const Bignum d = number("52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3");
    const Bignum y = y_of(octets);
    if (!field.holds(y) || BN_is_zero(y.get()) != 0) { return false; }
    const Bignum y2 = field.times(y, y);
    // -1/d is no square, so that the divisor is never zero.
    const Bignum divisor = field.plus(field.times(d, y2), one);
    const Bignum x2 = field.times(field.minus(y2, one), field.inverse(divisor));
    return field.is_square(x2) && BN_is_zero(field.plus(x2, y2).get()) == 0;
}

}  // namespace security
