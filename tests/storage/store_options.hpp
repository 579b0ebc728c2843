// Options of a store for tests: any file system, no floor, no reserve; and batches that are urgent.
// Limits: none.
#pragma once

#include "storage/rocks_store.hpp"

#include <memory>
#include <string>
#include <utility>

inline storage::RocksOptions options_for(const std::string& directory) {
    storage::RocksOptions options;
    options.directory = directory;
    options.disk_floor = 1;
    options.reserve_bytes = 0;
    options.allow_unsafe_filesystem = true;
    return options;
}

inline std::unique_ptr<storage::Batch> urgent_batch() {
    auto batch = std::make_unique<storage::Batch>();
    batch->set_urgent();
    return batch;
}
