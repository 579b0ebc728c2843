// Who may connect: the interface that sessions ask, and the one built-in answer.
// Lives on the session's shard; must not block.
#pragma once

#include "broker/engine/principal.hpp"
#include "broker/engine/secret.hpp"
#include "broker/engine/shard.hpp"
#include "protocol/error.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace engine {

/// Shared, so that who holds it can be copied; null: not given.
using SecretRef = std::shared_ptr<const Secret>;

/// The other end of a connection, as the transport knows it.
struct Peer {
    std::string address;  ///< Without port.
    bool is_loopback =
        false;  ///< Decided by the peer's address, never by the listener's (S-BIND-06).
    bool is_forwarded =
        false;  ///< The upgrade carried a Forwarded or X-Forwarded-* header (S-BIND-02).
    SecretRef authorization = {};  ///< The upgrade request's header.
};

/// What a CONNECT brings. Its own copy: the answer may come after the frame has gone.
struct Credentials {
    std::optional<std::string> login;
    SecretRef passcode;
    SecretRef authorization;  ///< CONNECT's header of that name.
    Peer peer;
    std::string client_id = {};
    std::string host = {};
};

class Authenticator {
public:
    using Answer = std::function<void(protocol::Result<PrincipalRef>)>;

    virtual ~Authenticator() = default;
    /// Answers once, on `shard`, now or later: the principal; `auth-failed`, in the same words for
    /// an unknown user and a wrong passcode (P-CONN-07); `token-expired`; or `overload`. Called on
    /// `shard`; whoever asked may have gone by the time of the answer.
    virtual void authenticate(Shard& shard, Credentials credentials, Answer answer) = 0;

    /// `principal` as it would be let in now, with the roles of now; null: not at all (S-ACL-11).
    /// Any thread.
    [[nodiscard]] virtual PrincipalRef renewed(const PrincipalRef& principal) const {
        return principal;
    }
};

/// No authentication configured: guest/guest or nobody, from loopback peers only unless `any_peer`
/// (P-CONN-06, S-BIND-02, S-BIND-03); no one at all without `allow_anonymous` (S-BIND-04).
class LoopbackAuthenticator : public Authenticator {
public:
    explicit LoopbackAuthenticator(bool any_peer, bool allow_anonymous = true)
        : any_peer_(any_peer), allow_anonymous_(allow_anonymous) {}

    void authenticate(Shard& shard, Credentials credentials, Answer answer) override;

private:
    [[nodiscard]] protocol::Result<PrincipalRef> decide(const Credentials& credentials) const;

    bool any_peer_;
    bool allow_anonymous_;
};

}  // namespace engine
