// Who is let in once authentication is configured: certificates, tokens and passcodes, from
// wherever TLS, the upgrade or CONNECT brings them (S-AUTH-03 to -05, -08, -09, -16). Any shard may
// ask; passcodes are hashed on threads of its own. Bounded: queue of hashes, cache of right logins,
// addresses with failed ones, refusals that wait.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/security/certificates.hpp"
#include "broker/security/hash_pool.hpp"
#include "broker/security/jwt.hpp"
#include "broker/security/login_budget.hpp"
#include "broker/security/password_cache.hpp"
#include "broker/security/users_file.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace security {

class AuthHook;
class RemoteKeys;
struct HookAnswer;

/// What principals come from; null: that source is off, and what is meant for it is ignored.
struct Sources {
    std::shared_ptr<const UsersFile> users;
    std::shared_ptr<const JwtVerifier> tokens;
    /// Null: there are none, and whoever shows a certificate is refused.
    std::shared_ptr<const Certificates> certificates = {};
    /// Where the keys of `tokens` come from; null: from a file.
    std::shared_ptr<RemoteKeys> remote_keys = nullptr;
    std::shared_ptr<AuthHook> hook = nullptr;
    bool is_hook_first = false;  ///< Asked before the users file, else after it (S-AUTH-04).

    [[nodiscard]] bool has_passcodes() const { return users || hook; }

    /// Then nothing that the users file says holds without it.
    [[nodiscard]] bool asks_hook_first() const { return hook && is_hook_first; }
};

class Gate final : public engine::Authenticator {
public:
    struct Limits {
        HashPool::Limits hashing;
        LoginBudget::Limits logins;
        std::size_t held_back_max = 16'384;  ///< Refusals that wait; beyond it none does.
    };

    Gate(Sources sources, Limits limits);
    ~Gate() override;

    /// The first source that is on and that the client has something for decides: its certificate,
    /// the upgrade's Authorization, CONNECT's, then login and passcode. What it refuses no other
    /// allows. Refusals of an address with too many wait up to 8 s.
    void authenticate(engine::Shard& shard, engine::Credentials credentials, Answer answer)
        override;

    /// A user of the users file is renewed with the roles of now; null if it, or its passcode, is
    /// no longer there. So is one of a certificate, as long as that is listed for the same user.
    /// Null for tokens if there is no verifier any more, for users of a hook if it is another one
    /// now. Any thread.
    [[nodiscard]] engine::PrincipalRef renewed(const engine::PrincipalRef& principal
    ) const override;

    /// By the users file, whatever the passcode is now; others as renewed(), if they were seen
    /// here.
    [[nodiscard]] std::optional<engine::PrincipalRef> absent(
        std::string_view user, const engine::PrincipalRef& last
    ) const override;

    /// Any thread.
    [[nodiscard]] Sources sources() const;

    /// From now on. Forgets which logins were right.
    void exchange(Sources sources);

    /// Before the shards end: waits for what is being hashed, and answers nobody any more.
    void stop() { pool_.stop(); }

    [[nodiscard]] HashPool::Counters hashing() const { return pool_.counters(); }

    /// Logins that needed no hash and no hook, since they were right a moment ago. Any thread.
    [[nodiscard]] std::uint64_t cache_hits() const;

private:
    struct Attempt;
    using AttemptRef = std::shared_ptr<Attempt>;

    void use_certificate(const AttemptRef& attempt, const Sources& sources);
    [[nodiscard]] AttemptRef make_attempt(
        engine::Shard& shard, engine::Credentials credentials, Answer answer
    ) const;
    void use_token(const AttemptRef& attempt, std::string_view token);
    void await_keys(const AttemptRef& attempt, std::string_view token);
    void use_token_again(const AttemptRef& attempt, std::string_view token);
    void use_passcode(const AttemptRef& attempt);
    [[nodiscard]] engine::PrincipalRef find_known(Attempt& attempt);
    void ask_next(const AttemptRef& attempt);
    void ask_users(const AttemptRef& attempt);
    void hashed(const AttemptRef& attempt, engine::PrincipalRef principal, bool is_known);
    void ask_hook(const AttemptRef& attempt);
    void hook_answered(const AttemptRef& attempt, HookAnswer answer, std::string_view why);
    void let_in(
        const AttemptRef& attempt,
        engine::PrincipalRef principal,
        std::string_view scope,
        PasswordCache::Duration lifetime
    );
    void refuse(const AttemptRef& attempt, protocol::Error error, std::string_view why);
    void turn_away(const AttemptRef& attempt, protocol::Error error, std::string_view why);

    const Limits limits_;
    mutable std::mutex mutex_;
    Sources sources_;
    std::size_t held_back_ = 0;
    std::uint64_t cache_hits_ = 0;
    LoginBudget budget_;
    PasswordCache cache_;
    HashPool pool_;
};

}  // namespace security
