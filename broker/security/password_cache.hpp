// Logins that were right a moment ago, so that a reconnecting client costs no hash (S-AUTH-09).
// Holds HMACs under a random key of this process, never passcodes, and only of right ones. Bounded;
// not locked. Time comes in.
#pragma once

#include "broker/engine/principal.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

namespace security {

/// What somebody has logged in with.
struct Login {
    std::string_view login;
    std::string_view passcode;
    /// What else the answer depends on; an answer holds for the same only.
    std::string_view scope = {};
};

class PasswordCache {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::milliseconds;
    static constexpr Duration lifetime_max = std::chrono::seconds(60);

    struct Limits {
        std::size_t entries = 10'000;
        Duration lifetime = lifetime_max;  ///< No more than lifetime_max counts.
    };

    /// Throws std::runtime_error if the system gives no random numbers.
    explicit PasswordCache(Limits limits);
    ~PasswordCache();
    PasswordCache(const PasswordCache&) = delete;
    PasswordCache& operator=(const PasswordCache&) = delete;

    /// Whose login and passcode this was found to be; null if not lately.
    [[nodiscard]] engine::PrincipalRef find(const Login& login, Time now);

    /// Changes with clear(). To be read before a check begins, for remember() after it.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

    /// Keeps a positive answer for `lifetime` at most, and no longer than the limits say; its end
    /// does not move with use. Nothing is kept of a check that began before the last clear(): its
    /// answer may be of users that are gone.
    void remember(
        const Login& login,
        engine::PrincipalRef principal,
        std::uint64_t generation,
        Time now,
        Duration lifetime = lifetime_max
    );

    /// Forgets all: on reload and on any change of users.
    void clear();

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    static constexpr std::size_t key_bytes = 32;
    using Digest = std::array<unsigned char, 32>;

    struct DigestHash {
        std::size_t operator()(const Digest& digest) const;
    };

    struct DigestEqual {
        bool operator()(const Digest& a, const Digest& b) const;
    };

    struct Entry {
        Digest digest;
        engine::PrincipalRef principal;
        Time end;
    };

    using Entries = std::list<Entry>;

    /// False if there can be none.
    bool digest_of(const Login& login, Digest& digest) const;
    void forget(Entries::iterator entry);

    Limits limits_;
    std::array<unsigned char, key_bytes> key_{};
    std::uint64_t generation_ = 0;
    Entries entries_;  ///< The last used first.
    std::unordered_map<Digest, Entries::iterator, DigestHash, DigestEqual> by_digest_;
};

}  // namespace security
