// The HTTP side of a WebSocket listener: Beast parses requests and writes answers (P-WS-01 to -04,
// S-WEB-01 to -05). Sans I/O: octets in, a decision and octets out. Limits are checked as octets
// arrive.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/transport/options.hpp"
#include "broker/transport/static_files.hpp"
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
    const Options& options;
    std::vector<std::string> paths;
    bool is_loopback =
        true;  ///< The listener is bound to loopback: Host is checked, local origins are trusted.
    bool is_tls = false;
    std::string bound_host;
    StaticFiles files;
    WebPolicy web = {};
};

class HttpUpgrade {
public:
    enum class Outcome : std::uint8_t {
        need_more,
        respond,            ///< response() is to be sent; then more requests may come.
        respond_and_close,  ///< response() is to be sent, then the connection ends.
        upgrade,            ///< response() is to be sent; what follows is WebSocket.
    };

    explicit HttpUpgrade(const HttpEndpoint& endpoint);
    ~HttpUpgrade();

    /// Takes octets of the request head; consumed() tells how many. The rest belongs to what comes
    /// after.
    [[nodiscard]] Outcome feed(std::span<const char> input);

    [[nodiscard]] std::size_t consumed() const { return consumed_; }

    [[nodiscard]] const std::string& response() const { return response_; }

    /// The answer to a head that takes too long.
    [[nodiscard]] static std::string timeout_response();
    [[nodiscard]] static std::string overload_response();
    [[nodiscard]] static std::string too_many_response();

    // After `upgrade`.

    [[nodiscard]] std::optional<protocol::Version> sub_protocol() const { return sub_protocol_; }

    [[nodiscard]] bool is_echo() const { return is_echo_; }

    [[nodiscard]] bool is_forwarded() const { return is_forwarded_; }

    [[nodiscard]] const engine::SecretRef& authorization() const { return authorization_; }

    /// Unknown sub-protocols only were offered: browsers will fail the connection (P-WS-04); for
    /// the log.
    [[nodiscard]] const std::string& strange_sub_protocols() const { return strange_; }

    /// Status of the last answer, for the log.
    [[nodiscard]] unsigned status() const { return status_; }

private:
    struct Head;

    Outcome answer();
    Outcome answer_upgrade(std::string_view path);
    Outcome answer_file(std::string_view path);
    Outcome refuse(
        unsigned status,
        std::string_view text,
        std::string_view extra_field = {},
        std::string_view extra_value = {}
    );
    [[nodiscard]] bool is_web_socket_path(std::string_view path) const;
    [[nodiscard]] bool take_host();
    [[nodiscard]] OriginVerdict judge_page() const;
    Outcome refuse_host();
    Outcome refuse_page(OriginVerdict verdict);
    void choose_sub_protocol();

    const HttpEndpoint& endpoint_;
    std::unique_ptr<Head> head_;
    Authority host_;
    std::string pending_;  ///< An incomplete head, at most `upgrade_head_max` and one octet.
    std::size_t consumed_ = 0;
    std::string response_;
    std::optional<protocol::Version> sub_protocol_;
    bool is_echo_ = false;
    bool is_forwarded_ = false;
    engine::SecretRef authorization_;
    std::string strange_;
    unsigned status_ = 0;
};

}  // namespace transport
