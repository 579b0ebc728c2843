// Which pages may connect and which Host names are served (S-WEB-01 to -04).
// Pure: values in, a verdict out. Lists are parsed once, at start; names have at most 255 octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

/// `host[:port]`. The host in lower case, an IPv6 address in brackets and in its shortest form.
struct Authority {
    std::string host;
    std::uint16_t port = 0;  ///< 0: none was written.

    friend bool operator==(const Authority&, const Authority&) = default;
};

/// Nothing for what is no host (user-info, a path, an empty or wrong port, other octets).
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

/// `scheme://host[:port]` in lower case. The default port of http and https is filled in, so that
/// it equals an absent one.
struct Origin {
    std::string scheme;
    std::string host;
    std::uint16_t port = 0;

    friend bool operator==(const Origin&, const Origin&) = default;
};

/// Nothing for `null` and all else that names no origin: a path (be it `/`), user-info, a query.
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view text);

/// The origins that an operator allows: exact ones, or all.
class AllowedOrigins {
public:
    static constexpr std::size_t origins_max = 256;

    /// Adds an origin, or `*` alone for all; or returns what is wrong with it.
    [[nodiscard]] std::optional<std::string> add(std::string_view text);

    [[nodiscard]] bool is_any() const { return is_any_; }

    [[nodiscard]] bool contains(const Origin& origin) const;

private:
    bool is_any_ = false;
    std::vector<Origin> origins_;
};

/// The Host names that an operator serves; the port is not compared.
class ExternalHosts {
public:
    static constexpr std::size_t hosts_max = 256;

    /// Adds a name or address; or returns what is wrong with it.
    [[nodiscard]] std::optional<std::string> add(std::string_view text);

    [[nodiscard]] bool empty() const { return hosts_.empty(); }

    [[nodiscard]] bool contains(std::string_view host) const;

private:
    std::vector<std::string> hosts_;
};

/// What an operator says about browsers, for one listener.
struct WebPolicy {
    AllowedOrigins allowed_origins;
    bool allow_missing_origin = true;    ///< S-WEB-02.
    bool allow_loopback_origins = true;  ///< S-WEB-03; counts on loopback listeners only.
    ExternalHosts external_hosts;        ///< S-WEB-04.
};

enum class OriginVerdict : std::uint8_t {
    same,     ///< The request's own scheme, host and port.
    listed,   ///< By name in `allowed_origins`.
    local,    ///< A local page on a loopback listener.
    any,      ///< Only because all are allowed.
    absent,   ///< None was sent, and that is allowed.
    missing,  ///< None was sent: refused.
    bad,      ///< `null`, malformed, or more than one: refused.
    foreign,  ///< Refused.
};

[[nodiscard]] bool is_allowed(OriginVerdict verdict);

/// What of a request the verdict depends on.
struct OriginRequest {
    std::size_t count = 0;    ///< Of Origin fields.
    std::string_view origin;  ///< The first.
    Authority host;           ///< The one that the client asked for.
    bool is_https = false;    ///< What the client speaks, be it to a proxy in front.
    bool is_local = false;    ///< The listener is on loopback, and no proxy lies between.
};

[[nodiscard]] OriginVerdict judge_origin(const WebPolicy& policy, const OriginRequest& request);

/// Where a listener is bound, for is_served_host().
struct BoundTo {
    bool is_loopback = false;
    std::string_view address;  ///< Without brackets.
};

/// Against DNS rebinding: a page's own name must not reach a broker that trusts its neighbours.
[[nodiscard]] bool is_served_host(
    const WebPolicy& policy, const BoundTo& bound_to, std::string_view host
);

}  // namespace transport
