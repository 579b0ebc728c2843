// Alarms: memory, disk and store, looked at ten times a second; what changes is logged and told on
// `/topic/$SYS.alarm`.
// Used on the first shard, but for memory(), which every shard fills and reads.
#pragma once

#include "broker/log/log.hpp"
#include "broker/server/drain.hpp"
#include "broker/server/store.hpp"
#include "broker/transport/memory_gauge.hpp"
#include "broker/transport/options.hpp"

#include <cstdint>
#include <string_view>

namespace server {

enum class AlarmKind : std::uint8_t { memory, disk, store };

/// What an alarm means and what to do, wherever it is told; of level 0, that it is over.
[[nodiscard]] std::string_view alarm_text(AlarmKind kind, int level);

class Alarms {
public:
    /// All of it outlives the alarms; `options` may change, `running` is filled later.
    Alarms(const transport::Options& options, const Running& running, StoreKeeper& store)
        : options_(options), running_(running), store_(store) {}

    /// True once, when the store has failed.
    [[nodiscard]] bool watch();

    /// What shards fill and go by (S-RATE-04).
    [[nodiscard]] transport::MemoryGauge& memory() { return memory_; }

    [[nodiscard]] const transport::MemoryGauge& memory() const { return memory_; }

private:
    void watch_memory();
    void watch_disk();
    void tell(logging::Fields fields);

    const transport::Options& options_;
    const Running& running_;
    StoreKeeper& store_;
    transport::MemoryGauge memory_;
    int memory_told_ = 0;
    bool is_disk_low_ = false;
};

}  // namespace server
