#include "broker/server/alarms.hpp"

#include "broker/transport/system_events.hpp"

#include <string_view>

namespace server {

bool Alarms::watch() {
    watch_memory();
    if (store_.get() == nullptr) { return false; }
    watch_disk();
    if (!store_.watch()) { return false; }
    tell(
        {{"alarm", "store"},
         {"level", 1},
         {"message", "The store has failed: nothing durable is confirmed any more."}}
    );
    return true;
}

// Our own accounted octets against the limit, for all shards (S-RATE-04).
void Alarms::watch_memory() {
    std::int64_t total = 0;
    for (const auto& shard : running_.shards) {
        total += shard->report().accounted_bytes;
    }
    const auto percent = [&](unsigned part) {
        return static_cast<std::int64_t>(options_.memory_limit / 100 * part);
    };
    const int level = total >= percent(options_.memory_alarm_2_percent)   ? 2
                      : total >= percent(options_.memory_alarm_1_percent) ? 1
                                                                          : 0;
    if (memory_.exchange(level) == level) { return; }
    const std::string_view sentence =
        level == 0 ? "Memory is below the alarm again: publishers go on."
                   : "Memory is above an alarm: publishers pause, consumers go on.";
    logging::warn(
        "memory-alarm",
        sentence,
        {{"level", level}, {"accounted", total}, {"limit", options_.memory_limit}}
    );
    tell(
        {{"alarm", "memory"},
         {"level", level},
         {"used_bytes", total},
         {"limit_bytes", options_.memory_limit},
         {"message", sentence}}
    );
}

void Alarms::watch_disk() {
    const storage::StoreState state = store_.get()->state();
    if (state.is_disk_low == is_disk_low_) { return; }
    is_disk_low_ = state.is_disk_low;
    const std::string_view sentence =
        is_disk_low_ ? "Free space is below storage.disk_floor: what is durable is refused."
                     : "Free space is above storage.disk_floor again.";
    logging::warn("disk-alarm", sentence, {{"free", state.disk_free}});
    tell(
        {{"alarm", "disk"},
         {"level", is_disk_low_ ? 1 : 0},
         {"free_bytes", state.disk_free},
         {"message", sentence}}
    );
}

void Alarms::tell(logging::Fields fields) {
    transport::tell(*running_.shards.front(), protocol::SystemEvent::alarm, {}, fields);
}

}  // namespace server
