// Times as the API writes them.
#pragma once

#include "broker/engine/shard.hpp"

#include <chrono>
#include <string>

namespace admin {

/// RFC 3339, UTC, with milliseconds.
[[nodiscard]] std::string time_text(std::chrono::sys_time<std::chrono::milliseconds> time);

/// Of a moment on the shards' clock; the same text for the same moment, always.
[[nodiscard]] std::string time_text(engine::Instant moment);

}  // namespace admin
