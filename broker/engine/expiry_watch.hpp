// Ends sessions whose credentials expire (S-AUTH-12).
// One per router; lives on its shard. Holds one entry for each session that has a time to end.
#pragma once

#include "broker/engine/shard.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace engine {

class Session;

class ExpiryWatch {
public:
    explicit ExpiryWatch(Shard& shard) : shard_(shard), alive_(std::make_shared<char>()) {}

    /// Calls session.expire() within a second of `expires_at` (milliseconds since 1970). The time
    /// is measured by the steady clock, and measured anew when the wall clock is set by more than
    /// 5 s.
    void add(Session& session, std::int64_t expires_at);
    void remove(const Session& session);

private:
    struct Entry {
        std::weak_ptr<Session> session;
        Instant deadline{0};
        std::int64_t expires_at = 0;
    };

    [[nodiscard]] Instant deadline_of(std::int64_t expires_at) const;
    [[nodiscard]] std::int64_t offset() const;
    void schedule();
    void check();
    void measure_anew();

    Shard& shard_;
    std::map<std::uint64_t, Entry> entries_;       ///< By Session::number().
    std::multimap<Instant, std::uint64_t> order_;  ///< By deadline.
    std::int64_t offset_ = 0;                      ///< Of the clocks, when last measured.
    bool is_scheduled_ = false;
    std::shared_ptr<char> alive_;
};

}  // namespace engine
