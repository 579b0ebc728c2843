#include "broker/server/rights.hpp"

#include "broker/files/small_file.hpp"
#include "broker/log/audit.hpp"
#include "broker/log/log.hpp"
#include "broker/security/access_list.hpp"
#include "broker/security/auth_hook.hpp"
#include "broker/security/jwks.hpp"
#include "broker/security/remote_keys.hpp"
#include "broker/security/users_file_load.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace server {

namespace {

constexpr unsigned secrets_mode_max = 0640;

files::SmallFile read_keys(const std::string& file) {
    files::SmallFile keys = files::read_small_file(file, security::jwks_octets_max);
    if (keys.error.empty()) { return keys; }
    throw std::runtime_error(fmt::format(
        "Cannot read the keys of tokens from {}: {}. Mend it, or name another in jwt.keys_file.",
        file,
        keys.error
    ));
}

security::JwtAlgorithm algorithm_of(const AuthOptions& auth) {
    const auto algorithm = security::jwt_algorithm_named(auth.algorithm);
    if (algorithm) { return *algorithm; }
    throw std::runtime_error(fmt::format(
        "jwt.algorithm: {}: set it to that of the key in {}: RS256, PS256, ES256 or EdDSA",
        auth.algorithm.empty() ? "it is not set" : "this is none that is known",
        auth.keys_file
    ));
}

security::KeySetRef pem_keys(const AuthOptions& auth, std::string_view text) {
    auto key = security::JwtKey::from_pem(algorithm_of(auth), text);
    if (!key) { throw std::runtime_error(fmt::format("{}: {}", auth.keys_file, key.error().what)); }
    std::vector<security::JwtKey> keys;
    keys.push_back(std::move(*key));
    auto set = security::KeySet::from(std::move(keys));
    if (!set) { throw std::runtime_error(fmt::format("{}: {}", auth.keys_file, set.error().what)); }
    return std::make_shared<const security::KeySet>(std::move(*set));
}

security::KeySetRef json_keys(
    const AuthOptions& auth, std::string_view text, std::vector<std::string>& warnings
) {
    security::JwksOptions options;
    options.allows_secrets = true;
    auto keys = security::parse_jwks(text, options);
    if (!keys) {
        throw std::runtime_error(fmt::format("{}: {}", auth.keys_file, keys.error().what));
    }
    for (const std::string& left_out : keys->left_out) {
        warnings.push_back(fmt::format("{}: left out: {}", auth.keys_file, left_out));
    }
    if (keys->keys.size() == 0) {
        throw std::runtime_error(
            fmt::format("{}: it has no key that tokens could be verified with", auth.keys_file)
        );
    }
    return std::make_shared<const security::KeySet>(std::move(keys->keys));
}

security::KeySetRef load_keys(const Config& config, std::vector<std::string>& warnings) {
    const AuthOptions& auth = config.auth;
    files::SmallFile keys = read_keys(auth.keys_file);
    const bool is_pem = keys.text.find("-----BEGIN") != std::string::npos;
    // A set may hold secrets; public keys are for everyone.
    const bool is_open = files::is_looser(keys.mode, secrets_mode_max);
    if (is_open && !is_pem && keys.text.find("\"oct\"") != std::string::npos) {
        const std::string warning = fmt::format(
            "{}: others may read its secrets (mode {:04o}): chmod 0640", auth.keys_file, keys.mode
        );
        if (config.strict_file_modes) { throw std::runtime_error(warning); }
        warnings.push_back(warning);
    }
    auto set = is_pem ? pem_keys(auth, keys.text) : json_keys(auth, keys.text, warnings);
    OPENSSL_cleanse(keys.text.data(), keys.text.size());
    return set;
}

std::shared_ptr<security::JwtVerifier> make_verifier(
    const AuthOptions& auth, security::KeySetRef keys
) {
    security::TokenSettings settings;
    settings.issuer = auth.issuer;
    settings.audience = auth.audience;
    settings.user_claim = auth.user_claim;
    settings.roles_claim = auth.roles_claim;
    settings.skew_s = std::chrono::duration_cast<std::chrono::seconds>(auth.skew).count();
    return std::make_shared<security::JwtVerifier>(std::move(settings), std::move(keys));
}

// An URL that load_config() has found good.
security::HttpUrl url_of(const std::string& text) {
    auto url = security::parse_http_url(text);
    if (!url) { throw std::runtime_error("the URL " + url.error().what); }
    return std::move(*url);
}

// Without keys at first, unless those of `before` came from the same place.
void add_remote_tokens(
    const AuthOptions& auth,
    security::Outbound& outbound,
    const security::Sources& before,
    security::Sources& sources
) {
    auto verifier = make_verifier(auth, std::make_shared<const security::KeySet>());
    security::RemoteKeys::Settings settings;
    settings.url = url_of(auth.keys_url);
    settings.ca_file = auth.keys_ca_file;
    settings.refresh = auth.keys_refresh;
    sources.remote_keys =
        std::make_shared<security::RemoteKeys>(outbound, std::move(settings), verifier);
    const bool is_same =
        before.remote_keys && before.remote_keys->source() == sources.remote_keys->source();
    if (is_same) { verifier->exchange_keys(before.tokens->keys()); }
    sources.tokens = std::move(verifier);
}

std::shared_ptr<security::AuthHook> make_hook(
    const HookOptions& options, security::Outbound& outbound
) {
    if (!options.is_set()) { return nullptr; }
    security::AuthHook::Settings settings;
    settings.http = {
        url_of(options.url),
        options.ca_file,
        options.timeout,
        security::hook_answer_octets_max,
        options.in_flight};
    settings.cache = options.cache;
    return std::make_shared<security::AuthHook>(outbound, std::move(settings));
}

}  // namespace

