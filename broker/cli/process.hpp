// What a benchmark needs to know about processes and the machine, from /proc (Linux).
// Reads only; a process that is gone counts as zero.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cli {

struct ProcessUsage {
    double cpu_seconds = 0;  ///< User and system, all threads.
    std::uint64_t resident_bytes = 0;
};

/// The sum over `pids`.
[[nodiscard]] ProcessUsage usage_of(const std::vector<int>& pids);

/// User and system time of this process.
[[nodiscard]] double own_cpu_seconds();

/// Model and number of processors, for reports.
[[nodiscard]] std::string machine_text();

/// Raises the soft limit of open files to the hard one; returns what it is then.
std::uint64_t raise_file_limit();

}  // namespace cli
