// The law of includes: which folder may include what, our own headers and other people's.
// The table is the one of docs/architecture.md; whoever changes one changes the other.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

namespace style {
namespace {

using Names = std::set<std::string_view>;

/// What a folder may include, and what only its `.cpp` files may. The plain standard library is
/// free.
struct Room {
    std::string_view folder;
    Names uses;
    Names uses_in_cpp = {};
};

/// fmt formats numbers and logs everywhere above `protocol`; "threads", "files" and "system" are
/// the parts of the standard library and of POSIX that start threads, open files or call the
/// kernel.
const std::vector<Room>& rooms() {
    static const std::vector<Room> table = {
        {"protocol", {"boost.system"}, {"simdjson"}},
        {"storage", {"fmt"}, {"threads", "files", "system", "rocksdb", "xxhash", "nats"}},
        {"broker/engine", {"protocol", "storage", "fmt"}},
        {"broker/log", {"spdlog", "fmt", "threads", "files", "system"}},
        {"broker/files", {"files", "system"}},
        {"broker/tls",
         {"broker/files", "openssl", "broker/log", "fmt", "threads", "files", "system"}},
        {"broker/transport",
         {"broker/engine",
          "protocol",
          "broker/log",
          "broker/tls",
          "asio",
          "beast",
          "openssl",
          "fmt",
          "boost.system",
          "threads",
          "files",
          "system"}},
        {"broker/security",
         {"broker/engine",
          "protocol",
          "broker/files",
          "broker/log",
          "broker/tls",
          "openssl",
          "asio",
          "beast",
          "boost.json",
          "fmt",
          "boost.system",
          "threads",
          "files",
          "system"}},
        {"broker/console", {}},
        {"broker/admin",
         {"broker/console",
          "broker/engine",
          "protocol",
          "broker/transport",
          "broker/log",
          "asio",
          "beast",
          "boost.json",
          "openssl",
          "prometheus",
          "fmt",
          "boost.system",
          "threads",
          "files",
          "system"}},
        {"broker/server",
         {"broker/admin",
          "broker/security",
          "broker/transport",
          "broker/tls",
          "broker/log",
          "broker/files",
          "broker/engine",
          "protocol",
          "storage",
          "toml++",
          "asio",
          "beast",
          "openssl",
          "boost.json",
          "fmt",
          "boost.system",
          "threads",
          "files",
          "system"}},
        {"broker/cli",
         {"broker/server",
          "broker/security",
          "broker/transport",
          "broker/tls",
          "broker/log",
          "broker/files",
          "protocol",
          "storage",
          "cli11",
          "asio",
          "beast",
          "openssl",
          "boost.json",
          "fmt",
          "boost.system",
          "threads",
          "files",
          "system"}},
        {"broker", {"broker/cli", "fmt", "files"}},
    };
    return table;
}

/// Third-party headers by how their name begins. The first match counts.
constexpr auto libraries = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"boost/system/", "boost.system"},
    {"boost/asio", "asio"},
    {"boost/beast", "beast"},
    {"boost/json", "boost.json"},
    {"fmt/", "fmt"},
    {"spdlog/", "spdlog"},
    {"openssl/", "openssl"},
    {"simdjson", "simdjson"},
    {"toml++/", "toml++"},
    {"CLI/", "cli11"},
    {"prometheus/", "prometheus"},
    {"rocksdb/", "rocksdb"},
    {"xxhash", "xxhash"},
    {"nats/", "nats"},
});

const Names thread_headers = {
    "thread",
    "mutex",
    "atomic",
    "shared_mutex",
    "condition_variable",
    "future",
    "stop_token",
    "semaphore",
    "latch",
    "barrier"};
const Names file_headers = {"iostream", "fstream", "filesystem", "cstdio"};

struct Include {
    std::string_view name;
    bool is_quoted;
};

/// The room of a path: the longest folder of the table that holds it; "tests" and others are their
/// first part.
std::string_view room_of(std::string_view path) {
    std::string_view best = path.substr(0, path.find('/'));
    for (const Room& room : rooms()) {
        const bool holds =
            path.starts_with(room.folder) && path.substr(room.folder.size()).starts_with('/');
        if (holds && room.folder.size() > best.size()) { best = room.folder; }
    }
    return best;
}

/// The name under which the table knows an angled header; the empty name is the free part of the
/// standard library.
std::string_view library_of(std::string_view header) {
    for (const auto& [prefix, library] : libraries) {
        if (header.starts_with(prefix)) { return library; }
    }
    if (thread_headers.contains(header)) { return "threads"; }
    if (file_headers.contains(header)) { return "files"; }
    if (header.starts_with("boost/")) { return header; }
    if (header.ends_with(".h")) { return "system"; }
    return header.find_first_of("/.") == std::string_view::npos ? std::string_view{} : header;
}

/// The include on this line, or one with an empty name. `code` tells a directive from an example in
/// a string.
Include include_on(const File& file, const Line& line) {
    const std::string_view code = std::string_view(file.code).substr(line.offset, line.text.size());
    if (code.find("#") != code.find_first_not_of(" \t") ||
        code.find("include") == std::string_view::npos) {
        return {{}, false};
    }
    const std::size_t open = line.text.find_first_of("<\"");
    if (open == std::string_view::npos) { return {{}, false}; }
    const bool is_quoted = line.text[open] == '"';
    const std::size_t close = line.text.find(is_quoted ? '"' : '>', open + 1);
    return {line.text.substr(open + 1, close - open - 1), is_quoted};
}

const Room* find_room(std::string_view folder) {
    const auto it = std::ranges::find(rooms(), folder, &Room::folder);
    return it == rooms().end() ? nullptr : &*it;
}

bool may_use(const File& file, std::string_view from, std::string_view what) {
    const Room* const room = find_room(from);
    if (room == nullptr) { return false; }
    return room->uses.contains(what) || (file.is_source() && room->uses_in_cpp.contains(what));
}

/// What is wrong with one include; empty if nothing is.
std::string judge(const File& file, const Include& include) {
    const std::string name(include.name);
    if (include.is_quoted && include.name.find('/') == std::string_view::npos) {
        return "\"" + name + "\": includes of our own headers start at the root of the repository";
    }
    if (!file.is_product()) { return {}; }
    const std::string_view from = room_of(file.path);
    const std::string_view what =
        include.is_quoted ? room_of(include.name) : library_of(include.name);
    if (what.empty() || (what == from && include.is_quoted)) { return {}; }
    if (!may_use(file, from, what)) {
        return std::string(from) + " may not include \"" + name + "\" (" + std::string(what) + ")";
    }
    if (what == "beast" && file.is_header()) {
        return "Beast headers belong into .cpp files: " + name;
    }
    return {};
}

void check_file(const File& file, Violations& found, std::vector<std::string>& simdjson_users) {
    for (const Line& line : lines_of(file.text)) {
        const Include include = include_on(file, line);
        if (include.name.empty()) { continue; }
        const std::string wrong = judge(file, include);
        if (!wrong.empty()) { found.push_back(place(file, line.offset, wrong)); }
        if (file.is_under("protocol") && include.name.starts_with("simdjson")) {
            simdjson_users.push_back(file.path);
        }
    }
}

}  // namespace

Violations check_includes(const Tree& tree) {
    Violations found;
    std::vector<std::string> simdjson_users;
    for (const File& file : tree.files) {
        if (file.is_source() || file.is_header()) { check_file(file, found, simdjson_users); }
    }
    if (simdjson_users.size() > 1) {
        found.push_back(simdjson_users.back() + ": only one .cpp of protocol includes simdjson");
    }
    return found;
}

}  // namespace style
