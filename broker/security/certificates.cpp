#include "broker/security/certificates.hpp"

#include "broker/security/names.hpp"
#include "broker/tls/client_identity.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace security {

namespace {

constexpr std::array<std::string_view, 3> kinds{"uri:", "email:", "dn:"};

std::string identity_fault(std::string_view identity) {
    if (identity.size() > tls::identity_octets_max) { return "this is longer than 1,024 octets"; }
    const bool has_kind = std::ranges::any_of(kinds, [identity](std::string_view kind) {
        return identity.starts_with(kind) && identity.size() > kind.size();
    });
    if (!has_kind) {
        return "expected \"uri:\", \"email:\" or \"dn:\" and all that the certificate says of that";
    }
    return has_control(identity) ? "this has a control character" : "";
}

std::string roles_fault(const std::vector<std::string>& roles) {
    if (roles.size() > roles_max) { return "there are more than 64 roles"; }
    for (auto role = roles.begin(); role != roles.end(); ++role) {
        const std::string fault = name_fault(*role);
        if (!fault.empty()) { return "a role " + fault; }
        if (std::find(roles.begin(), role, *role) != role) { return "a role is there twice"; }
    }
    return {};
}

}  // namespace

std::optional<CertificateFault> fault_of(std::span<const CertificateUser> entries) {
    if (entries.size() > certificates_max) {
        return CertificateFault{certificates_max, "", "there are more than 10,000 certificates"};
    }
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const CertificateUser& entry = entries[i];
        if (auto fault = identity_fault(entry.identity); !fault.empty()) {
            return CertificateFault{i, "identity", std::move(fault)};
        }
        if (!seen.insert(entry.identity).second) {
            return CertificateFault{i, "identity", "this certificate is listed twice"};
        }
        if (const auto fault = name_fault(entry.user); !fault.empty()) {
            return CertificateFault{i, "user", "the name of the user " + fault};
        }
        if (auto fault = roles_fault(entry.roles); !fault.empty()) {
            return CertificateFault{i, "roles", std::move(fault)};
        }
    }
    return std::nullopt;
}

Certificates::Certificates(const std::vector<CertificateUser>& entries) {
    for (const CertificateUser& entry : entries) {
        owners_.emplace(entry.identity, Owner{entry.user, entry.roles});
    }
}

const Certificates::Owner* Certificates::find(const std::string& identity) const {
    const auto found = owners_.find(identity);
    return found == owners_.end() ? nullptr : &found->second;
}

engine::PrincipalRef Certificates::principal_of(const engine::ClientCertificate& shown) const {
    const Owner* const owner = find(shown.identity);
    if (owner == nullptr) { return nullptr; }
    engine::Principal principal;
    principal.user = owner->user;
    principal.roles = owner->roles;
    principal.voucher = engine::Voucher::certificate;
    principal.expires_at = shown.expires_at;
    principal.certificate = shown.identity;
    return std::make_shared<const engine::Principal>(std::move(principal));
}

engine::PrincipalRef Certificates::renewed(const engine::PrincipalRef& principal) const {
    const Owner* const owner = find(principal->certificate);
    if (owner == nullptr || owner->user != principal->user) { return nullptr; }
    if (owner->roles == principal->roles) { return principal; }
    engine::Principal anew = *principal;
    anew.roles = owner->roles;
    return std::make_shared<const engine::Principal>(std::move(anew));
}

}  // namespace security
