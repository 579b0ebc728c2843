// Why not by ArrivalTimes, which knows when a message was made: that takes the id of the front,
// which a front that is only in the store does not show, and the marks of every shard, since any
// may have made it. This is known on the queue's shard alone, at each scrape. The other way round,
// ages of single messages are asked for without a look before.
#include "broker/engine/waiting_age.hpp"

#include <algorithm>

namespace engine {

Instant WaitingAge::look(std::uint64_t front, std::uint64_t last, Instant now) {
    const auto is_before = [front](const Note& note) { return note.last < front; };
    notes_.erase(notes_.begin(), std::find_if_not(notes_.begin(), notes_.end(), is_before));
    if (notes_.empty() || notes_.back().last < last) { notes_.push_back({last, now}); }
    if (notes_.size() > notes_max) {
        std::vector<Note> kept;
        for (std::size_t i = 0; i < notes_.size(); i += 2) {
            kept.push_back(notes_[i]);
        }
        notes_ = std::move(kept);
    }
    return now - notes_.front().at;
}

}  // namespace engine
