// What /metrics tells that no shard counts: gathered by the server at each scrape.
// Plain values.
#pragma once

#include "broker/engine/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace admin {

/// What the store's thread has measured.
struct StoreTimes {
    engine::ShortTimes commit;
    engine::ShortTimes sync;
    engine::GroupSizes group_records;
};

struct StoreFigures {
    StoreTimes times;
    std::uint64_t commits = 0;
    std::uint64_t pending = 0;  ///< Octets handed over and not stored.
    std::uint64_t log_size = 0;
    std::uint64_t size = 0;
    std::uint64_t disk_free = 0;
    bool is_disk_low = false;
    bool has_failed = false;
    std::uint64_t damaged = 0;
    std::chrono::milliseconds opened_in{0};
    bool accepts_data_loss = false;
};

/// Of the keys of tokens that are fetched.
struct KeyFigures {
    std::uint64_t fetched = 0;
    std::uint64_t failures = 0;
    std::optional<double> age;  ///< Seconds since the last good answer; none: there was none.
};

struct LoginFigures {
    std::uint64_t cache_hits = 0;
    std::size_t hashes_waiting = 0;
    std::optional<KeyFigures> keys;
};

/// Of one listener with TLS.
struct CertificateFigures {
    std::string listener;
    double expires_at = 0;  ///< Seconds since 1970.
};

struct Figures {
    bool is_ready = false;
    bool is_draining = false;
    std::uint64_t reloads_good = 0;
    std::uint64_t reloads_failed = 0;
    double configured_at = 0;  ///< Seconds since 1970: the last configuration that was taken over.
    std::uint64_t log_lines_suppressed = 0;
    std::uint64_t log_lines_lost = 0;
    std::size_t unauthenticated = 0;
    std::int64_t memory_used = 0;  ///< Of messages and output, as accounted.
    std::uint64_t memory_limit = 0;
    int memory_alarm = 0;
    std::string durability;              ///< The mode in force.
    std::optional<StoreFigures> store;   ///< None: there is no store.
    std::optional<LoginFigures> logins;  ///< None: there is no authentication.
    std::vector<CertificateFigures> certificates;
};

}  // namespace admin
