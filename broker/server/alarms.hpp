// Alarms: memory, disk and store, looked at ten times a second; what changes is logged and told on
// `/topic/$SYS.alarm`.
// Used on the first shard, but for memory(), which every shard reads.
#pragma once

#include "broker/log/log.hpp"
#include "broker/server/drain.hpp"
#include "broker/server/store.hpp"
#include "broker/transport/options.hpp"

#include <atomic>
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

    /// 0, 1 or 2 (S-RATE-04).
    [[nodiscard]] const std::atomic<int>& memory() const { return memory_; }

private:
    void watch_memory();
    void watch_disk();
    void tell(logging::Fields fields);

    const transport::Options& options_;
    const Running& running_;
    StoreKeeper& store_;
    std::atomic<int> memory_{0};
    bool is_disk_low_ = false;
};

}  // namespace server
