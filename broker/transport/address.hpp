// IP addresses as values, and lists of networks: trusted proxies, addresses exempt from limits.
// Pure. A list has at most `networks_max` entries and is searched in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

/// IPv4 is held as ::ffff:a.b.c.d: both spellings are the same address (S-BIND-02).
class IpAddress {
public:
    /// `::`
    IpAddress() = default;

    [[nodiscard]] static IpAddress v4(std::span<const std::uint8_t, 4> octets);
    [[nodiscard]] static IpAddress v6(std::span<const std::uint8_t, 16> octets);
    /// The whole text, without brackets, port and zone.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const { return octets_; }

    [[nodiscard]] bool is_v4() const;
    /// 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104.
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] std::string text() const;
    /// What limits count it by, as a key: an IPv4 address, or an IPv6 /64, since one host owns all
    /// of that.
    [[nodiscard]] std::string network() const;

    friend bool operator==(const IpAddress&, const IpAddress&) = default;

private:
    std::array<std::uint8_t, 16> octets_{};
};

/// A list of networks. IPv4 peers match IPv4 networks only: `::/0` is all of IPv6 and no IPv4.
class Networks {
public:
    static constexpr std::size_t networks_max = 256;

    /// Adds `10.0.0.0/8`, `fd00::/8` or a single address; or returns what is wrong with it.
    [[nodiscard]] std::optional<std::string> add(std::string_view text);

    [[nodiscard]] bool contains(const IpAddress& address) const;
    /// False for what is no address.
    [[nodiscard]] bool contains(std::string_view address) const;

    [[nodiscard]] bool empty() const { return networks_.empty(); }

private:
    struct Network {
        IpAddress base;
        unsigned bits = 128;  ///< Of 128, for IPv4 too.

        [[nodiscard]] bool contains(const IpAddress& address) const;
    };

    std::vector<Network> networks_;
};

}  // namespace transport
