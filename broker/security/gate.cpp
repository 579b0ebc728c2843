#include "broker/security/gate.hpp"

#include "broker/log/audit.hpp"
#include "broker/security/auth_hook.hpp"
#include "broker/security/gate_attempt.hpp"
#include "broker/security/remote_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace security {

namespace {

using engine::PrincipalRef;
using engine::SecretRef;
using protocol::Error;
using protocol::ErrorCode;

constexpr std::size_t basic_octets_max = 1024;

Error unlisted() {
    return {
        ErrorCode::auth_failed,
        "The client certificate is not accepted.",
        "Let the operator list its identity, or connect without it.",
        "S-AUTH-13"};
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What comes after it, perhaps nothing: a scheme alone is a credential, and a wrong one. Scheme
// names know no case; Beast's iequals (1.81) reads an octet beyond the end of what differs in case.
std::optional<std::string_view> after_scheme(std::string_view value, std::string_view scheme) {
    const std::string_view name = value.substr(0, value.find_first_of(" \t"));
    if (!std::ranges::equal(name, scheme, {}, lower, lower)) { return std::nullopt; }
    value.remove_prefix(name.size());
    if (value.starts_with(' ')) { value.remove_prefix(1); }
    return value;
}

/// Login and passcode of HTTP's Basic scheme; nothing if it is not canonical base64 of such.
struct Basic {
    std::string login;
    SecretRef passcode;
};

std::optional<Basic> decode_basic(std::string_view text) {
    if (text.empty() || text.size() > basic_octets_max || text.size() % 4 != 0) {
        return std::nullopt;
    }
    std::vector<unsigned char> octets(text.size() / 4 * 3 + 1);
    const int size = EVP_DecodeBlock(
        octets.data(),
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size())
    );
    if (size < 0) { return std::nullopt; }
    std::size_t length = static_cast<std::size_t>(size);
    length -= text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
    const std::string_view plain(reinterpret_cast<const char*>(octets.data()), length);
    const std::size_t colon = plain.find(':');
    std::optional<Basic> basic;
    if (colon != std::string_view::npos) {
        basic = Basic{
            std::string(plain.substr(0, colon)),
            std::make_shared<const engine::Secret>(plain.substr(colon + 1))};
    }
    OPENSSL_cleanse(octets.data(), octets.size());
    return basic;
}

void audit_refusal(const engine::Credentials& given, Error& error, std::string_view why) {
    error.is_logged = true;
    logging::audit({
        .event = "auth-failed",
        .message = error.what,
        .reason = protocol::token(error.code),
        .remedy = error.remedy,
        .conn = given.session,
        .user = given.login ? std::string_view(*given.login) : std::string_view(),
        .remote = given.peer.address,
        .listener = given.peer.listener,
        .why = why,
    });
}

}  // namespace

Gate::Gate(Sources sources, Limits limits)
    : limits_(limits),
      sources_(std::move(sources)),
      budget_(limits.logins),
      cache_(PasswordCache::Limits{}),
      pool_(limits.hashing) {}

Gate::~Gate() {
    pool_.stop();
}

Sources Gate::sources() const {
    const std::lock_guard lock(mutex_);
    return sources_;
}

std::uint64_t Gate::cache_hits() const {
    const std::lock_guard lock(mutex_);
    return cache_hits_;
}

Gate::AttemptRef Gate::make_attempt(
    engine::Shard& shard, engine::Credentials credentials, Answer answer
) const {
    auto attempt = std::make_shared<Attempt>();
    attempt->shard = &shard;
    attempt->credentials = std::move(credentials);
    attempt->answer = std::move(answer);
    const std::lock_guard lock(mutex_);
    attempt->from = sources_;
    attempt->generation = cache_.generation();
    return attempt;
}

void Gate::exchange(Sources sources) {
    const std::lock_guard lock(mutex_);
    sources_ = std::move(sources);
    cache_.clear();
}

void Gate::authenticate(engine::Shard& shard, engine::Credentials credentials, Answer answer) {
    const auto attempt = make_attempt(shard, std::move(credentials), std::move(answer));
    const Sources& from = attempt->from;
    engine::Credentials& given = attempt->credentials;
    if (given.peer.certificate) { return use_certificate(attempt, from); }
    for (const SecretRef& header : {given.peer.authorization, given.authorization}) {
        if (!header) { continue; }
        const auto token = after_scheme(header->reveal(), "bearer");
        if (token && from.tokens) { return use_token(attempt, *token); }
        const bool is_upgrade = header == given.peer.authorization;
        const auto basic = is_upgrade ? after_scheme(header->reveal(), "basic") : std::nullopt;
        if (!basic || !from.has_passcodes()) { continue; }
        auto decoded = decode_basic(*basic);
        if (!decoded) { return refuse(attempt, login_failed(), "basic is malformed"); }
        given.login = std::move(decoded->login);
        given.passcode = std::move(decoded->passcode);
        return use_passcode(attempt);
    }
    const bool has_token =
        from.tokens && given.passcode && is_compact_jwt_like(given.passcode->reveal());
    if (has_token) { return use_token(attempt, given.passcode->reveal()); }
    use_passcode(attempt);
}

