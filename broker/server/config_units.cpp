// Parsers and spellings of values with units.
// A number is decimal digits only: no sign, no fraction, no blanks.
#include "broker/server/config_units.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <span>

namespace server {

namespace {

struct Scale {
    std::string_view suffix;
    std::uint64_t factor;
};

// From the largest to the smallest: the order in which they are tried when a value is spelt.
constexpr std::array<Scale, 4> duration_scales{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Scale, 4> size_scales{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

// A number and what follows it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{}) { return std::nullopt; }
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    return number;
}

std::optional<std::uint64_t> parse_scaled(std::string_view text, std::span<const Scale> scales) {
    const auto number = take_number(text);
    if (!number) { return std::nullopt; }
    for (const Scale& scale : scales) {
        if (scale.suffix != text) { continue; }
        std::uint64_t product = 0;
        if (__builtin_mul_overflow(*number, scale.factor, &product)) { return std::nullopt; }
        return product;
    }
    return std::nullopt;
}

std::string format_scaled(std::uint64_t value, std::span<const Scale> scales) {
    for (const Scale& scale : scales) {
        if (value != 0 && value % scale.factor == 0) {
            return std::to_string(value / scale.factor).append(scale.suffix);
        }
    }
    return std::string("0").append(scales.back().suffix);
}

bool is_ip(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> octets{};
    const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
    return ::inet_pton(family, host.c_str(), octets.data()) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto number = take_number(text);
    if (!number || !text.empty() || *number > std::numeric_limits<std::uint16_t>::max()) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(*number);
}

// The host of `text`, whose port begins after `colon`; brackets are for IPv6 and only for it.
std::optional<std::string> parse_host(std::string_view text) {
    const bool in_brackets = text.size() >= 2 && text.front() == '[' && text.back() == ']';
    if (in_brackets) { text = text.substr(1, text.size() - 2); }
    if (in_brackets != (text.find(':') != std::string_view::npos)) { return std::nullopt; }
    if (text == "localhost") { return "127.0.0.1"; }
    if (text == "*") { return "0.0.0.0"; }
    std::string host(text);
    if (!is_ip(host)) { return std::nullopt; }
    return host;
}

bool is_mapped_loopback(const std::array<unsigned char, sizeof(in6_addr)>& octets) {
    static constexpr std::array<unsigned char, 13> prefix{
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127};
    return std::equal(prefix.begin(), prefix.end(), octets.begin());
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto value = parse_scaled(text, duration_scales);
    if (!value || *value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return parse_scaled(text, size_scales);
}

std::optional<std::uint32_t> parse_percent(std::string_view text) {
    const auto number = take_number(text);
    if (!number || text != "%" || *number > 100) { return std::nullopt; }
    return static_cast<std::uint32_t>(*number);
}

std::optional<Address> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    auto host = parse_host(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!host || !port) { return std::nullopt; }
    return Address{std::move(*host), *port};
}

std::string format_duration(std::chrono::milliseconds value) {
    if (value.count() == 0) { return "0s"; }
    return format_scaled(static_cast<std::uint64_t>(value.count()), duration_scales);
}

std::string format_size(std::uint64_t octets) {
    return format_scaled(octets, size_scales);
}

std::string format_address(const Address& address) {
    return url_host(address.host) + ":" + std::to_string(address.port);
}

std::string url_host(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_loopback(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> octets{};
    if (::inet_pton(AF_INET, host.c_str(), octets.data()) == 1) { return octets[0] == 127; }
    if (::inet_pton(AF_INET6, host.c_str(), octets.data()) != 1) { return false; }
    return std::memcmp(octets.data(), &in6addr_loopback, octets.size()) == 0 ||
           is_mapped_loopback(octets);
}

}  // namespace server
