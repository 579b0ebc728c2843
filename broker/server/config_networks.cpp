// Networks, origins and host names: of the server, and of each listener that says otherwise.
// Nothing is resolved: all of them are compared as they are written.
#include "broker/server/config_draft.hpp"

namespace server {

namespace {

/// Where a list was written.
struct Place {
    std::string key;
    Origin origin;
};

Place place_of(const Draft& draft, const Entry<ListenerDraft>& entry, const char* name) {
    const std::string key = entry.name + "." + name;
    return {key, draft.has(key) ? draft.origin_of(key) : entry.origin};
}

// Adds all of `entries`; what is wrong with one is told at its place.
template <class List>
void add_all(Draft& draft, List& list, const Strings& entries, const Place& place) {
    for (const std::string& entry : entries) {
        const auto problem = list.add(entry);
        if (!problem) { continue; }
        const std::string shown = quote(std::string_view(entry).substr(0, 100));
        draft.fail(place.origin, place.key, shown + ": " + *problem);
    }
}

// A listener's own list, if it was written.
template <class List>
void override_list(
    Draft& draft, List& list, const std::optional<Strings>& entries, const Place& place
) {
    if (!entries) { return; }
    list = List();
    add_all(draft, list, *entries, place);
}

}  // namespace

void settle_networks(Draft& draft) {
    Config& config = draft.loaded.config;
    const WebKeys& web = config.web;
    const auto read = [&draft](auto& list, const Strings& entries, const char* key) {
        add_all(draft, list, entries, {key, draft.origin_of(key)});
    };
    read(config.transport.exempt, config.exempt, "limits.exempt");
    read(draft.trusted_proxies, config.trusted_proxies, "server.trusted_proxies");
    read(draft.web.allowed_origins, web.allowed_origins, "server.allowed_origins");
    read(draft.web.external_hosts, web.external_hosts, "server.external_hosts");
    draft.web.allow_missing_origin = web.allow_missing_origin;
    draft.web.allow_loopback_origins = web.allow_loopback_origins;
}

void apply_networks(
    Draft& draft, const Entry<ListenerDraft>& entry, transport::ListenerOptions& options
) {
    const ListenerDraft& own = entry.value;
    const auto settle = [&](auto& list, const std::optional<Strings>& entries, const char* name) {
        override_list(draft, list, entries, place_of(draft, entry, name));
    };
    transport::WebPolicy& web = options.web;
    web = draft.web;
    settle(web.allowed_origins, own.allowed_origins, "allowed_origins");
    settle(web.external_hosts, own.external_hosts, "external_hosts");
    web.allow_missing_origin = own.allow_missing_origin.value_or(web.allow_missing_origin);
    web.allow_loopback_origins = own.allow_loopback_origins.value_or(web.allow_loopback_origins);
    options.trusted_proxies = draft.trusted_proxies;
    settle(options.trusted_proxies, own.trusted_proxies, "trusted_proxies");
    options.proxy_protocol = own.proxy_protocol;
    if (!own.proxy_protocol || !options.trusted_proxies.empty()) { return; }
    const Place place = place_of(draft, entry, "proxy_protocol");
    draft.fail(
        place.origin, place.key, "name the proxies that may connect in server.trusted_proxies"
    );
}

}  // namespace server
