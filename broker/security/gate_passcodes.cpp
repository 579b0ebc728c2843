// Logins with a passcode: what was right a moment ago, then one back end after the other until one
// decides (S-AUTH-04, -05, -08, -09, -14).
// Hashes are computed on the gate's pool, hooks asked on the outbound thread; answers come on the
// shard.
#include "broker/security/auth_hook.hpp"
#include "broker/security/gate_attempt.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace security {

namespace {

using engine::PrincipalRef;
using protocol::Error;
using protocol::ErrorCode;
using protocol::LimitKey;
using Duration = PasswordCache::Duration;

LoginBudget::Time now() {
    return std::chrono::steady_clock::now();
}

PrincipalRef principal_of(HookAnswer answer, const AuthHook& hook, std::uint64_t wall_clock_ms) {
    engine::Principal principal;
    principal.user = std::move(answer.user);
    principal.roles = std::move(answer.roles);
    principal.voucher = engine::Voucher::hook;
    principal.credential = hook.identity();
    if (answer.expires_in_s != 0) {
        principal.expires_at =
            static_cast<std::int64_t>(wall_clock_ms) + answer.expires_in_s * 1000;
    }
    return std::make_shared<const engine::Principal>(std::move(principal));
}

// Not a wrong login: whether it is one nobody could say.
Error login_unchecked() {
    return {
        ErrorCode::auth_failed,
        "The login service does not answer as it should (hook.url).",
        "Connect again in a few seconds.",
        "S-AUTH-14"};
}

}  // namespace

Error login_failed() {
    return {
        ErrorCode::auth_failed,
        "Login or passcode is wrong, or the token is not accepted.",
        "Check login and passcode of CONNECT, or the token and its lifetime.",
        "P-CONN-07"};
}

Error logins_overload(std::string_view key, LimitKey limit) {
    return {
        ErrorCode::overload,
        "Too many logins at once (" + std::string(key) + ").",
        "Connect again in a few seconds.",
        "S-AUTH-08",
        limit};
}

void Gate::use_passcode(const AttemptRef& attempt) {
    const engine::Credentials& given = attempt->credentials;
    const bool is_empty =
        !given.login || given.login->empty() || !given.passcode || given.passcode->empty();
    if (is_empty) { return refuse(attempt, login_failed(), "login or passcode is empty"); }
    attempt->why = "there are no users";
    if (attempt->from.hook) { attempt->facts = hook_facts(given); }
    if (PrincipalRef known = find_known(*attempt)) { return attempt->answer(std::move(known)); }
    ask_next(attempt);
}

// What a hook has allowed, or left to those behind it, holds for the same facts only: it may have
// looked at any of them.
PrincipalRef Gate::find_known(Attempt& attempt) {
    const std::string& login = *attempt.credentials.login;
    const std::string_view passcode = attempt.credentials.passcode->reveal();
    const std::lock_guard lock(mutex_);
    if (budget_.is_over(attempt.credentials.peer.network, now())) {
        attempt.standing = Standing::over_budget;
    }
    PrincipalRef known;
    if (!attempt.from.asks_hook_first()) { known = cache_.find({login, passcode}, now()); }
    if (!known && attempt.from.hook) {
        known = cache_.find({login, passcode, attempt.facts}, now());
    }
    if (known) { ++cache_hits_; }
    return known;
}

// The users file and the hook, in the order configured.
void Gate::ask_next(const AttemptRef& attempt) {
    while (attempt->asked < 2) {
        const bool is_hook = (attempt->asked++ == 0) == attempt->from.is_hook_first;
        if (is_hook && attempt->from.hook) { return ask_hook(attempt); }
        if (!is_hook && attempt->from.users) { return ask_users(attempt); }
    }
    refuse(attempt, login_failed(), attempt->why);
}

