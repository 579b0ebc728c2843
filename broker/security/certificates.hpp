// Which client certificate stands for which user (S-AUTH-13).
// Identities are compared as a whole, octet by octet. Immutable: any thread. At most 10,000.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/engine/principal.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace security {

inline constexpr std::size_t certificates_max = 10'000;

/// A `[[certificate]]` as written.
struct CertificateUser {
    std::string identity;  ///< `uri:...`, `email:...` or `dn:...`.
    std::string user;
    std::vector<std::string> roles;

    friend bool operator==(const CertificateUser&, const CertificateUser&) = default;
};

/// What is wrong with one of them; a sentence.
struct CertificateFault {
    std::size_t entry = 0;
    std::string_view key;
    std::string message;
};

/// The first fault of a list: a name or role that is none, an identity without its kind, twice or
/// too long, too many.
[[nodiscard]] std::optional<CertificateFault> fault_of(std::span<const CertificateUser> entries);

class Certificates {
public:
    /// `entries` have no fault.
    explicit Certificates(const std::vector<CertificateUser>& entries);

    /// For as long as the certificate is valid; null if it is not listed.
    [[nodiscard]] engine::PrincipalRef principal_of(const engine::ClientCertificate& shown) const;

    /// With the roles of now; null if it is not listed any more, or for another user.
    [[nodiscard]] engine::PrincipalRef renewed(const engine::PrincipalRef& principal) const;

private:
    struct Owner {
        std::string user;
        std::vector<std::string> roles;
    };

    [[nodiscard]] const Owner* find(const std::string& identity) const;

    std::unordered_map<std::string, Owner> owners_;
};

}  // namespace security
