// The tables of keys: parsing, ranges, environment names and all printed texts come from them.
// The default of a key is what default_config() holds in its field: it is written nowhere else.
#pragma once

#include "broker/server/config_value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace server {

/// A key and the field of `Owner` that it fills.
template <class Owner>
struct Row {
    Key key;
    Target (*target)(Owner& owner);
};

/// A `[[listener]]` as written.
struct ListenerDraft {
    std::string name;  ///< Empty: that of its kind.
    transport::ListenerKind kind = transport::ListenerKind::tcp;
    Address address;
    bool use_tls = false;
    tls::PairFiles tls;
    tls::ClientCertificates client_certificates = tls::ClientCertificates::off;
    std::string client_ca;       ///< Empty: that of [tls].
    std::optional<Strings> crl;  ///< Not set: those of [tls].
    Strings credentials = {"certificate", "upgrade", "authorization", "passcode"};
    Strings paths = {"/ws", "/stomp"};
    std::optional<Strings> allowed_origins;
    std::optional<bool> allow_missing_origin;
    std::optional<bool> allow_loopback_origins;
    std::optional<Strings> external_hosts;
    std::optional<Strings> trusted_proxies;
    bool proxy_protocol = false;
    bool also_ipv6_loopback = false;  ///< No key: only the default listeners.
};

/// A `[[policy]]` as written.
struct PolicyDraft {
    engine::Policy policy;
    std::uint32_t priority = 0;
};

/// An `[[acl]]` as written.
struct AclDraft {
    security::AccessRule rule;
};

/// All keys of plain sections, grouped by section. Lives as long as the program.
[[nodiscard]] std::span<const Row<Config>> config_rows();

[[nodiscard]] std::span<const Row<ListenerDraft>> listener_rows();

[[nodiscard]] std::span<const Row<PolicyDraft>> policy_rows();

[[nodiscard]] std::span<const Row<AclDraft>> acl_rows();

[[nodiscard]] std::span<const Row<tls::PairFiles>> pair_rows();

[[nodiscard]] std::span<const Row<security::CertificateUser>> certificate_rows();

/// The defaults, with `threads` 0 for "auto".
[[nodiscard]] Config default_config();

/// The row of `limits.frame`, or null.
[[nodiscard]] const Row<Config>* find_row(std::string_view full_name);

/// ` (did you mean "X"?)` for the key or section most like what was written, or nothing if none is
/// near. A key of the same section is named without its section.
[[nodiscard]] std::string suggest_key(std::string_view section, std::string_view name);
[[nodiscard]] std::string suggest_section(std::string_view section);

}  // namespace server
