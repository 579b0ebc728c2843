// Which sockets are listened on: the file's list or the defaults, with addresses given by key or
// flag.
#include "broker/server/config_draft.hpp"

#include <algorithm>
#include <iterator>

namespace server {

namespace {

using transport::ListenerKind;
using ListenerEntry = Entry<ListenerDraft>;

constexpr std::uint16_t default_tcp_port = 61613;
constexpr std::uint16_t default_ws_port = 15674;

ListenerEntry default_listener(ListenerKind kind, std::uint16_t port) {
    ListenerEntry entry;
    entry.value.kind = kind;
    entry.value.address = {"127.0.0.1", port};
    entry.value.also_ipv6_loopback = true;
    entry.name = kind == ListenerKind::tcp ? "server.tcp" : "server.ws";
    return entry;
}

// One socket, or none, instead of all listeners of `kind`; paths and TLS are those of the first of
// them.
void replace(Draft& draft, ListenerKind kind, const std::string& key, const Address& address) {
    if (!address.is_set() && !address.is_off) { return; }
    const auto is_of_kind = [kind](const ListenerEntry& entry) { return entry.value.kind == kind; };
    if (address.is_off) {
        std::erase_if(draft.listeners, is_of_kind);
        return;
    }
    const auto first = std::ranges::find_if(draft.listeners, is_of_kind);
    ListenerEntry only = first == draft.listeners.end() ? default_listener(kind, 0) : *first;
    only.value.address = address;
    only.value.also_ipv6_loopback = false;
    only.name = key;
    only.origin = draft.origin_of(key);
    std::erase_if(draft.listeners, is_of_kind);
    draft.listeners.push_back(std::move(only));
}

void check_paths(Draft& draft, const ListenerEntry& entry) {
    if (entry.value.kind != ListenerKind::web_socket) { return; }
    const Strings& paths = entry.value.paths;
    const auto is_path = [](const std::string& path) {
        return path.starts_with('/') && path.find_first_of("?# ") == std::string::npos;
    };
    if (!paths.empty() && std::ranges::all_of(paths, is_path)) { return; }
    draft.fail(
        entry.origin, entry.name + ".paths", "expected one path or more, each beginning with \"/\""
    );
}

void check_required(Draft& draft, const ListenerEntry& entry) {
    for (const char* const key : {"kind", "address"}) {
        if (draft.has(entry.name + "." + key)) { continue; }
        draft.fail(entry.origin, entry.name + "." + key, "this key is required");
    }
}

const char* name_of(ListenerKind kind) {
    return kind == ListenerKind::tcp ? "tcp" : "ws";
}

// Names are for LISTEN_FDNAMES, where colons separate them; "admin" is the admin listener.
void check_name(Draft& draft, const ListenerEntry& entry) {
    const std::string& name = entry.value.name;
    if (name.empty()) { return; }
    const auto is_allowed = [](char c) { return c > ' ' && c < 0x7f && c != ':'; };
    if (name == "admin" || name.size() > 64 || !std::ranges::all_of(name, is_allowed)) {
        return draft.fail(
            entry.origin,
            entry.name + ".name",
            "expected up to 64 printable characters without blanks and colons, and not \"admin\""
        );
    }
    const auto uses_it = std::ranges::count_if(draft.listeners, [&name](const auto& other) {
        return other.value.name == name;
    });
    if (uses_it > 1) {
        draft.fail(entry.origin, entry.name + ".name", quote(name) + " is the name of another one");
    }
}

transport::ListenerOptions to_options(const ListenerDraft& draft) {
    transport::ListenerOptions options;
    options.name = draft.name.empty() ? name_of(draft.kind) : draft.name;
    options.kind = draft.kind;
    options.host = draft.address.host;
    options.port = draft.address.port;
    options.also_ipv6_loopback = draft.also_ipv6_loopback;
    options.paths = draft.paths;
    return options;
}

}  // namespace

void settle_listeners(Draft& draft) {
    Config& config = draft.loaded.config;
    for (const ListenerEntry& entry : draft.listeners) {
        check_required(draft, entry);
    }
    if (draft.listeners.empty()) {
        draft.listeners.push_back(default_listener(ListenerKind::web_socket, default_ws_port));
        draft.listeners.push_back(default_listener(ListenerKind::tcp, default_tcp_port));
    }
    settle_networks(draft);
    replace(draft, ListenerKind::web_socket, "server.ws", config.ws);
    replace(draft, ListenerKind::tcp, "server.tcp", config.tcp);
    settle_shared_tls(draft);
    for (ListenerEntry& entry : draft.listeners) {
        check_paths(draft, entry);
        check_name(draft, entry);
        config.listeners.push_back(to_options(entry.value));
        apply_tls(draft, entry, config.listeners.back());
        apply_networks(draft, entry, config.listeners.back());
    }
}

}  // namespace server
