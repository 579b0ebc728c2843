// All messages that a queue should hold, one by one, whether they can be read or not.
// Blocks on the disk; holds a few MiB.
#pragma once

#include "storage/check.hpp"
#include "storage/database.hpp"
#include "storage/message_store.hpp"

#include <functional>
#include <string>

namespace storage {

/// A message, and what is wrong with it: nullptr if nothing is.
using ScanVisit = std::function<void(const StoredMessage& message, const char* wrong)>;

/// In order, without those that have left.
void scan_queue(const Database& database, const RecoveredQueue& queue, const ScanVisit& visit);

}  // namespace storage
