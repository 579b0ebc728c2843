// Rules that span keys: pairs in order, and what may be open to the network (S-BIND-03).
// Nothing is opened or resolved here.
#include "broker/server/config_draft.hpp"
#include "broker/server/config_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sys/resource.h>

namespace server {

namespace {

constexpr std::size_t reserved_descriptors = 256;

struct Ordered {
    std::string_view lower;
    std::string_view upper;
};

constexpr std::array<Ordered, 9> ordered{{
    {"limits.memory_alarm_1", "limits.memory_alarm_2"},
    {"limits.frame_time", "limits.frame_time_max"},
    {"limits.prefetch_messages", "limits.prefetch_messages_max"},
    {"limits.prefetch_bytes", "limits.prefetch_bytes_max"},
    {"limits.wildcard_subscriptions", "limits.subscriptions"},
    {"heartbeat.floor", "heartbeat.cap"},
    {"heartbeat.offer", "heartbeat.cap"},
    {"heartbeat.ping_after", "heartbeat.dead_after"},
    {"drain.spread", "drain.timeout"},
}};

// The key whose line is the better place for the message: one that was written.
std::string_view written_of(const Draft& draft, const Ordered& pair) {
    return draft.has(pair.lower) ? pair.lower : pair.upper;
}

void check_order(Draft& draft, const Ordered& pair) {
    const Row<Config>& lower = *find_row(pair.lower);
    const Row<Config>& upper = *find_row(pair.upper);
    const Target low = lower.target(draft.loaded.config);
    const Target high = upper.target(draft.loaded.config);
    if (number_in(low) <= number_in(high)) { return; }
    draft.fail_at(
        written_of(draft, pair),
        fmt::format(
            "{} ({}) must not be above {} ({})",
            pair.lower,
            format_value(lower.key, low),
            pair.upper,
            format_value(upper.key, high)
        )
    );
}

void check_connections(Draft& draft) {
    rlimit files{};
    const std::size_t connections = draft.loaded.config.transport.connections_max;
    if (connections == 0) { return; }  // As many as the system allows.
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max == RLIM_INFINITY) { return; }
    if (connections + reserved_descriptors <= files.rlim_max) { return; }
    draft.fail_at(
        "limits.connections",
        fmt::format(
            "{} connections need {} open files, but the hard limit is {}: raise it (LimitNOFILE=, "
            "ulimit -n) or lower this",
            connections,
            connections + reserved_descriptors,
            files.rlim_max
        )
    );
}

/// A socket that other machines can reach.
struct PublicSocket {
    std::string key;
    Origin origin;
    Address address;
    bool has_tls = false;  ///< Or a proxy in front that has.
};

std::vector<PublicSocket> public_sockets(const Draft& draft) {
    std::vector<PublicSocket> sockets;
    for (const auto& entry : draft.listeners) {
        const ListenerDraft& listener = entry.value;
        if (!listener.address.is_set() || is_loopback(listener.address.host)) { continue; }
        const std::string key = entry.name + ".address";
        const Origin origin = draft.has(key) ? draft.origin_of(key) : entry.origin;
        // A TLS-terminating proxy is declared by naming it.
        const auto& proxies =
            listener.trusted_proxies.value_or(draft.loaded.config.trusted_proxies);
        const bool has_tls = listener.tls.is_set() || !proxies.empty();
        sockets.push_back({entry.name, origin, listener.address, has_tls});
    }
    const Address& admin = draft.loaded.config.admin;
    if (admin.is_set() && !is_loopback(admin.host)) {
        sockets.push_back({"admin.address", draft.origin_of("admin.address"), admin, false});
    }
    return sockets;
}

void check_public(Draft& draft, const PublicSocket& socket, const Flags& flags) {
    const std::string where = format_address(socket.address);
    const auto refuse = [&](std::string_view why) {
        draft.fail(
            socket.origin, socket.key, fmt::format("other machines can reach {} {}", where, why)
        );
    };
    if (!flags.insecure_no_auth && !draft.loaded.config.auth.is_set()) {
        refuse(
            "and there is no authentication: set auth.users_file, hook.url, jwt.keys_file or "
            "jwt.keys_url, list client "
            "certificates in [[certificate]], bind 127.0.0.1 "
            "or [::1], or let everyone in with --insecure-no-auth"
        );
    }
    if (!socket.has_tls && !flags.insecure_no_tls) {
        refuse(
            "and it has no TLS: bind 127.0.0.1 or [::1], name tls_certificate and tls_key in its "
            "[[listener]], name the proxy that ends TLS in trusted_proxies, or accept clear text "
            "with "
            "--insecure-no-tls"
        );
    }
    if (!draft.loaded.config.transport.test_echo_path.empty()) {
        refuse("and the test echo is on: --test-echo is for loopback addresses only");
    }
}

void warn_insecure(Draft& draft, const std::vector<PublicSocket>& sockets, const Flags& flags) {
    std::string all;
    std::string clear;
    for (const PublicSocket& socket : sockets) {
        all += " " + format_address(socket.address);
        if (!socket.has_tls) { clear += " " + format_address(socket.address); }
    }
    if (flags.insecure_no_auth) {
        draft.loaded.warnings.push_back(
            "--insecure-no-auth: every peer may publish and subscribe to everything; open to other "
            "machines:" +
            (all.empty() ? " nothing" : all)
        );
    }
    if (flags.insecure_no_tls) {
        draft.loaded.warnings.push_back(
            "--insecure-no-tls: what is sent can be read and changed on the way; in clear text to "
            "other machines:" +
            (clear.empty() ? " nothing" : clear)
        );
    }
}

void check_binding(Draft& draft, const Flags& flags) {
    if (!flags.serves) { return; }
    const std::vector<PublicSocket> sockets = public_sockets(draft);
    for (const PublicSocket& socket : sockets) {
        check_public(draft, socket, flags);
    }
    warn_insecure(draft, sockets, flags);
}

void check_echo(Draft& draft) {
    const std::string& path = draft.loaded.config.transport.test_echo_path;
    if (path.empty() || path.starts_with('/')) { return; }
    draft.fail_at("test.echo", "expected a path that begins with \"/\"");
}

void warn_storage(Draft& draft, const Flags& flags) {
    const StorageOptions& storage = draft.loaded.config.storage;
    if (flags.accept_data_loss) {
        draft.loaded.warnings.push_back(
            "--accept-data-loss: if the store is damaged, confirmed messages from the first "
            "damaged "
            "record on are given up; start without it once the store has opened"
        );
    }
    if (storage.directory.empty() || storage.durability != Durability::memory) { return; }
    draft.loaded.warnings.push_back(
        "storage.durability is \"memory\": " + quote(storage.directory) +
        " is not opened, and nothing survives the end of the process"
    );
}

}  // namespace

void validate(Draft& draft, const Flags& flags) {
    for (const Ordered& pair : ordered) {
        check_order(draft, pair);
    }
    check_connections(draft);
    settle_policies(draft);
    settle_access_rules(draft);
    check_echo(draft);
    settle_certificates(draft);
    check_auth(draft, flags);
    check_binding(draft, flags);
    warn_storage(draft, flags);
}

}  // namespace server
