// Who may connect: the interface that sessions ask, and the one built-in answer.
// Lives on the session's shard; must not block.
#pragma once

#include "protocol/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace engine {

/// The other end of a connection, as the transport knows it.
struct Peer {
    std::string address;  ///< Without port.
    bool is_loopback =
        false;  ///< Decided by the peer's address, never by the listener's (S-BIND-06).
    bool is_forwarded =
        false;  ///< The upgrade carried a Forwarded or X-Forwarded-* header (S-BIND-02).
    std::optional<std::string> authorization = {};  ///< The upgrade request's header.
};

struct Credentials {
    std::optional<std::string_view> login;
    std::optional<std::string_view> passcode;
    std::optional<std::string_view> authorization;
    const Peer& peer;
};

struct Principal {
    std::string user;
};

class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// The principal, or `auth-failed`: the same words for an unknown user and a wrong passcode
    /// (P-CONN-07).
    [[nodiscard]] virtual protocol::Result<Principal> authenticate(const Credentials& credentials
    ) = 0;
};

/// No authentication configured: guest/guest or nobody, from loopback peers only unless `any_peer`
/// (P-CONN-06, S-BIND-02, S-BIND-03); no one at all without `allow_anonymous` (S-BIND-04).
class LoopbackAuthenticator : public Authenticator {
public:
    explicit LoopbackAuthenticator(bool any_peer, bool allow_anonymous = true)
        : any_peer_(any_peer), allow_anonymous_(allow_anonymous) {}

    [[nodiscard]] protocol::Result<Principal> authenticate(const Credentials& credentials) override;

private:
    bool any_peer_;
    bool allow_anonymous_;
};

}  // namespace engine
