// A look at a store that nobody has open: is it sound, what is in it, and how to part with damage.
// Blocks for as long as it takes to read every record.
#pragma once

#include "storage/message_store.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// Something that should not be.
struct Fault {
    std::string queue;      ///< Its name; empty if it is not about one queue.
    Sequence sequence = 0;  ///< The message; 0 if it is not about one.
    std::string what;

    friend bool operator==(const Fault&, const Fault&) = default;
};

struct CheckReport {
    std::vector<Fault> faults;
    std::vector<RecoveredQueue> queues;  ///< As their cursors say.
    std::uint64_t messages = 0;          ///< Found sound.
    std::uint64_t bytes = 0;             ///< Octets of these.
    std::uint64_t groups = 0;            ///< The number of the last group.
    bool was_clean = false;              ///< The last run left the mark of a clean stop.

    [[nodiscard]] bool is_sound() const { return faults.empty(); }
};

/// Reads everything: lock, format, group numbers, each queue's messages against its cursor,
/// intervals and counts, every checksum, records that belong to nothing (D-RUN-04). Changes
/// nothing. What is damaged is in the report; throws StoreError if the store cannot be looked at.
[[nodiscard]] CheckReport check(const std::string& directory);

struct StoredMessage {
    Sequence sequence = 0;
    std::uint32_t deliveries = 0;
    std::string_view octets;  ///< Valid during the call; empty if it is damaged.
    bool is_damaged = false;  ///< Wrong checksum, unreadable, or not there at all.
};

/// Calls `visit` for each message of a queue, in order; changes nothing. Throws StoreError if the
/// store cannot be looked at, if its cursors are damaged, or if there is no queue of this name.
void for_each_message(
    const std::string& directory,
    const std::string& queue,
    const std::function<void(const StoredMessage&)>& visit
);

/// Takes the damaged messages out of their queues: what can be read of each goes to the end of the
/// file `file`, then the message counts as gone (D-ROCK-01). Returns what was set aside. Throws
/// StoreError, nothing being changed, if more than single messages is damaged.
[[nodiscard]] std::vector<Fault> set_aside(const std::string& directory, const std::string& file);

}  // namespace storage
