// Keys that sign test tokens: secrets of a JSON Web Key Set, or one private key in PEM.
// Only for tests and development: real tokens come from an identity provider.
#pragma once

#include "broker/security/jwt_algorithms.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace cli {

class SigningKey {
public:
    /// Reads `file`. Of a set, the secret (`oct`) called `id` is taken, or the only one if `id` is
    /// empty. `algorithm` is a name of RFC 7518; empty: the key's own. Throws Failure.
    [[nodiscard]] static SigningKey from_file(
        const std::string& file, const std::string& algorithm, const std::string& id
    );

    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) = delete;
    ~SigningKey();

    [[nodiscard]] std::string_view algorithm() const { return traits_.name; }

    /// `kid`; may be empty.
    [[nodiscard]] const std::string& id() const { return id_; }

    /// The signature in the form of RFC 7518. Throws Failure.
    [[nodiscard]] std::string sign(std::string_view text) const;

private:
    struct Material;

    SigningKey(
        const security::JwtAlgorithmTraits& traits,
        std::string id,
        std::unique_ptr<const Material> material
    );

    [[nodiscard]] static SigningKey from_set(
        std::string_view text, const std::string& algorithm, const std::string& id
    );
    [[nodiscard]] static SigningKey from_pem(
        std::string_view text, const std::string& algorithm, const std::string& id
    );
    [[nodiscard]] std::string sign_hmac(std::string_view text) const;
    [[nodiscard]] std::string sign_with_key(std::string_view text) const;
    [[nodiscard]] std::string to_jose(std::string_view der) const;

    const security::JwtAlgorithmTraits& traits_;
    std::string id_;
    std::unique_ptr<const Material> material_;
};

}  // namespace cli
