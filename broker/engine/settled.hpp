// Deliveries that were settled together: how many, their octets, and which of them the store has.
// A small value: one ACK, or one flush, of one subscription.
#pragma once

#include "broker/engine/message.hpp"
#include "storage/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

/// Bits of Delivery::sequence in a durable queue: the store's sequence, then the number of the
/// message among those not stored that follow it.
inline constexpr unsigned unstored_bits = 20;

[[nodiscard]] constexpr storage::Sequence stored_sequence(std::uint64_t sequence) {
    return sequence >> unstored_bits;
}

struct StoredRange {
    storage::SequenceRange messages;
    std::size_t bytes = 0;
};

struct Settled {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    std::vector<StoredRange> stored;  ///< Of a durable queue. Allocates for nobody else.

    void add(const Delivery& delivery) {
        const std::size_t size = delivery.message->size();
        ++messages;
        bytes += size;
        if (!delivery.is_stored) { return; }
        const storage::Sequence at = stored_sequence(delivery.sequence);
        if (!stored.empty() && stored.back().messages.last + 1 == at) {
            stored.back().messages.last = at;
            stored.back().bytes += size;
        } else {
            stored.push_back({{at, at}, size});
        }
    }
};

}  // namespace engine
