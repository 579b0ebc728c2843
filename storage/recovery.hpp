// What the disk says about the queues, read back and verified when a store is opened.
// Reads the state family whole and two messages per queue (D-LSM-05).
#pragma once

#include "storage/database.hpp"
#include "storage/queue_table.hpp"

#include <string>
#include <vector>

namespace storage {

/// Fills `queues`. Returns what is wrong, each a sentence.
[[nodiscard]] std::vector<std::string> recover(const Database& database, QueueTable& queues);

}  // namespace storage
