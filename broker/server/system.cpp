#include "broker/server/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <pthread.h>
#include <stdexcept>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace server {

namespace {

// The number in a cgroup file, or 0 if there is none ("max", no such file).
std::size_t number_in(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::size_t number = 0;
    return in >> number ? number : 0;
}

// `/system.slice/stampede.service`, of the unified hierarchy; `/` if there is none.
std::filesystem::path own_group(const std::filesystem::path& root) {
    constexpr std::string_view unified = "0::";
    std::ifstream in(root / "proc/self/cgroup");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(unified)) { return line.substr(unified.size()); }
    }
    return "/";
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

void name_thread(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.c_str());
}

void forbid_core_files() {
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
}

std::size_t available_memory(const std::filesystem::path& root) {
    const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    std::size_t memory = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto apply = [&memory](const std::filesystem::path& file) {
        const std::size_t limit = number_in(file);
        if (limit != 0) { memory = std::min(memory, limit); }
    };
    apply(root / "sys/fs/cgroup/memory/memory.limit_in_bytes");
    // A service's own group, and those around it; in a container it is the root.
    for (auto group = own_group(root);; group = group.parent_path()) {
        apply(root / "sys/fs/cgroup" / group.relative_path() / "memory.max");
        if (!group.has_relative_path()) { return memory; }
    }
}

transport::Options settled(transport::Options options) {
    const std::size_t descriptors = raise_descriptor_limit();
    const std::size_t usable = descriptors > 512 ? descriptors - 256 : descriptors / 2;
    options.connections_max = transport::smaller_limit(options.connections_max, usable);
    if (options.memory_limit == 0) { options.memory_limit = available_memory(); }
    return options;
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
