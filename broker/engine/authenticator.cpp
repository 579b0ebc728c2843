#include "broker/engine/authenticator.hpp"

#include <algorithm>
#include <cctype>

namespace engine {

namespace {

protocol::Error refusal(std::string what, std::string remedy) {
    return {protocol::ErrorCode::auth_failed, std::move(what), std::move(remedy), "P-CONN-06"};
}

bool is_basic(std::string_view authorization) {
    constexpr std::string_view scheme = "basic";
    const std::string_view begin = authorization.substr(0, authorization.find_first_of(" \t"));
    return std::ranges::equal(begin, scheme, [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    });
}

// A JWT is three parts, the first of which is an object in base64url.
bool is_token_like(std::string_view passcode) {
    return passcode.starts_with("ey") && std::ranges::count(passcode, '.') == 2;
}

}  // namespace

LoginMethod login_method(const Credentials& credentials) {
    if (credentials.peer.certificate) { return LoginMethod::certificate; }
    for (const SecretRef& header : {credentials.peer.authorization, credentials.authorization}) {
        if (!header) { continue; }
        return is_basic(header->reveal()) ? LoginMethod::passcode : LoginMethod::token;
    }
    if (credentials.passcode && is_token_like(credentials.passcode->reveal())) {
        return LoginMethod::token;
    }
    const bool is_given = credentials.login || credentials.passcode;
    return is_given ? LoginMethod::passcode : LoginMethod::none;
}

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
