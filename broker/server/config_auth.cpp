// Rules about where principals come from: what belongs together, what excludes each other, URLs.
// Nothing is opened or resolved here.
#include "broker/security/http_url.hpp"
#include "broker/server/config_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace server {

namespace {

void check_url(Draft& draft, const char* key, const std::string& url) {
    if (url.empty()) { return; }
    const auto parsed = security::parse_http_url(url);
    // What it says is not repeated: it may have a secret in its query.
    if (!parsed) { draft.fail_at(key, fmt::format("the URL {}", parsed.error().what)); }
}

// Half a verifier would accept too much, or nobody.
void check_tokens(Draft& draft) {
    const AuthOptions& auth = draft.loaded.config.auth;
    const bool is_any = auth.has_tokens() || !auth.issuer.empty() || !auth.audience.empty() ||
                        !auth.algorithm.empty() || !auth.keys_ca_file.empty();
    if (!is_any) { return; }
    const auto demand = [&](const char* key, const std::string& value, const char* what) {
        if (value.empty()) { draft.fail_at(key, what); }
    };
    if (!auth.has_tokens()) {
        draft.fail_at(
            "jwt.keys_file", "expected the file with the keys of tokens, or jwt.keys_url"
        );
    }
    if (!auth.keys_file.empty() && !auth.keys_url.empty()) {
        draft.fail_at("jwt.keys_url", "jwt.keys_file is set too: remove one of the two");
    }
    if (!auth.keys_ca_file.empty() && auth.keys_url.empty()) {
        draft.fail_at("jwt.keys_ca_file", "it is for jwt.keys_url, which is not set");
    }
    check_url(draft, "jwt.keys_url", auth.keys_url);
    demand("jwt.issuer", auth.issuer, "expected what `iss` of tokens is");
    demand("jwt.audience", auth.audience, "expected what `aud` of tokens is");
    demand("jwt.user_claim", auth.user_claim, "expected the name of a claim");
    demand("jwt.roles_claim", auth.roles_claim, "expected the name of a claim");
}

void check_hook(Draft& draft) {
    const AuthOptions& auth = draft.loaded.config.auth;
    check_url(draft, "hook.url", auth.hook.url);
    if (!auth.hook.ca_file.empty() && !auth.hook.is_set()) {
        draft.fail_at("hook.ca_file", "it is for hook.url, which is not set");
    }
}

// A back end that is named must be there, and one that is there must be named: who leaves one out
// has forgotten it, or meant to remove its key.
void check_backends(Draft& draft) {
    const AuthOptions& auth = draft.loaded.config.auth;
    if (auth.backends.empty()) { return; }
    const auto check = [&](const char* name, bool is_set, const char* key) {
        const auto named = std::ranges::count(auth.backends, name);
        if (named == (is_set ? 1 : 0)) { return; }
        draft.fail_at(
            "auth.backends",
            is_set ? fmt::format("{} is set: name \"{}\" once", key, name)
                   : fmt::format("\"{}\" needs {}", name, key)
        );
    };
    for (const std::string& name : auth.backends) {
        if (name == "users" || name == "hook") { continue; }
        return draft.fail_at("auth.backends", "expected a list of \"users\" and \"hook\"");
    }
    check("users", !auth.users_file.empty(), "auth.users_file");
    check("hook", auth.hook.is_set(), "hook.url");
}

// The key that switches authentication on.
const char* key_of(const AuthOptions& auth) {
    if (!auth.users_file.empty()) { return "auth.users_file"; }
    if (auth.hook.is_set()) { return "hook.url"; }
    if (!auth.keys_url.empty()) { return "jwt.keys_url"; }
    return auth.keys_file.empty() ? "certificate" : "jwt.keys_file";
}

}  // namespace

// Whoever configures users and lets everyone in has not meant both (S-BIND-02, S-BIND-03).
void check_auth(Draft& draft, const Flags& flags) {
    const AuthOptions& auth = draft.loaded.config.auth;
    check_tokens(draft);
    check_hook(draft);
    check_backends(draft);
    if (auth.is_set() && flags.insecure_no_auth) {
        draft.fail_at(
            key_of(auth), "authentication is configured: start without --insecure-no-auth"
        );
    }
    if (auth.is_set() && draft.loaded.config.access_rules.empty()) {
        draft.loaded.warnings.push_back(
            "there are users but no [[acl]] entry: nobody may publish or subscribe to anything"
        );
    }
}

}  // namespace server
