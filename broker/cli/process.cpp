// Fields are found by position after the closing parenthesis of the name (proc(5)).
#include "broker/cli/process.hpp"

#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace cli {
namespace {

double cpu_seconds_of(const std::string& directory) {
    std::ifstream in(directory + "/stat");
    std::string line;
    std::getline(in, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) { return 0; }
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) {
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_bytes_of(const std::string& directory) {
    std::ifstream in(directory + "/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    in >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessUsage usage_of(const std::vector<int>& pids) {
    ProcessUsage usage;
    for (const int pid : pids) {
        const std::string directory = "/proc/" + std::to_string(pid);
        usage.cpu_seconds += cpu_seconds_of(directory);
        usage.resident_bytes += resident_bytes_of(directory);
    }
    return usage;
}

double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

std::string machine_text() {
    std::ifstream in("/proc/cpuinfo");
    std::string model = "unknown processor";
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("model name")) {
            model = line.substr(line.find(':') + 2);
            break;
        }
    }
    return std::to_string(std::thread::hardware_concurrency()) + " x " + model;
}

std::uint64_t raise_file_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace cli
