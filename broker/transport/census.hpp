// How many connections there are, in all, by address and by user: what the connection limits are
// checked against. Shared by all shards; the tables are locked, and bounded by the connections.
#pragma once

#include "broker/engine/attendance.hpp"
#include "broker/transport/options.hpp"
#include "protocol/limit_key.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace transport {

class Census : public engine::Attendance {
public:
    explicit Census(const Options& options) { set_limits(options); }

    /// From now on; whoever is in stays.
    void set_limits(const Options& options);

    /// `network`, here and below: Peer::network. Counts a new, unauthenticated connection, or says
    /// which limit it would cross, else `none`. `is_exempt`: it counts in all, but not at its
    /// address. The same is to be said in the other calls about it. `beyond`: so many more may be
    /// unauthenticated, since others are closed in their place.
    [[nodiscard]] protocol::LimitKey admit(
        const std::string& network, bool is_exempt, std::size_t beyond = 0
    );
    /// One not yet authenticated turns out to be another's, behind a proxy: from now on it counts
    /// at `to`. Nothing has changed if that would cross a limit there.
    [[nodiscard]] protocol::LimitKey move(
        const std::string& from, bool from_exempt, const std::string& to, bool to_exempt
    );
    /// It got CONNECTED.
    void authenticated(const std::string& network, bool is_exempt);
    /// It ended. `was_authenticated`: authenticated() was called for it.
    void left(const std::string& network, bool is_exempt, bool was_authenticated);

    bool enter(const std::string& user) override;
    void leave(const std::string& user) override;

    /// Loopback and `limits.exempt`.
    [[nodiscard]] bool is_exempt(const std::string& address, bool is_loopback) const;

    /// As many have not got CONNECTED yet as may be (S-RATE-03).
    [[nodiscard]] bool is_waiting_room_full() const {
        return unauthenticated() >= unauthenticated_max_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::size_t connections() const {
        return connections_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::size_t unauthenticated() const {
        return unauthenticated_.load(std::memory_order_relaxed);
    }

private:
    struct Count {
        std::size_t connections = 0;
        std::size_t unauthenticated = 0;
    };

    /// Not counted if a limit would be crossed. With the lock held.
    [[nodiscard]] protocol::LimitKey count_at(const std::string& network);
    void forget_at(const std::string& network, bool was_authenticated);

    std::atomic<std::size_t> connections_max_{0};
    std::atomic<std::size_t> unauthenticated_max_{0};
    std::atomic<std::size_t> connections_per_user_max_{0};  ///< 0: unlimited.
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::size_t> unauthenticated_{0};
    mutable std::mutex mutex_;
    Networks exempt_;
    std::size_t connections_per_ip_max_ = 0;  ///< 0: unlimited.
    std::size_t unauthenticated_per_ip_max_ = 0;
    std::unordered_map<std::string, Count> by_network_;
    std::mutex users_mutex_;
    std::unordered_map<std::string, std::size_t> by_user_;
};

}  // namespace transport
