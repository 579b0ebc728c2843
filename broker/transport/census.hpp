// How many connections there are, in all and by address: what the connection limits are checked
// against. Shared by all shards; the table by address is locked, and empty for loopback peers.
#pragma once

#include "broker/transport/options.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace transport {

enum class Admission : std::uint8_t {
    admitted,
    too_many,
    too_many_from_address,
    too_many_unauthenticated
};

class Census {
public:
    explicit Census(const Options& options) : options_(options) {}

    /// Counts a new, unauthenticated connection, or says which limit it would cross.
    [[nodiscard]] Admission admit(const std::string& address, bool is_loopback);
    /// It got CONNECTED.
    void authenticated(const std::string& address, bool is_loopback);
    /// It ended. `was_authenticated`: authenticated() was called for it.
    void left(const std::string& address, bool is_loopback, bool was_authenticated);

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

    const Options& options_;
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::size_t> unauthenticated_{0};
    std::mutex mutex_;
    std::unordered_map<std::string, Count> by_address_;  ///< IPv6 by /64.
};

}  // namespace transport
