// What the operating system grants: descriptors, memory, core files; and the file that announces
// our ports.
#pragma once

#include "broker/transport/options.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace server {

/// Raises the soft limit of open descriptors to the hard one; returns it.
[[nodiscard]] std::size_t raise_descriptor_limit();

/// What `top -H` calls the calling thread; at most 15 octets.
void name_thread(const std::string& name);

/// From now on a crash leaves no core file, which would hold passcodes and messages (S-PROC-01).
void forbid_core_files();

/// Octets this process may use: the least limit of its control group and of those around it, else
/// the machine's memory. `root`: where proc and sys are.
[[nodiscard]] std::size_t available_memory(const std::filesystem::path& root = "/");

/// `options` with what "auto" stands for on this machine. Raises the limit of descriptors.
[[nodiscard]] transport::Options settled(transport::Options options);

/// Writes the addresses as JSON under a temporary name, then renames (never half a file). Throws
/// std::runtime_error that names the file and the cause.
void write_ports_file(
    const std::string& path, const std::string& tcp, const std::string& ws, const std::string& admin
);

}  // namespace server
