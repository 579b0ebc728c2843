// What the disk says about the queues, read back and verified when a store is opened.
// Reads the state family whole and two messages per queue (D-LSM-05).
#pragma once

#include "storage/database.hpp"
#include "storage/queue_table.hpp"

#include <string>
#include <vector>

namespace storage {

/// Fills `queues`. Returns what is wrong with their states, each a sentence.
[[nodiscard]] std::vector<std::string> recover(const Database& database, QueueTable& queues);
/// Whether each queue's oldest and newest message is there. Returns what is wrong.
[[nodiscard]] std::vector<std::string> check_ends(
    const Database& database, const QueueTable& queues
);

}  // namespace storage
