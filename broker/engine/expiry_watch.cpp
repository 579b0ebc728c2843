#include "broker/engine/expiry_watch.hpp"

#include "broker/engine/session.hpp"

#include <algorithm>
#include <cstdlib>

namespace engine {

namespace {

constexpr std::chrono::milliseconds interval = std::chrono::seconds(1);
constexpr std::int64_t jump_ms = 5000;
// What is further away than this is looked at again by then: clocks cannot count beyond.
constexpr std::int64_t horizon_ms = 100LL * 365 * 24 * 3600 * 1000;

}  // namespace

std::int64_t ExpiryWatch::offset() const {
    return static_cast<std::int64_t>(shard_.wall_clock_ms()) - shard_.now().count();
}

Instant ExpiryWatch::deadline_of(std::int64_t expires_at) const {
    const auto wall = static_cast<std::int64_t>(shard_.wall_clock_ms());
    const std::int64_t left = expires_at <= wall ? 0 : std::min(expires_at - wall, horizon_ms);
    return shard_.now() + Instant(left);
}

void ExpiryWatch::add(Session& session, std::int64_t expires_at) {
    shard_.assert_current();
    if (entries_.empty()) { offset_ = offset(); }
    const Instant deadline = deadline_of(expires_at);
    entries_[session.number()] = {session.weak_from_this(), deadline, expires_at};
    order_.emplace(deadline, session.number());
    schedule();
}

void ExpiryWatch::remove(const Session& session) {
    shard_.assert_current();
    const auto found = entries_.find(session.number());
    if (found == entries_.end()) { return; }
    const auto [first, last] = order_.equal_range(found->second.deadline);
    const auto is_it = [&](const auto& entry) { return entry.second == session.number(); };
    order_.erase(std::find_if(first, last, is_it));
    entries_.erase(found);
}

void ExpiryWatch::schedule() {
    if (is_scheduled_ || entries_.empty()) { return; }
    is_scheduled_ = true;
    shard_.after(interval, [this, alive = std::weak_ptr<char>(alive_)] {
        if (alive.expired()) { return; }
        is_scheduled_ = false;
        check();
        schedule();
    });
}

void ExpiryWatch::check() {
    if (std::abs(offset() - offset_) > jump_ms) { measure_anew(); }
    while (!order_.empty() && order_.begin()->first <= shard_.now()) {
        const auto found = entries_.find(order_.begin()->second);
        const std::shared_ptr<Session> session = found->second.session.lock();
        order_.erase(order_.begin());
        entries_.erase(found);
        if (session) { session->expire(); }
    }
}

void ExpiryWatch::measure_anew() {
    offset_ = offset();
    order_.clear();
    for (auto& [number, entry] : entries_) {
        entry.deadline = deadline_of(entry.expires_at);
        order_.emplace(entry.deadline, number);
    }
}

}  // namespace engine
