// What a store on disk takes from the world around it.
// Empty members stand for the system's own.
#pragma once

#include "storage/disk_guard.hpp"

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace storage {

struct StoreWorld {
    std::shared_ptr<rocksdb::FileSystem> file_system;  ///< The database's files.
    DiskGuard::Space space;                            ///< Of the store's directory.
};

}  // namespace storage
