// Tokens for tests, really signed: with the private keys that RFC 7515, RFC 8037 and RFC 6979
// publish as examples, which nobody may ever trust.
#pragma once

#include "broker/security/evp.hpp"
#include "broker/security/jwt.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace security {

/// 14 November 2023; the times of `good_claims` are around it.
inline constexpr std::int64_t test_now_s = 1'700'000'000;
inline constexpr std::int64_t test_now_ms = test_now_s * 1000;

/// Claims of anna, who is accepted with `test_settings`. `more` are further members, each behind a
/// comma.
[[nodiscard]] std::string good_claims(std::string_view more = {});

[[nodiscard]] TokenSettings test_settings();

/// The numbers of a published key, as octets. Those that its kind has not are empty.
struct PublishedKey {
    std::string n, e, x, y, k;
    std::string d;  ///< The private one.
};

[[nodiscard]] PublishedKey published_key(JwtAlgorithm algorithm);

/// The public numbers of a published key as the members of a JWK, `kty` and `crv` included.
[[nodiscard]] std::string published_members(JwtAlgorithm algorithm);

[[nodiscard]] std::vector<JwtAlgorithm> all_algorithms();

class TokenMaker {
public:
    explicit TokenMaker(JwtAlgorithm algorithm);

    /// With this key in place of the published one.
    TokenMaker(JwtAlgorithm algorithm, Pkey key) : algorithm_(algorithm), pkey_(std::move(key)) {}

    /// A secret of any length.
    TokenMaker(JwtAlgorithm algorithm, std::string secret)
        : algorithm_(algorithm), secret_(std::move(secret)) {}

    /// In the form of RFC 7518.
    [[nodiscard]] std::string signature(std::string_view text) const;

    /// As OpenSSL makes it: that of ECDSA in DER.
    [[nodiscard]] std::string native_signature(std::string_view text) const;

    /// PSS with a salt of this many octets, for the algorithms that have one.
    [[nodiscard]] std::string pss_signature(std::string_view text, int salt_octets) const;

    [[nodiscard]] std::string token(std::string_view header, std::string_view payload) const;

    /// With the header of its algorithm.
    [[nodiscard]] std::string token(std::string_view payload) const;

    [[nodiscard]] std::string header() const;

    /// The public part as the broker has it.
    [[nodiscard]] JwtKey key(std::string id = {}) const;

    [[nodiscard]] std::string pem() const;

private:
    JwtAlgorithm algorithm_;
    Pkey pkey_ = nullptr;
    std::string secret_;
};

/// `header.payload` in base64url, to which a signature belongs.
[[nodiscard]] std::string signing_text(std::string_view header, std::string_view payload);

/// The set of the published keys of these algorithms, without ids.
[[nodiscard]] KeySetRef key_set(const std::vector<JwtAlgorithm>& algorithms);

}  // namespace security
