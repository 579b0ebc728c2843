// The HTTP side of a WebSocket listener: Beast parses requests and writes answers (P-WS-01 to -04,
// S-WEB-01 to -05). Sans I/O: octets in, a decision and octets out. Limits are checked as octets
// arrive.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/transport/forwarded.hpp"
#include "broker/transport/options.hpp"
#include "broker/transport/static_files.hpp"
#include "protocol/limit_key.hpp"
#include "protocol/version.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

/// What of a listener the upgrade depends on.
struct HttpEndpoint {
    std::vector<std::string> paths;
    bool is_loopback =
        true;  ///< The listener is bound to loopback: Host is checked, local origins are trusted.
    bool is_tls = false;
    std::string bound_host;
    StaticFiles files;
    WebPolicy web = {};
    Networks trusted_proxies = {};  ///< Whose forwarded fields are believed.
};

class HttpUpgrade {
public:
    enum class Outcome : std::uint8_t {
        need_more,
        respond,            ///< response() is to be sent; then more requests may come.
        respond_and_close,  ///< response() is to be sent, then the connection ends.
        upgrade,            ///< response() is to be sent; what follows is WebSocket.
    };

    /// `peer`: the address at the other end, after a PROXY header. Refers to the others.
    HttpUpgrade(const HttpEndpoint& endpoint, const Options& options, std::string_view peer);
    ~HttpUpgrade();

    /// Takes octets of the request head; consumed() tells how many. The rest belongs to what comes
    /// after.
    [[nodiscard]] Outcome feed(std::span<const char> input);

    [[nodiscard]] std::size_t consumed() const { return consumed_; }

    [[nodiscard]] const std::string& response() const { return response_; }

    /// The answer to a head that takes too long.
    [[nodiscard]] static std::string timeout_response();
    [[nodiscard]] static std::string try_later_response(unsigned status, std::string_view text);
    /// 400 with `text`, to what has not come as far as a request.
    [[nodiscard]] static std::string bad_response(std::string_view text);

    // After `upgrade`.

    [[nodiscard]] std::optional<protocol::Version> sub_protocol() const { return sub_protocol_; }

    [[nodiscard]] bool is_echo() const { return is_echo_; }

    /// It came through a proxy, and no trusted one says that its client is on this machine.
    [[nodiscard]] bool is_forwarded() const { return is_forwarded_; }

    /// Who sent the request to a trusted proxy, as far as that says so.
    [[nodiscard]] const std::optional<IpAddress>& client() const { return forwarding_.client; }

    [[nodiscard]] const engine::SecretRef& authorization() const { return authorization_; }

    [[nodiscard]] const std::string& origin() const { return origin_; }

    /// What the client says it is, its first 128 octets; empty: nothing.
    [[nodiscard]] const std::string& user_agent() const { return user_agent_; }

    /// Unknown sub-protocols only were offered: browsers will fail the connection (P-WS-04); for
    /// the log.
    [[nodiscard]] const std::string& strange_sub_protocols() const { return strange_; }

    /// Status of the last answer, for the log.
    [[nodiscard]] unsigned status() const { return status_; }

    /// The limit that the last answer is about, or `none`.
    [[nodiscard]] protocol::LimitKey limit() const { return limit_; }

    /// Of a 403 or 421, for the log: the Origin or Host that was refused.
    [[nodiscard]] const std::string& why() const { return why_; }

    /// The same: the key that would let it in.
    [[nodiscard]] const std::string& remedy() const { return remedy_; }

private:
    struct Head;

    Outcome parse(const std::string& head);
    Outcome answer();
    Outcome answer_upgrade(std::string_view path);
    void switch_protocols(std::string_view key);
    Outcome answer_file(std::string_view path);
    Outcome refuse(
        unsigned status,
        std::string_view text,
        std::string_view extra_field = {},
        std::string_view extra_value = {}
    );
    Outcome refuse_size(protocol::LimitKey limit, std::string_view what);
    [[nodiscard]] bool is_web_socket_path(std::string_view path) const;
    void take_forwarding();
    [[nodiscard]] std::optional<Outcome> refuse_host();
    [[nodiscard]] std::optional<Outcome> refuse_handshake();
    [[nodiscard]] OriginVerdict judge_page() const;
    Outcome refuse_page(OriginVerdict verdict);
    void choose_sub_protocol();

    const HttpEndpoint& endpoint_;
    const Options& options_;
    std::unique_ptr<Head> head_;
    const IpAddress peer_;
    Forwarding forwarding_;
    Authority host_;       ///< The one that the client asked for.
    std::string pending_;  ///< An incomplete head, at most `upgrade_head_max` and one octet.
    std::size_t consumed_ = 0;
    std::string response_;
    std::optional<protocol::Version> sub_protocol_;
    bool is_echo_ = false;
    bool is_forwarded_ = false;
    engine::SecretRef authorization_;
    std::string origin_;
    std::string user_agent_;
    std::string strange_;
    unsigned status_ = 0;
    protocol::LimitKey limit_ = protocol::LimitKey::none;
    std::string why_;
    std::string remedy_;
};

}  // namespace transport
