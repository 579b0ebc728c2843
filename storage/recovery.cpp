// Cursors against each other, and the ends of each queue against its messages.
// A full check is check().
#include "storage/recovery.hpp"

#include "storage/record.hpp"

#include <fmt/format.h>

namespace storage {
namespace {

/// The newest message that is still there; `queue` has one.
Sequence newest_of(const RecoveredQueue& queue) {
    const bool has_left = !queue.holes.empty() && queue.holes.back().last == queue.last;
    return has_left ? queue.holes.back().first - 1 : queue.last;
}

void check_message(
    const Database& database,
    const RecoveredQueue& queue,
    Sequence sequence,
    std::vector<std::string>& faults
) {
    std::string value;
    const Key key = message_key(queue.id, sequence);
    if (database.get(Family::messages, key.view(), value) != Found::no) { return; }
    faults.push_back(fmt::format("{} lacks its message {}", queue.definition.name, sequence));
}

}  // namespace

std::vector<std::string> recover(const Database& database, QueueTable& queues) {
    const auto visit = [&queues](std::string_view key, std::string_view value) {
        queues.restore(key, value);
        return true;
    };
    const std::string error = database.scan(Family::state, {}, {}, visit);
    queues.settle();
    std::vector<std::string> faults = queues.faults();
    if (!error.empty()) { faults.push_back("the queues' states cannot be read: " + error); }
    return faults;
}

std::vector<std::string> check_ends(const Database& database, const QueueTable& queues) {
    std::vector<std::string> faults;
    for (const RecoveredQueue& queue : queues.describe()) {
        if (queue.messages == 0) { continue; }
        check_message(database, queue, queue.first, faults);
        check_message(database, queue, newest_of(queue), faults);
    }
    return faults;
}

}  // namespace storage
