// How many failed logins an address has had, and how long its refusals wait (S-AUTH-16).
// Pure: time comes in. Not locked. Remembers at most `addresses` keys; the one that failed longest
// ago is forgotten first.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace security {

class LoginBudget {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::milliseconds;

    struct Limits {
        std::size_t failures = 10;  ///< In one window and from one address.
        Duration window = std::chrono::minutes(1);
        Duration first_delay = std::chrono::seconds(1);
        Duration last_delay = std::chrono::seconds(8);
        std::size_t addresses = 65'536;
    };

    explicit LoginBudget(Limits limits) : limits_(limits) {}

    LoginBudget(LoginBudget&&) = default;
    LoginBudget& operator=(LoginBudget&&) = default;

    /// Whether the budget of this window is used up: the next login from there waits behind all
    /// others. A window begins with an address's first failure.
    [[nodiscard]] bool is_over(std::string_view key, Time now) const;

    /// Counts a failed login; returns by how much its refusal is to be delayed: nothing within the
    /// budget, then 1 s, 2 s, 4 s, and 8 s from then on. `key`: the IPv4 address or IPv6 /64.
    [[nodiscard]] Duration failed(std::string_view key, Time now);

    /// Addresses remembered.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string key;
        Time begin;  ///< Of the window.
        std::size_t failures = 0;
    };

    using Entries = std::list<Entry>;

    [[nodiscard]] bool is_past(const Entry& entry, Time now) const {
        return now - entry.begin >= limits_.window;
    }

    Entry& entry_of(std::string_view key, Time now);
    [[nodiscard]] Duration delay_after(std::size_t failures) const;

    Limits limits_;
    Entries entries_;                                                 ///< The last to fail first.
    std::unordered_map<std::string_view, Entries::iterator> by_key_;  ///< Keys live in the list.
};

}  // namespace security