LoadedSources load_sources(
    const Config& config, security::Outbound& outbound, const security::Sources& before
) {
    LoadedSources loaded;
    if (!config.auth.users_file.empty()) {
        auto users = security::load_users(config.auth.users_file, config.strict_file_modes);
        if (!users.users) { throw std::runtime_error(users.error); }
        if (!users.warning.empty()) { loaded.warnings.push_back(std::move(users.warning)); }
        loaded.sources.users = std::move(users.users);
    }
    loaded.sources.hook = make_hook(config.auth.hook, outbound);
    loaded.sources.is_hook_first =
        !config.auth.backends.empty() && config.auth.backends.front() == "hook";
    if (!config.auth.keys_url.empty()) {
        add_remote_tokens(config.auth, outbound, before, loaded.sources);
    } else if (!config.auth.keys_file.empty()) {
        loaded.sources.tokens = make_verifier(config.auth, load_keys(config, loaded.warnings));
    }
    if (!config.auth.certificates.empty()) {
        loaded.sources.certificates =
            std::make_shared<const security::Certificates>(config.auth.certificates);
    }
    return loaded;
}

std::shared_ptr<const engine::Authorizer> load_authorizer(const Config& config) {
    if (config.access_rules.empty() && !config.auth.is_set()) { return nullptr; }
    auto list = security::AccessList::make(config.access_rules, config.limits.protocol);
    if (!list) { throw std::runtime_error(list.error().text()); }
    return *list;
}

void log_durable(const engine::DurableName& name, bool is_revoked) {
    if (is_revoked) {
        return logging::audit(
            {.event = "denied",
             .message = "A durable subscription keeps nothing more: its owner may not read its "
                        "destination any more.",
             .reason = "revoked",
             .destination = name.destination,
             .remedy = "Allow it again, or delete the durable subscription.",
             .user = name.user,
             .why = name.name}
        );
    }
    logging::info(
        "durable-allowed",
        "A durable subscription goes on: its owner may read its destination again.",
        {{"destination", name.destination}, {"user", name.user}, {"name", name.name}}
    );
}

}  // namespace server
