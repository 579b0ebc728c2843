#include "broker/engine/authenticator.hpp"

namespace engine {

namespace {

protocol::Error refusal(std::string what, std::string remedy) {
    return {protocol::ErrorCode::auth_failed, std::move(what), std::move(remedy), "P-CONN-06"};
}

}  // namespace

void drop_unwanted(Credentials& credentials) {
    const CredentialSources sources = credentials.peer.sources;
    if (!sources.has(CredentialSource::certificate)) { credentials.peer.certificate.reset(); }
    if (!sources.has(CredentialSource::upgrade)) { credentials.peer.authorization.reset(); }
    if (!sources.has(CredentialSource::authorization)) { credentials.authorization.reset(); }
    if (sources.has(CredentialSource::passcode)) { return; }
    credentials.login.reset();
    credentials.passcode.reset();
}

void LoopbackAuthenticator::authenticate(Shard&, Credentials credentials, Answer answer) {
    answer(decide(credentials));
}

protocol::Result<PrincipalRef> LoopbackAuthenticator::decide(const Credentials& credentials) const {
    if (!allow_anonymous_) {
        return refusal(
            "No users are configured, and this broker lets nobody in without.",
            "Let the operator configure authentication, or set server.allow_anonymous = true."
        );
    }
    const bool is_local = credentials.peer.is_loopback && !credentials.peer.is_forwarded;
    if (!any_peer_ && !is_local) {
        return refusal(
            "No users are configured, so only clients on the broker's own machine may connect.",
            "Connect through loopback without a proxy, or let the operator configure "
            "authentication."
        );
    }
    const bool has_token = credentials.authorization || credentials.peer.authorization;
    if (!has_token && !credentials.login && !credentials.passcode) {
        Principal nobody{"anonymous"};
        nobody.is_anonymous = true;
        return std::make_shared<const Principal>(std::move(nobody));
    }
    const bool is_guest = credentials.login == "guest" && credentials.passcode &&
                          credentials.passcode->reveal() == "guest";
    if (!has_token && is_guest) { return std::make_shared<const Principal>(Principal{"guest"}); }
    return refusal(
        "Login or passcode is wrong.",
        "Use login guest with passcode guest, or neither, on this broker."
    );
}

}  // namespace engine
