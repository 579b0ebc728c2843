// One pass from left to right; whatever is left over is the path.
#include "broker/cli/url.hpp"

#include "broker/cli/exit_code.hpp"

#include <array>
#include <charconv>

namespace cli {
namespace {

struct Scheme {
    std::string_view name;
    bool is_web_socket;
    bool is_tls;
    std::uint16_t port;
};

constexpr std::array<Scheme, 4> schemes{{
    {"ws", true, false, 80},
    {"wss", true, true, 443},
    {"stomp", false, false, 61613},
    {"stomps", false, true, 61614},
}};

// The URL itself is not quoted: it may hold a passcode.
[[noreturn]] void refuse(const std::string& what) {
    throw Failure(
        ExitCode::usage, "bad URL: " + what + "; write for example ws://127.0.0.1:15674/ws"
    );
}

const Scheme& scheme_named(std::string_view name) {
    for (const Scheme& scheme : schemes) {
        if (scheme.name == name) { return scheme; }
    }
    refuse("the scheme must be ws, wss, stomp or stomps");
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
    refuse("a percent sign in the user information is not followed by two hexadecimal digits");
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        if (at + 2 >= text.size()) {
            refuse("a percent sign in the user information ends too early");
        }
        out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
        at += 2;
    }
    return out;
}

void take_user(Url& url, std::string_view info) {
    const std::size_t colon = info.find(':');
    url.user = percent_decoded(info.substr(0, colon));
    if (colon != std::string_view::npos) { url.passcode = percent_decoded(info.substr(colon + 1)); }
}

void take_port(Url& url, std::string_view text) {
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, url.port);
    if (ec != std::errc{} || stop != end || url.port == 0) {
        refuse("the port must be a number from 1 to 65535");
    }
}

void take_host(Url& url, std::string_view text) {
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            refuse("the closing bracket of the address is missing");
        }
        url.host = text.substr(1, close - 1);
        rest = text.substr(close + 1);
    } else {
        const std::size_t colon = text.find(':');
        url.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    }
    if (url.host.empty()) { refuse("the host is missing"); }
    if (rest.empty()) { return; }
    if (rest.front() != ':') { refuse("only a port may follow the bracketed address"); }
    take_port(url, rest.substr(1));
}

}  // namespace

std::string Url::authority() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string Url::text() const {
    std::string out = is_web_socket ? "ws" : "stomp";
    out += is_tls ? "s://" : "://";
    return out + authority() + (is_web_socket ? path : "");
}

Url parse_url(std::string_view text) {
    const std::size_t mark = text.find("://");
    if (mark == std::string_view::npos) { refuse("the scheme is missing"); }
    const Scheme& scheme = scheme_named(text.substr(0, mark));
    Url url;
    url.is_web_socket = scheme.is_web_socket;
    url.is_tls = scheme.is_tls;
    url.port = scheme.port;

    std::string_view authority = text.substr(mark + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    std::string_view path = text.substr(mark + 3 + authority.size());
    path = path.substr(0, path.find('#'));
    if (!path.empty()) {
        url.path = path.front() == '/' ? std::string(path) : '/' + std::string(path);
    }
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
            refuse("blanks and control characters are not allowed");
        }
    }

    const std::size_t at = authority.rfind('@');
    if (at != std::string_view::npos) {
        take_user(url, authority.substr(0, at));
        authority.remove_prefix(at + 1);
    }
    take_host(url, authority);
    return url;
}

}  // namespace cli
