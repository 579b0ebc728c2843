// Keys that tokens are verified with, each for one algorithm (S-AUTH-10), and sets of them.
// Immutable: may be used on all shards at once. Public keys and shared secrets only.
#pragma once

#include "broker/engine/secret.hpp"
#include "broker/security/jwt_algorithms.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace security {

/// What is wrong with a key or a set of keys: one sentence without the key, for the operator.
struct KeyFault {
    std::string what;
};

template <class T>
using KeyResult = boost::system::result<T, KeyFault>;

inline constexpr std::size_t rsa_bits_min = 2048;
/// Verifying takes time quadratic in it.
inline constexpr std::size_t rsa_bits_max = 8192;
inline constexpr std::size_t key_id_octets_max = 256;
inline constexpr std::size_t keys_max = 64;

class JwtKey {
public:
    /// From one PEM block `PUBLIC KEY` and nothing else. Private keys and certificates are refused,
    /// keys that do not fit the algorithm, RSA keys outside 2048 to 8192 bits, points that are not
    /// on the curve.
    [[nodiscard]] static KeyResult<JwtKey> from_pem(
        JwtAlgorithm algorithm, std::string_view pem, std::string id = {}
    );

    /// From the numbers of an RSA key: big-endian octets.
    [[nodiscard]] static KeyResult<JwtKey> from_rsa(
        JwtAlgorithm algorithm, std::string_view n, std::string_view e, std::string id = {}
    );

    /// From the coordinates of a point: as many octets each as the curve has.
    [[nodiscard]] static KeyResult<JwtKey> from_point(
        JwtAlgorithm algorithm, std::string_view x, std::string_view y, std::string id = {}
    );

    /// From the 32 octets of an Ed25519 key.
    [[nodiscard]] static KeyResult<JwtKey> from_ed25519(std::string_view x, std::string id = {});

    /// For HS256, HS384, HS512: at least 32, 48, 64 octets; not a PEM text, which is public.
    [[nodiscard]] static KeyResult<JwtKey> from_secret(
        JwtAlgorithm algorithm, engine::Secret secret, std::string id = {}
    );

    JwtKey(JwtKey&&) noexcept;
    JwtKey& operator=(JwtKey&&) noexcept;
    ~JwtKey();

    [[nodiscard]] JwtAlgorithm algorithm() const { return algorithm_; }

    /// `kid`: only a name to find it by; may be empty.
    [[nodiscard]] const std::string& id() const { return id_; }

    /// `signature` is that of `text` by this key and its algorithm, in the one form of RFC 7518.
    [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

private:
    struct Material;

    JwtKey(JwtAlgorithm algorithm, std::string id, std::unique_ptr<const Material> material);

    [[nodiscard]] static KeyResult<JwtKey> from_material(
        JwtAlgorithm algorithm, std::unique_ptr<Material> material, std::string id
    );

    JwtAlgorithm algorithm_;
    std::string id_;
    std::unique_ptr<const Material> material_;
};

class KeySet {
public:
    KeySet() = default;

    /// Refuses more than 64 keys and two of one id.
    [[nodiscard]] static KeyResult<KeySet> from(std::vector<JwtKey> keys);

    /// The key for a token with this `alg` and `kid`. A key with an id is found by it only, unless
    /// the token has no `kid`; one without an id stands for any. Never a choice between several:
    /// null then, as if there is none.
    [[nodiscard]] const JwtKey* find(JwtAlgorithm algorithm, const std::optional<std::string>& id)
        const;

    [[nodiscard]] std::size_t size() const { return keys_.size(); }

private:
    [[nodiscard]] const JwtKey* only(JwtAlgorithm algorithm, bool with_id_too) const;

    std::vector<JwtKey> keys_;
};

using KeySetRef = std::shared_ptr<const KeySet>;

}  // namespace security
