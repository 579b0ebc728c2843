// Stored messages as JSON, for people and scripts that look into a store.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// A message as the store keeps it (docs/storage_format.md).
struct DumpedMessage {
    std::uint64_t sequence = 0;  ///< Its place in the queue.
    std::uint32_t deliveries = 0;
    std::string_view octets;
    bool is_damaged = false;  ///< Then there are no octets.
};

/// One line of JSON without its line end: `sequence`, `deliveries`, `message-id`, `headers` (an
/// object, unescaped; of equal names the first counts), then `body`, or `body_base64` if the body
/// is not UTF-8. Octets that are no message come as `octets_base64`, damaged ones as
/// `damaged: true`.
[[nodiscard]] std::string to_json(const DumpedMessage& message);

}  // namespace cli
