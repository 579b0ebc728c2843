// The refusals that several files of the engine make: one text each.
#pragma once

#include "broker/engine/access.hpp"
#include "protocol/error.hpp"

#include <cstddef>
#include <string>

namespace engine {

class Journal;

/// `limit`: what is used up, messages or octets.
[[nodiscard]] protocol::Error queue_full(const std::string& queue, protocol::LimitKey limit);
[[nodiscard]] protocol::Error schedule_full(
    const std::string& destination, protocol::LimitKey limit
);
[[nodiscard]] protocol::Error too_many_queues(std::size_t limit);
/// S-ACL-05.
[[nodiscard]] protocol::Error not_allowed(Action action, const std::string& destination);
/// S-ACL-11.
[[nodiscard]] protocol::Error login_revoked();
/// S-ACL-11.
[[nodiscard]] protocol::Error allowed_no_more(const std::string& destination);
/// P-SUB-13.
[[nodiscard]] protocol::Error queue_removed(const std::string& queue);
/// P-SUB-10.
[[nodiscard]] protocol::Error queue_exclusive(const std::string& queue);
/// D-FULL-01.
[[nodiscard]] protocol::Error disk_full();
/// D-FS-01. The reason is for the operator's log: clients are not told paths.
[[nodiscard]] protocol::Error storage_failed();
/// Of a journal that does not accept appends.
[[nodiscard]] protocol::Error no_appends(const Journal& journal);
[[nodiscard]] protocol::Error no_dead_letter_destination(std::string_view name);

}  // namespace engine
