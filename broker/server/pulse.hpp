// Proof of life of every shard's event loop: each is asked again and again, and answers by itself.
// Lives on the first shard. One question at a time for each shard: who hangs piles up nothing.
#pragma once

#include "broker/engine/shard.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace server {

class Pulse {
public:
    /// `shards`: all of them, the one that it lives on first; they outlive it or drop what it
    /// posts.
    Pulse(std::vector<engine::Shard*> shards, std::chrono::milliseconds interval);

    /// From now on every `interval` each shard is asked.
    void start();

    struct Silent {
        std::size_t shard;
        std::chrono::milliseconds time;  ///< Since it was asked, in whole intervals.

        friend bool operator==(const Silent&, const Silent&) = default;
    };

    /// Who has not answered for `time` or longer. The time in which the first shard itself stood
    /// still does not count, so that a machine that was suspended does not wake up to an alarm.
    [[nodiscard]] std::vector<Silent> silent_for(std::chrono::milliseconds time) const;

private:
    struct Asked {
        engine::Shard* shard;
        bool is_waiting = false;
        unsigned intervals = 0;  ///< Since the question.
    };

    void beat();
    void ask(Asked& asked);

    std::vector<Asked> all_;
    const std::chrono::milliseconds interval_;
};

}  // namespace server
