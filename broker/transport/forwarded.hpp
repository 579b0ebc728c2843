// What proxies say in header fields about the client: X-Forwarded-For, -Proto and -Host, Forwarded
// (RFC 7239). Pure. Believed only from trusted proxies (S-BIND-06); at most 32 hops.
#pragma once

#include "broker/transport/address.hpp"
#include "broker/transport/origin.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace transport {

/// The fields of a request, several of a name joined by commas; no value where there is none.
struct ForwardedFields {
    std::optional<std::string> forwarded = {};
    std::optional<std::string> x_for = {};
    std::optional<std::string> x_proto = {};
    std::optional<std::string> x_host = {};
    bool has_other = false;  ///< Another X-Forwarded-* field.

    [[nodiscard]] bool is_any() const;
};

/// What is known about the client behind a connection.
struct Forwarding {
    /// The right-most address that is no trusted proxy; if all are, the left-most. Nothing if the
    /// fields name none, or one that is hidden.
    std::optional<IpAddress> client = {};
    /// What the client speaks and what it asked for: by the right-most of X-Forwarded-Proto and
    /// -Host, else by the element of Forwarded that names the client.
    std::optional<bool> is_https = {};
    std::optional<Authority> host = {};
    std::string_view problem = {};  ///< A sentence, if the fields are malformed; then no more.
};

/// Nothing at all unless `peer`, who sent the fields, is in `trusted`.
[[nodiscard]] Forwarding resolve_forwarded(
    const ForwardedFields& fields, const IpAddress& peer, const Networks& trusted
);

}  // namespace transport