void Gate::ask_users(const AttemptRef& attempt) {
    const HashJob job = [this, attempt](Turn turn) {
        if (turn == Turn::overload) {
            return attempt->shard->post([attempt] {
                attempt->answer(logins_overload("auth.hash_queue", LimitKey::hash_queue));
            });
        }
        const UsersFile& users = *attempt->from.users;
        const engine::Credentials& asked = attempt->credentials;
        auto found = users.check(*asked.login, asked.passcode->reveal());
        PrincipalRef principal;
        if (found) { principal = std::make_shared<const engine::Principal>(std::move(*found)); }
        const bool is_known = users.find(*asked.login) != nullptr;
        attempt->shard->post([this, attempt, principal = std::move(principal), is_known] {
            hashed(attempt, principal, is_known);
        });
    };
    const bool is_taken = pool_.submit(attempt->credentials.peer.network, attempt->standing, job);
    if (!is_taken) { attempt->answer(logins_overload("auth.hash_queue", LimitKey::hash_queue)); }
}

// A wrong passcode of a user of the file is the end; others may know who the file does not.
void Gate::hashed(const AttemptRef& attempt, PrincipalRef principal, bool is_known) {
    const bool is_after_hook = attempt->from.asks_hook_first();
    if (principal && is_after_hook) {
        return let_in(attempt, std::move(principal), attempt->facts, attempt->from.hook->cache());
    }
    if (principal) {
        return let_in(attempt, std::move(principal), {}, PasswordCache::lifetime_max);
    }
    attempt->why = "unknown user or wrong passcode";
    if (is_known) { return refuse(attempt, login_failed(), attempt->why); }
    ask_next(attempt);
}

void Gate::ask_hook(const AttemptRef& attempt) {
    const engine::Credentials& given = attempt->credentials;
    const bool is_text = protocol::is_utf8(*given.login) &&
                         protocol::is_utf8(given.passcode->reveal()) &&
                         protocol::is_utf8(attempt->facts);
    if (!is_text) { return refuse(attempt, login_failed(), "what the hook is asked is no UTF-8"); }
    const bool is_asked = attempt->from.hook->ask(
        given,
        attempt->facts,
        attempt->standing,
        [this, attempt](HookAnswer answer, std::string why) {
            attempt->shard->post([this, attempt, answer = std::move(answer), why = std::move(why)] {
                hook_answered(attempt, answer, why);
            });
        }
    );
    if (!is_asked) { attempt->answer(logins_overload("hook.in_flight", LimitKey::hook_in_flight)); }
}

void Gate::hook_answered(const AttemptRef& attempt, HookAnswer answer, std::string_view why) {
    if (answer.result == HookAnswer::Result::ignore) {
        attempt->why = "the hook does not know the user";
        return ask_next(attempt);
    }
    if (answer.result == HookAnswer::Result::malformed) {
        return turn_away(attempt, login_unchecked(), why);
    }
    if (answer.result != HookAnswer::Result::allow) { return refuse(attempt, login_failed(), why); }
    const AuthHook& hook = *attempt->from.hook;
    Duration lifetime = hook.cache();
    if (answer.expires_in_s != 0) {
        lifetime = std::min<Duration>(lifetime, std::chrono::seconds(answer.expires_in_s));
    }
    PrincipalRef principal = principal_of(std::move(answer), hook, attempt->shard->wall_clock_ms());
    let_in(attempt, std::move(principal), attempt->facts, lifetime);
}

void Gate::let_in(
    const AttemptRef& attempt, PrincipalRef principal, std::string_view scope, Duration lifetime
) {
    // The sources may have been exchanged meanwhile, and all sessions asked anew since.
    principal = renewed(principal);
    if (!principal) { return refuse(attempt, login_failed(), "gone meanwhile"); }
    const engine::Credentials& given = attempt->credentials;
    if (lifetime.count() != 0) {
        const std::lock_guard lock(mutex_);
        cache_.remember(
            {*given.login, given.passcode->reveal(), scope},
            principal,
            attempt->generation,
            now(),
            lifetime
        );
    }
    attempt->answer(std::move(principal));
}

}  // namespace security