// One that says nobody or that is not listed decides too: it refuses (S-AUTH-13).
void Gate::use_certificate(const AttemptRef& attempt, const Sources& from) {
    const engine::ClientCertificate& shown = *attempt->credentials.peer.certificate;
    if (shown.identity.empty()) { return refuse(attempt, unlisted(), shown.fault); }
    PrincipalRef principal = from.certificates ? from.certificates->principal_of(shown) : nullptr;
    if (!principal) {
        return refuse(
            attempt, unlisted(), "certificate is not listed in [[certificate]]: " + shown.identity
        );
    }
    attempt->answer(std::move(principal));
}

// `token` is part of what the attempt holds.
void Gate::use_token(const AttemptRef& attempt, std::string_view token) {
    auto principal = attempt->from.tokens->verify(
        token, static_cast<std::int64_t>(attempt->shard->wall_clock_ms())
    );
    if (principal) {
        return attempt->answer(std::make_shared<const engine::Principal>(std::move(*principal)));
    }
    const TokenFault fault = principal.error().fault;
    const bool may_be_newer = fault == TokenFault::unknown_key && attempt->from.remote_keys;
    if (may_be_newer) { return await_keys(attempt, token); }
    refuse(attempt, refusal_of(fault), text_of(fault));
}

// Once for each set of sources: afterwards the attempt knows of no place where newer keys could
// come from.
void Gate::await_keys(const AttemptRef& attempt, std::string_view token) {
    const auto keys = std::exchange(attempt->from.remote_keys, nullptr);
    keys->await_refresh([this, attempt, token](RemoteKeys::Waited waited) {
        attempt->shard->post([this, attempt, token, waited] {
            if (waited == RemoteKeys::Waited::to_the_end) {
                return use_token_again(attempt, token);
            }
            attempt->answer(logins_overload("jwt.keys_url"));
        });
    });
}

// The sources may have been exchanged while it waited: those of now decide.
void Gate::use_token_again(const AttemptRef& attempt, std::string_view token) {
    Sources current = sources();
    if (current.tokens != attempt->from.tokens) { attempt->from = std::move(current); }
    if (attempt->from.tokens) { return use_token(attempt, token); }
    refuse(attempt, login_failed(), "tokens are not accepted any more");
}

// The connection counts as one that has not logged in for as long as its refusal is held back.
void Gate::refuse(const AttemptRef& attempt, Error error, std::string_view why) {
    LoginBudget::Duration delay{0};
    {
        const std::lock_guard lock(mutex_);
        delay = budget_.failed(attempt->credentials.peer.network, LoginBudget::Time::clock::now());
        // Its connection may have gone long before: what waits is bounded by itself.
        if (held_back_ >= limits_.held_back_max) { delay = LoginBudget::Duration(0); }
        if (delay.count() != 0) { ++held_back_; }
    }
    audit_refusal(attempt->credentials, error, why);
    if (delay.count() == 0) { return attempt->answer(std::move(error)); }
    logging::debug(
        "refusal-held-back",
        "The answer to a refused login waits.",
        {{"conn", attempt->credentials.session},
         {"remote", attempt->credentials.peer.address},
         {"delay_ms", delay.count()}}
    );
    // Without what it brought, which need not be kept so long.
    attempt->shard->after(
        delay,
        [this, answer = std::move(attempt->answer), error = std::move(error)] {
            {
                const std::lock_guard lock(mutex_);
                --held_back_;
            }
            answer(error);
        }
    );
}

// Nothing was found wrong with what it brought: its address has not failed.
void Gate::turn_away(const AttemptRef& attempt, Error error, std::string_view why) {
    audit_refusal(attempt->credentials, error, why);
    attempt->answer(std::move(error));
}

PrincipalRef Gate::renewed(const PrincipalRef& principal) const {
    const Sources from = sources();
    if (principal->voucher == engine::Voucher::token) { return from.tokens ? principal : nullptr; }
    if (principal->voucher == engine::Voucher::certificate) {
        return from.certificates ? from.certificates->renewed(principal) : nullptr;
    }
    if (principal->voucher == engine::Voucher::hook) {
        const bool is_same = from.hook && from.hook->identity() == principal->credential;
        return is_same ? principal : nullptr;
    }
    if (principal->voucher != engine::Voucher::users_file) { return nullptr; }
    const User* const user = from.users ? from.users->find(principal->user) : nullptr;
    if (user == nullptr || user->credential != principal->credential) { return nullptr; }
    if (user->roles == principal->roles) { return principal; }
    engine::Principal anew = *principal;
    anew.roles = user->roles;
    return std::make_shared<const engine::Principal>(std::move(anew));
}

std::optional<PrincipalRef> Gate::absent(std::string_view user, const PrincipalRef& last) const {
    // Another hash is no other user: what was kept is for whoever logs in with it.
    if (last && last->voucher != engine::Voucher::users_file) { return renewed(last); }
    const Sources from = sources();
    if (const User* const known = from.users ? from.users->find(user) : nullptr) {
        return std::make_shared<const engine::Principal>(engine::Principal{
            .user = std::string(user),
            .roles = known->roles,
            .voucher = engine::Voucher::users_file,
            .credential = known->credential});
    }
    if (!last && (from.tokens || from.certificates || from.hook)) { return std::nullopt; }
    return PrincipalRef();
}

}  // namespace security
