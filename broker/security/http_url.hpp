// Where an outbound request goes: https to anywhere, plain http only to this machine (S-AUTH-14).
// Pure; at most 2,048 octets of printable ASCII.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace security {

struct HttpUrl {
    bool is_https = false;
    std::string host;  ///< A name or an address without brackets; empty with `socket`.
    std::uint16_t port = 0;
    std::string socket;        ///< Path of a Unix socket.
    std::string target = "/";  ///< Path and query.

    /// The Host field: with brackets, and the port unless it is the scheme's own.
    [[nodiscard]] std::string authority() const;
};

/// Why a text is no such URL, as the end of a sentence. Never repeats it.
struct UrlFault {
    std::string what;
};

/// `https://HOST[:PORT][/PATH]`, `http://` with `localhost` or a loopback address as HOST, or
/// `http://unix:/SOCKET:/PATH`. Refused: user information, fragments, all other hosts and schemes.
[[nodiscard]] boost::system::result<HttpUrl, UrlFault> parse_http_url(std::string_view text);

}  // namespace security
