#include "broker/transport/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace transport {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned v4_prefix_bits = 96;
constexpr std::size_t text_max = INET6_ADDRSTRLEN;

// Whether the first `bits` are the same.
bool begins_alike(const IpAddress& a, const IpAddress& b, unsigned bits) {
    const auto& left = a.octets();
    const auto& right = b.octets();
    const std::size_t whole = bits / 8;
    if (!std::equal(
            left.begin(), left.begin() + static_cast<std::ptrdiff_t>(whole), right.begin()
        )) {
        return false;
    }
    const unsigned rest = bits % 8;
    return rest == 0 || ((left[whole] ^ right[whole]) >> (8U - rest)) == 0;
}

IpAddress cut(const IpAddress& address, unsigned bits) {
    std::array<std::uint8_t, 16> octets = address.octets();
    for (unsigned bit = bits; bit < 128; ++bit) {
        octets[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
    return IpAddress::v6(octets);
}

std::optional<unsigned> parse_bits(std::string_view text, unsigned max) {
    unsigned bits = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), bits);
    const bool is_whole = ec == std::errc{} && end == text.data() + text.size();
    const bool is_plain = !text.empty() && (text == "0" || text.front() != '0');
    if (!is_whole || !is_plain || bits > max) { return std::nullopt; }
    return bits;
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> octets) {
    IpAddress address;
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.octets_.begin());
    std::copy(octets.begin(), octets.end(), address.octets_.begin() + v4_prefix.size());
    return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> octets) {
    IpAddress address;
    std::copy(octets.begin(), octets.end(), address.octets_.begin());
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, text_max + 1> buffer{};
    const bool has_nul = text.find('\0') != std::string_view::npos;
    if (text.empty() || text.size() > text_max || has_nul) { return std::nullopt; }
    std::copy(text.begin(), text.end(), buffer.begin());
    std::array<std::uint8_t, 4> small{};
    if (::inet_pton(AF_INET, buffer.data(), small.data()) == 1) { return v4(small); }
    std::array<std::uint8_t, 16> large{};
    if (::inet_pton(AF_INET6, buffer.data(), large.data()) == 1) { return v6(large); }
    return std::nullopt;
}

bool IpAddress::is_v4() const {
    return std::equal(v4_prefix.begin(), v4_prefix.end(), octets_.begin());
}

bool IpAddress::is_loopback() const {
    if (is_v4()) { return octets_[12] == 127; }
    const bool is_zero =
        std::all_of(octets_.begin(), octets_.end() - 1, [](std::uint8_t o) { return o == 0; });
    return is_zero && octets_[15] == 1;
}

std::string IpAddress::text() const {
    std::array<char, text_max + 1> buffer{};
    if (is_v4()) {
        ::inet_ntop(AF_INET, octets_.data() + v4_prefix.size(), buffer.data(), text_max);
    } else {
        ::inet_ntop(AF_INET6, octets_.data(), buffer.data(), text_max);
    }
    return buffer.data();
}

std::string IpAddress::network() const {
    const std::size_t begin = is_v4() ? v4_prefix.size() : 0;
    const std::size_t size = is_v4() ? 4 : 8;
    return {reinterpret_cast<const char*>(octets_.data()) + begin, size};
}

std::optional<std::string> Networks::add(std::string_view text) {
    if (networks_.size() >= networks_max) {
        return "more than " + std::to_string(networks_max) + " networks: join them";
    }
    const std::size_t slash = text.find('/');
    const auto base = IpAddress::parse(text.substr(0, slash));
    if (!base) {
        return "expected an address or a network, such as \"192.168.1.7\", \"10.0.0.0/8\" or "
               "\"fd00::/8\"";
    }
    // ::ffff:10.0.0.0/104 counts its bits as IPv6 does.
    const bool is_short = base->is_v4() && text.substr(0, slash).find(':') == std::string::npos;
    const unsigned max = is_short ? 32 : 128;
    unsigned bits = max;
    if (slash != std::string_view::npos) {
        const auto written = parse_bits(text.substr(slash + 1), max);
        if (!written) {
            return "after \"/\" expected the number of bits, 0 to " + std::to_string(max);
        }
        bits = *written;
    }
    const unsigned all_bits = is_short ? bits + v4_prefix_bits : bits;
    if (const IpAddress network = cut(*base, all_bits); network != *base) {
        return "has bits set beyond its first " + std::to_string(bits) + ": write \"" +
               network.text() + "/" + std::to_string(bits) + "\" for the network, or \"" +
               base->text() + "\" for the address";
    }
    networks_.push_back({*base, all_bits});
    return std::nullopt;
}

bool Networks::Network::contains(const IpAddress& address) const {
    if (address.is_v4() && bits < v4_prefix_bits) { return false; }
    return begins_alike(base, address, bits);
}

bool Networks::contains(const IpAddress& address) const {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        return network.contains(address);
    });
}

bool Networks::contains(std::string_view address) const {
    if (networks_.empty()) { return false; }
    const auto parsed = IpAddress::parse(address);
    return parsed && contains(*parsed);
}

}  // namespace transport
