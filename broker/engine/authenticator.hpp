// Who may connect: the interface that sessions ask, and the one built-in answer.
// Lives on the session's shard; must not block.
#pragma once

#include "broker/engine/principal.hpp"
#include "broker/engine/secret.hpp"
#include "broker/engine/shard.hpp"
#include "protocol/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

/// Shared, so that who holds it can be copied; null: not given.
using SecretRef = std::shared_ptr<const Secret>;

/// What a client certificate says of its owner, after its chain was verified (S-AUTH-13).
struct ClientCertificate {
    /// `uri:...`, `email:...` or `dn:...`, to be compared as a whole; empty: none can be told.
    std::string identity;
    std::string fault = {};       ///< Why not.
    std::int64_t expires_at = 0;  ///< Milliseconds since 1970.
};

/// Null: none was given.
using ClientCertificateRef = std::shared_ptr<const ClientCertificate>;

/// Where credentials may come from, in the order in which they are looked at (S-AUTH-03). Bits.
enum class CredentialSource : std::uint8_t {
    certificate = 1,    ///< Of TLS.
    upgrade = 2,        ///< `Authorization` of the upgrade request.
    authorization = 4,  ///< `Authorization` of CONNECT.
    passcode = 8,       ///< Login and passcode of CONNECT.
};

/// A set of sources.
class CredentialSources {
public:
    constexpr CredentialSources() = default;

    [[nodiscard]] constexpr bool has(CredentialSource source) const {
        return (bits_ & static_cast<unsigned>(source)) != 0;
    }

    constexpr void add(CredentialSource source) {
        bits_ = static_cast<std::uint8_t>(bits_ | static_cast<unsigned>(source));
    }

    [[nodiscard]] static constexpr CredentialSources all() {
        CredentialSources sources;
        sources.bits_ = 15;
        return sources;
    }

private:
    std::uint8_t bits_ = 0;
};

/// The other end of a connection, as the transport knows it.
struct Peer {
    std::string address;  ///< Without port.
    bool is_loopback =
        false;  ///< Decided by the peer's address, never by the listener's (S-BIND-06).
    bool is_forwarded =
        false;  ///< The upgrade carried a Forwarded or X-Forwarded-* header (S-BIND-02).
    SecretRef authorization = {};  ///< The upgrade request's header.
    ClientCertificateRef certificate = {};
    CredentialSources sources = CredentialSources::all();  ///< Of its listener.
    std::string network = {};  ///< What limits count it by: the IPv4 address, or IPv6 /64.
    // Only until CONNECT has been read.
    std::string listener = {};  ///< As in the log: `ws 0.0.0.0:15673`.
    std::string origin = {};    ///< The upgrade request's header; empty: none.
    bool is_tls = false;        ///< The connection is TLS here, not at a proxy.
};

/// What a CONNECT brings. Its own copy: the answer may come after the frame has gone.
struct Credentials {
    std::optional<std::string> login;
    SecretRef passcode;
    SecretRef authorization;  ///< CONNECT's header of that name.
    Peer peer;
    std::string client_id = {};
    std::string host = {};
    std::string session = {};  ///< Session::name(), for the log.
};

/// By what a client wants to be let in, as far as one can tell before anybody has looked at it.
[[nodiscard]] LoginMethod login_method(const Credentials& credentials);

/// Takes away what comes from a source that the listener has off: nobody sees it (S-AUTH-03).
void drop_unwanted(Credentials& credentials);

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

    /// Who `user`, of whom no connection is asked, would be now; `last`: who that was when last
    /// seen here, or null. Null: nobody can be let in by this name. Nothing: only a login could
    /// tell. Any thread (S-ACL-11).
    [[nodiscard]] virtual std::optional<PrincipalRef> absent(
        std::string_view user, const PrincipalRef& last
    ) const {
        static_cast<void>(user);
        return last ? std::optional(last) : std::nullopt;
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
