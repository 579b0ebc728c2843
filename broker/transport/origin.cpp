#include "broker/transport/origin.hpp"

#include "broker/transport/address.hpp"
#include "broker/transport/text.hpp"

#include <algorithm>
#include <charconv>

namespace transport {

namespace {

constexpr std::size_t scheme_max = 32;
constexpr std::size_t host_max = 255;
constexpr std::string_view scheme_end = "://";

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_scheme(std::string_view text) {
    return !text.empty() && text.size() <= scheme_max && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
           });
}

// Names are compared as they are: no percent-decoding, no Unicode, punycode stays punycode.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= host_max && text.front() != '.' && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
           });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_whole = ec == std::errc{} && end == text.data() + text.size();
    if (!is_whole || port == 0 || text.front() == '0') { return std::nullopt; }
    return port;
}

std::optional<std::string> parse_v6(std::string_view text) {
    const auto address = IpAddress::parse(text);
    if (!address || text.find(':') == std::string_view::npos) { return std::nullopt; }
    return (address->is_v4() ? "[::ffff:" : "[") + address->text() + "]";
}

std::uint16_t default_port(std::string_view scheme) {
    if (scheme == "http") { return 80; }
    return scheme == "https" ? 443 : 0;
}

bool is_web(const Origin& origin) {
    return origin.scheme == "http" || origin.scheme == "https";
}

bool is_local_name(std::string_view host) {
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

Origin origin_of(const OriginRequest& request) {
    const char* const scheme = request.is_https ? "https" : "http";
    const std::uint16_t port = request.host.port != 0 ? request.host.port : default_port(scheme);
    return {scheme, request.host.host, port};
}

// What was probably meant instead.
std::string explain_bad_origin(std::string_view text) {
    const std::size_t end = text.find(scheme_end);
    if (text == "null") { return "is what pages without an origin send: it cannot be allowed"; }
    if (text.find('*') != std::string_view::npos) {
        return "there are no wildcards within an origin: list each one";
    }
    if (end == std::string_view::npos) {
        return "has no scheme: an origin is written \"https://host\" or \"https://host:port\"";
    }
    if (text.find('/', end + scheme_end.size()) != std::string_view::npos) {
        return "an origin has no path, not even a \"/\" at its end";
    }
    return "expected an origin: \"https://host\" or \"https://host:port\"";
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
    const bool is_v6 = text.starts_with('[');
    const std::size_t end = text.find(is_v6 ? ']' : ':');
    const std::size_t host_end = is_v6 ? end : std::min(end, text.size());
    if (host_end == std::string_view::npos) { return std::nullopt; }
    Authority authority;
    std::string_view rest = text.substr(host_end);
    if (is_v6) {
        const auto host = parse_v6(text.substr(1, host_end - 1));
        if (!host) { return std::nullopt; }
        authority.host = *host;
        rest.remove_prefix(1);
    } else {
        if (!is_name(text.substr(0, host_end))) { return std::nullopt; }
        authority.host = to_lower(text.substr(0, host_end));
    }
    if (rest.empty()) { return authority; }
    const auto port =
        rest.size() > 1 && rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
    if (!port) { return std::nullopt; }
    authority.port = *port;
    return authority;
}

std::optional<Origin> parse_origin(std::string_view text) {
    const std::size_t end = text.find(scheme_end);
    if (end == std::string_view::npos || !is_scheme(text.substr(0, end))) { return std::nullopt; }
    const auto authority = parse_authority(text.substr(end + scheme_end.size()));
    if (!authority) { return std::nullopt; }
    Origin origin{to_lower(text.substr(0, end)), authority->host, authority->port};
    if (origin.port == 0) { origin.port = default_port(origin.scheme); }
    return origin;
}

std::optional<std::string> AllowedOrigins::add(std::string_view text) {
    if (is_any_ || (text == "*" && !origins_.empty())) {
        return "\"*\" lets every page connect: it must be the only entry";
    }
    if (origins_.size() >= origins_max) {
        return "more than " + std::to_string(origins_max) + " origins";
    }
    if (text == "*") {
        is_any_ = true;
        return std::nullopt;
    }
    auto origin = parse_origin(text);
    if (!origin) { return explain_bad_origin(text); }
    if (origin->scheme == "ws" || origin->scheme == "wss") {
        return "is no page's origin: pages come by http or https";
    }
    origins_.push_back(std::move(*origin));
    return std::nullopt;
}

bool AllowedOrigins::contains(const Origin& origin) const {
    return std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

std::optional<std::string> ExternalHosts::add(std::string_view text) {
    if (hosts_.size() >= hosts_max) { return "more than " + std::to_string(hosts_max) + " names"; }
    const auto v6 = parse_v6(text);
    const auto authority = v6 ? Authority{*v6, 0} : parse_authority(text);
    if (!authority) { return "expected a host name or an IP address, without scheme and wildcard"; }
    if (authority->port != 0) { return "the port is not compared: write the name alone"; }
    hosts_.push_back(authority->host);
    return std::nullopt;
}

bool ExternalHosts::contains(std::string_view host) const {
    return std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

bool is_allowed(OriginVerdict verdict) {
    return verdict < OriginVerdict::missing;
}

OriginVerdict judge_origin(const WebPolicy& policy, const OriginRequest& request) {
    if (request.count == 0) {
        return policy.allow_missing_origin ? OriginVerdict::absent : OriginVerdict::missing;
    }
    const auto origin = parse_origin(request.origin);
    if (request.count > 1 || !origin) { return OriginVerdict::bad; }
    if (*origin == origin_of(request)) { return OriginVerdict::same; }
    if (policy.allowed_origins.contains(*origin)) { return OriginVerdict::listed; }
    const bool may_be_local = request.is_local && policy.allow_loopback_origins;
    if (may_be_local && is_web(*origin) && is_local_name(origin->host)) {
        return OriginVerdict::local;
    }
    return policy.allowed_origins.is_any() ? OriginVerdict::any : OriginVerdict::foreign;
}

bool is_served_host(const WebPolicy& policy, const BoundTo& bound_to, std::string_view host) {
    if (!bound_to.is_loopback && policy.external_hosts.empty()) { return true; }
    if (policy.external_hosts.contains(host)) { return true; }
    if (!bound_to.is_loopback) { return false; }
    const bool is_v6 = bound_to.address.find(':') != std::string_view::npos;
    return is_local_name(host) ||
           (is_v6 ? parse_v6(bound_to.address) == host : bound_to.address == host);
}

}  // namespace transport
