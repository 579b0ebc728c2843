// Broker addresses as URLs: ws://, wss://, stomp://, stomps://.
// Pure; user information is percent-decoded and never printed again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

struct Url {
    bool is_web_socket = true;
    bool is_tls = false;
    std::string host;  ///< A name or an address, without brackets.
    std::uint16_t port = 0;
    std::string path = "/";  ///< With the query; only used over WebSocket.
    std::optional<std::string> user;
    std::optional<std::string> passcode;

    /// The URL without user information, for messages.
    [[nodiscard]] std::string text() const;
    /// `host:port`, with brackets around an IPv6 address.
    [[nodiscard]] std::string authority() const;
};

/// Reads `scheme://[user[:passcode]@]host[:port][/path]`. Ports default to 80, 443, 61613 and
/// 61614. Throws Failure (usage) with a sentence that says what is wrong.
[[nodiscard]] Url parse_url(std::string_view text);

}  // namespace cli
