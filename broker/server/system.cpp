#include "broker/server/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>

namespace server {

namespace {

// The number in a cgroup file, or 0 if there is none ("max", no such file).
std::size_t number_in(const char* path) {
    std::ifstream in(path);
    std::size_t number = 0;
    return in >> number ? number : 0;
}

}  // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) { return 1024; }
    // Beyond a million a descriptor table is only memory.
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1'048'576);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void forbid_core_files() {
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
}

std::size_t available_memory() {
    const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    std::size_t memory = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    for (const char* path :
         {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        const std::size_t limit = number_in(path);
        if (limit != 0) { memory = std::min(memory, limit); }
    }
    return memory;
}

void write_ports_file(
    const std::string& path, const std::string& tcp, const std::string& ws, const std::string& admin
) {
    const std::string temporary = path + ".tmp";
    std::string json = "{";
    const auto add = [&](const char* name, const std::string& url) {
        if (url.empty()) { return; }
        json += fmt::format("{}\"{}\":\"{}\"", json.size() > 1 ? "," : "", name, url);
    };
    add("tcp", tcp);
    add("ws", ws);
    add("admin", admin);
    json += "}\n";
    std::ofstream out(temporary, std::ios::trunc);
    out << json;
    out.close();
    if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
        throw std::runtime_error(
            "Cannot write the ports file " + path + ": " + std::strerror(errno) + "."
        );
    }
}

}  // namespace server
