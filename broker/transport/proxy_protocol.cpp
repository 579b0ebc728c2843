#include "broker/transport/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>

namespace transport {

namespace {

constexpr std::string_view line_begin = "PROXY ";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t binary_head = 16;
constexpr std::size_t v4_addresses = 12;  // Two addresses, two ports.
constexpr std::size_t v6_addresses = 36;

enum Family : unsigned { unspecified = 0, inet = 1, inet6 = 2, unix_socket = 3 };

constexpr unsigned stream_transport = 1;

unsigned octet(char c) {
    return static_cast<unsigned char>(c);
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_whole = ec == std::errc{} && end == text.data() + text.size();
    return is_whole && (text == "0" || text.front() != '0');
}

// The text up to the next space, which is left out of `line` too; nothing if there is none.
std::optional<std::string_view> take_word(std::string_view& line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) { return std::nullopt; }
    const std::string_view word = line.substr(0, space);
    line.remove_prefix(space + 1);
    return word;
}

// `TCP4` spells its addresses with dots, `TCP6` with colons.
std::optional<IpAddress> parse_as(std::string_view family, std::string_view text) {
    const bool has_colon = text.find(':') != std::string_view::npos;
    if (has_colon != (family == "TCP6")) { return std::nullopt; }
    return IpAddress::parse(text);
}

}  // namespace

ProxyHeader::Outcome ProxyHeader::feed(std::span<const char> input) {
    consumed_ = 0;
    while (outcome_ == Outcome::need_more && consumed_ < input.size()) {
        outcome_ = take(input[consumed_++]);
    }
    return outcome_;
}

ProxyHeader::Outcome ProxyHeader::fail(std::string_view problem) {
    problem_ = problem;
    return Outcome::failed;
}

// A wrong octet is refused when it comes: nothing waits for an end that may never come.
ProxyHeader::Outcome ProxyHeader::take(char c) {
    if (size_ < held_.size()) { held_[size_] = c; }
    const std::size_t at = size_++;
    if (held_[0] == line_begin[0]) {
        if (at < line_begin.size() && c != line_begin[at]) {
            return fail("The connection does not begin with a PROXY header.");
        }
        return take_line(c);
    }
    if (at < signature.size() && c != signature[at]) {
        return fail("The connection does not begin with a PROXY header.");
    }
    return take_binary();
}

ProxyHeader::Outcome ProxyHeader::take_line(char c) {
    const bool follows_cr = size_ > 1 && held_[size_ - 2] == '\r';
    if (c == '\n' && follows_cr) { return finish_line({held_.data(), size_ - 2}); }
    if (c == '\n' || follows_cr) { return fail("The PROXY line ends without CR LF."); }
    if (size_ == line_max) { return fail("The PROXY line has more than 107 octets."); }
    return Outcome::need_more;
}

// `PROXY TCP4 source destination source-port destination-port`, or `PROXY UNKNOWN` and anything.
ProxyHeader::Outcome ProxyHeader::finish_line(std::string_view line) {
    line.remove_prefix(std::min(line_begin.size(), line.size()));
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) { return Outcome::done; }
    const auto family = take_word(line);
    const auto source = take_word(line);
    const auto destination = take_word(line);
    const auto source_port = take_word(line);
    if (!source_port) { return fail("The PROXY line has too few words."); }
    if (*family != "TCP4" && *family != "TCP6") {
        return fail("The PROXY line names neither TCP4, TCP6 nor UNKNOWN.");
    }
    const auto client = parse_as(*family, *source);
    if (!client || !parse_as(*family, *destination)) {
        return fail("The PROXY line holds what is no address of its family.");
    }
    if (!is_port(*source_port) || !is_port(line)) {
        return fail("The PROXY line holds what is no port.");
    }
    client_ = client;
    return Outcome::done;
}

ProxyHeader::Outcome ProxyHeader::take_binary() {
    if (size_ < binary_head) { return Outcome::need_more; }
    if (size_ == binary_head) {
        const Outcome outcome = check_binary_head();
        if (outcome == Outcome::failed) { return outcome; }
    }
    return size_ == binary_head + rest_ ? finish_binary() : Outcome::need_more;
}

ProxyHeader::Outcome ProxyHeader::check_binary_head() {
    const unsigned version = octet(held_[12]) >> 4U;
    const unsigned command = octet(held_[12]) & 0x0FU;
    const unsigned family = octet(held_[13]) >> 4U;
    const unsigned transport = octet(held_[13]) & 0x0FU;
    rest_ = octet(held_[14]) << 8U | octet(held_[15]);
    if (version != 2) { return fail("The PROXY header is of neither version 1 nor 2."); }
    if (command > 1) { return fail("The PROXY header's command is neither LOCAL nor PROXY."); }
    if (rest_ > rest_max) { return fail("The PROXY header is longer than 4 KiB."); }
    if (command == 0) { return Outcome::need_more; }
    if (family > unix_socket || transport > 2) {
        return fail("The PROXY header names no family or transport that there is.");
    }
    const bool has_address = family == inet || family == inet6;
    if (has_address && transport != stream_transport) {
        return fail("The PROXY header is about something else than TCP.");
    }
    const std::size_t least = family == inet ? v4_addresses : family == inet6 ? v6_addresses : 0;
    if (rest_ < least) { return fail("The PROXY header is too short for its addresses."); }
    return Outcome::need_more;
}

ProxyHeader::Outcome ProxyHeader::finish_binary() {
    const bool is_local = (octet(held_[12]) & 0x0FU) == 0;
    const unsigned family = octet(held_[13]) >> 4U;
    std::array<std::uint8_t, 16> address{};
    std::transform(
        held_.begin() + binary_head,
        held_.begin() + binary_head + address.size(),
        address.begin(),
        [](char c) { return static_cast<std::uint8_t>(c); }
    );
    if (is_local) { return Outcome::done; }
    if (family == inet) {
        client_ = IpAddress::v4(std::span<const std::uint8_t>(address).first<4>());
    } else if (family == inet6) {
        client_ = IpAddress::v6(address);
    }
    return Outcome::done;
}

}  // namespace transport
