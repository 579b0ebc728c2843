#include "broker/server/pulse.hpp"

namespace server {

Pulse::Pulse(std::vector<engine::Shard*> shards, std::chrono::milliseconds interval)
    : interval_(interval) {
    for (engine::Shard* const shard : shards) {
        all_.push_back({shard});
    }
}

void Pulse::start() {
    beat();
}

void Pulse::beat() {
    engine::Shard& first = *all_.front().shard;
    first.after(interval_, [this] { beat(); });
    for (Asked& asked : all_) {
        if (asked.is_waiting) {
            ++asked.intervals;
        } else {
            ask(asked);
        }
    }
}

void Pulse::ask(Asked& asked) {
    asked.is_waiting = true;
    asked.intervals = 0;
    asked.shard->post([first = all_.front().shard, &asked] {
        first->post([&asked] { asked.is_waiting = false; });
    });
}

std::vector<Pulse::Silent> Pulse::silent_for(std::chrono::milliseconds time) const {
    std::vector<Silent> silent;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        const std::chrono::milliseconds since = all_[i].intervals * interval_;
        if (all_[i].is_waiting && since >= time) { silent.push_back({i, since}); }
    }
    return silent;
}

}  // namespace server
