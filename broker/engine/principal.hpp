// Who a client is, once that is known. Immutable: may be used on all shards at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {

/// What has vouched for a principal.
enum class Voucher : std::uint8_t { nobody, users_file, token, hook, certificate, admin_token };

/// What a client shows when it logs in, in the words of metrics.
enum class LoginMethod : std::uint8_t { none, passcode, token, certificate };

inline constexpr std::size_t login_method_count = 4;

/// What was shown by who was let in so.
[[nodiscard]] constexpr LoginMethod method_of(Voucher voucher) {
    switch (voucher) {
        case Voucher::users_file:
        case Voucher::hook:
            return LoginMethod::passcode;
        case Voucher::token:
        case Voucher::admin_token:
            return LoginMethod::token;
        case Voucher::certificate:
            return LoginMethod::certificate;
        case Voucher::nobody:
            break;
    }
    return LoginMethod::none;
}

/// For the log.
[[nodiscard]] constexpr std::string_view to_string(Voucher voucher) {
    switch (voucher) {
        case Voucher::nobody:
            return "nobody";
        case Voucher::users_file:
            return "users-file";
        case Voucher::token:
            return "token";
        case Voucher::hook:
            return "hook";
        case Voucher::certificate:
            return "certificate";
        case Voucher::admin_token:
            return "admin-token";
    }
    return {};
}

/// Whether limits by user concern who was let in so: not `anonymous`, the built-in guest and the
/// operator, who are nobody's own (S-RATE-01).
[[nodiscard]] constexpr bool is_own_name(Voucher voucher) {
    return voucher != Voucher::nobody && voucher != Voucher::admin_token;
}

struct Principal {
    /// Obeys S-AUTH-06: 1 to 128 octets of printable UTF-8 without `:`, separators (`/`, `.`) and
    /// wildcards (`*`, `#`, `+`, `>`). `anonymous` if nobody has said who it is.
    std::string user;
    std::vector<std::string> roles = {};
    /// String claims of a verified token, by name.
    std::vector<std::pair<std::string, std::string>> claims = {};
    bool is_anonymous = false;
    Voucher voucher = Voucher::nobody;
    /// Milliseconds since 1970 at which it ends (S-AUTH-12); 0: never.
    std::int64_t expires_at = 0;
    /// Changes when its credential does (another hash in the users file): on reload a principal
    /// whose generation is not the present one is revoked.
    std::uint64_t credential = 0;
    std::string certificate = {};  ///< The identity of the one that vouched (S-AUTH-13).

    friend bool operator==(const Principal&, const Principal&) = default;
};

using PrincipalRef = std::shared_ptr<const Principal>;

}  // namespace engine
