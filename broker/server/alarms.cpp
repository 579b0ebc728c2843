#include "broker/server/alarms.hpp"

#include "broker/transport/system_events.hpp"

#include <utility>

namespace server {

std::string_view alarm_text(AlarmKind kind, int level) {
    switch (kind) {
        case AlarmKind::memory:
            return level == 0   ? "Memory is below the alarm again: publishers go on."
                   : level == 1 ? "Messages and output use much of limits.memory: publishers pause "
                                  "until consumers have caught up. Add consumers, purge queues or "
                                  "raise limits.memory."
                                : "limits.memory is nearly used up: publishers pause and no new "
                                  "connection is taken. Add consumers, purge queues or raise "
                                  "limits.memory.";
        case AlarmKind::disk:
            return level == 0 ? "Free space is above storage.disk_floor again."
                              : "Free space is below storage.disk_floor: no durable message is "
                                "taken. Make room on the disk, or consume or purge stored queues.";
        case AlarmKind::store:
            break;
    }
    return "The message store has failed: nothing durable is taken. The log says why; mend the "
           "disk and restart the broker.";
}

bool Alarms::watch() {
    watch_memory();
    if (store_.get() == nullptr) { return false; }
    watch_disk();
    if (!store_.watch()) { return false; }
    tell({{"alarm", "store"}, {"level", 1}, {"message", alarm_text(AlarmKind::store, 1)}});
    return true;
}

// Our own accounted octets against the limit, for all shards (S-RATE-04).
void Alarms::watch_memory() {
    const auto percent = [&](unsigned part) {
        return static_cast<std::int64_t>(options_.memory_limit / 100 * part);
    };
    memory_.set_alarms(
        percent(options_.memory_alarm_1_percent), percent(options_.memory_alarm_2_percent)
    );
    const std::int64_t used = memory_.used();
    const int level = memory_.level();
    if (std::exchange(memory_told_, level) == level) { return; }
    const std::string_view sentence = alarm_text(AlarmKind::memory, level);
    logging::warn(
        "memory-alarm",
        sentence,
        {{"level", level}, {"accounted", used}, {"limit", options_.memory_limit}}
    );
    tell(
        {{"alarm", "memory"},
         {"level", level},
         {"used_bytes", used},
         {"limit_bytes", options_.memory_limit},
         {"message", sentence}}
    );
}

void Alarms::watch_disk() {
    const storage::StoreState state = store_.get()->state();
    if (state.is_disk_low == is_disk_low_) { return; }
    is_disk_low_ = state.is_disk_low;
    const int level = is_disk_low_ ? 1 : 0;
    const std::string_view sentence = alarm_text(AlarmKind::disk, level);
    logging::warn("disk-alarm", sentence, {{"free", state.disk_free}});
    tell(
        {{"alarm", "disk"},
         {"level", level},
         {"free_bytes", state.disk_free},
         {"message", sentence}}
    );
}

void Alarms::tell(logging::Fields fields) {
    transport::tell(*running_.shards.front(), protocol::SystemEvent::alarm, {}, fields);
}

}  // namespace server
