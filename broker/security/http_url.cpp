#include "broker/security/http_url.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace security {

namespace {

using Parsed = boost::system::result<HttpUrl, UrlFault>;

constexpr std::size_t octets_max = 2048;
constexpr std::size_t host_octets_max = 253;
constexpr std::size_t socket_octets_max = 107;
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::uint16_t own_port(const HttpUrl& url) {
    return url.is_https ? https_port : http_port;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) { return false; }
    text.remove_prefix(prefix.size());
    return true;
}

bool is_address(const std::string& host) {
    boost::system::error_code ec;
    static_cast<void>(boost::asio::ip::make_address(host, ec));
    return !ec;
}

bool is_here(const std::string& host) {
    if (host == "localhost") { return true; }
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(host, ec);
    return !ec && address.is_loopback();
}

bool is_name(std::string_view host) {
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    };
    return !host.empty() && host.size() <= host_octets_max && std::ranges::all_of(host, is_good);
}

// False if it is no port.
bool take_port(std::string_view text, HttpUrl& url) {
    if (text.empty()) {
        url.port = own_port(url);
        return true;
    }
    if (!take_prefix(text, ":")) { return false; }
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, url.port);
    return ec == std::errc() && stop == end && url.port != 0;
}

// False if it is neither a name nor an address.
bool take_host(std::string_view& authority, HttpUrl& url) {
    const bool is_bracketed = take_prefix(authority, "[");
    const std::size_t end = authority.find(is_bracketed ? ']' : ':');
    url.host = std::string(authority.substr(0, end));
    if (!is_bracketed) {
        authority.remove_prefix(std::min(end, authority.size()));
        return is_name(url.host);
    }
    if (end == std::string_view::npos) { return false; }
    authority.remove_prefix(end + 1);
    const bool is_six = url.host.find(':') != std::string::npos;
    return is_six && url.host.find('%') == std::string::npos && is_address(url.host);
}

Parsed parse_socket(std::string_view rest, HttpUrl url) {
    const std::size_t colon = rest.find(':');
    url.socket = std::string(rest.substr(0, colon));
    const bool is_path = url.socket.size() > 1 && url.socket.starts_with('/') &&
                         url.socket.size() <= socket_octets_max;
    if (!is_path) { return UrlFault{"has no path of a Unix socket behind http://unix:"}; }
    if (colon == std::string_view::npos) { return url; }
    url.target = std::string(rest.substr(colon + 1));
    if (!url.target.starts_with('/')) {
        return UrlFault{"has no path behind the Unix socket's second colon"};
    }
    return url;
}

}  // namespace

std::string HttpUrl::authority() const {
    if (!socket.empty()) { return "localhost"; }
    std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != own_port(*this)) { text += ":" + std::to_string(port); }
    return text;
}

Parsed parse_http_url(std::string_view text) {
    const auto is_good = [](char c) { return c > ' ' && c < '\x7f' && c != '#'; };
    if (text.size() > octets_max || !std::ranges::all_of(text, is_good)) {
        return UrlFault{
            "is longer than 2048 octets, or has a fragment or what is no printable "
            "ASCII"};
    }
    HttpUrl url;
    url.is_https = take_prefix(text, "https://");
    if (!url.is_https && !take_prefix(text, "http://")) {
        return UrlFault{"does not begin with https:// or http://"};
    }
    if (!url.is_https && take_prefix(text, "unix:")) { return parse_socket(text, std::move(url)); }
    const std::size_t path = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, path);
    if (authority.find('@') != std::string_view::npos) {
        return UrlFault{"has user information before the host"};
    }
    if (!take_host(authority, url) || !take_port(authority, url)) {
        return UrlFault{"has no valid host and port"};
    }
    if (!url.is_https && !is_here(url.host)) {
        return UrlFault{
            "sends secrets in clear text to another machine: use https://, or http:// "
            "with localhost, a loopback address or http://unix:/SOCKET:/PATH"};
    }
    const std::string_view rest = text.substr(path);
    url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
    return url;
}

}  // namespace security
