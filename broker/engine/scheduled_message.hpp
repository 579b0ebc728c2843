// A delayed message as an operator sees it.
// A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

namespace engine {

struct ScheduledMessage {
    std::string id;  ///< The SEND's message id.
    std::string destination;
    std::int64_t due_ms = 0;  ///< Since 1970.
    std::int64_t period_ms = 0;
    std::uint32_t repeats = 0;  ///< After the next time.
    std::size_t size = 0;       ///< Of the body.
    bool is_stored = false;

    /// By time.
    friend bool operator<(const ScheduledMessage& one, const ScheduledMessage& other) {
        return std::tie(one.due_ms, one.id) < std::tie(other.due_ms, other.id);
    }
};

}  // namespace engine
