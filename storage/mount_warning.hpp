// Mount options that make a sync mean less than it says (D-FS-03).
// Pure, but for reading what the kernel tells of mounts.
#pragma once

#include <string>
#include <string_view>

namespace storage {

/// Why the mount that holds `path` (absolute, without links) is to be distrusted, or nothing.
/// `mounts` is the text of /proc/self/mountinfo.
[[nodiscard]] std::string mount_warning(std::string_view mounts, std::string_view path);
/// The same for a directory of this machine; nothing if it cannot be told.
[[nodiscard]] std::string mount_warning(const std::string& directory);

}  // namespace storage
