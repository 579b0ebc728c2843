// What a SEND asks of its destination's home beyond being routed now: a delay, and that a
// repetition of it is dropped (P-QOS-03, -06).
// A plain value, made once for each head; a SEND that asks nothing has none.
#pragma once

#include "broker/engine/send_options.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace engine {

struct Asked {
    std::optional<Delay> delay;
    std::string dedup_id;  ///< Empty: none.
    std::string user;
    std::uint64_t publisher = 0;  ///< Session::number().
};

/// What `options` ask for, or null; nothing more than 30 days ahead (P-QOS-03).
[[nodiscard]] protocol::Result<std::shared_ptr<const Asked>> asked_by(
    const SendOptions& options, std::string user, std::uint64_t publisher, std::int64_t now_ms
);

}  // namespace engine
