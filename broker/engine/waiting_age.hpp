// How long a queue's oldest message has waited, without a time in any message: at each look it is
// noted how far the queue has come.
// At most 32 notes; beyond that every second one is dropped, and ages become coarser.
#pragma once

#include "broker/engine/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

class WaitingAge {
public:
    static constexpr std::size_t notes_max = 32;

    /// `front`: the place of the oldest message that waits; `last`: of the newest that ever came.
    /// Returns how long `front` has been there at least: since it was seen first.
    [[nodiscard]] Instant look(std::uint64_t front, std::uint64_t last, Instant now);

    /// Nothing waits.
    void forget() { std::vector<Note>().swap(notes_); }

private:
    struct Note {
        std::uint64_t last;
        Instant at;
    };

    std::vector<Note> notes_;  ///< Rising; the first is that which `front` was seen in.
};

}  // namespace engine
