// A configuration while it is being put together: values, where each came from, and what is wrong.
// Lives only inside load_config(); the steps that fill it are declared here in their order.
#pragma once

#include "broker/server/config_keys.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// Where a value was written.
struct Origin {
    std::string source = "default";  ///< As in ConfigError.
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    /// `FILE:LINE`, or the source alone.
    [[nodiscard]] std::string text() const;
};

/// A repeated section and its place.
template <class T>
struct Entry {
    T value;
    std::string name;  ///< `listener[0]`.
    Origin origin;
};

struct Draft {
    LoadedConfig loaded;
    std::vector<Entry<ListenerDraft>> listeners;
    std::vector<Entry<PolicyDraft>> policies;
    std::vector<Entry<AclDraft>> access_rules;
    std::vector<Entry<tls::PairFiles>> tls_pairs;
    std::vector<Entry<security::CertificateUser>> certificates;
    transport::WebPolicy web;             ///< Of the server, for listeners that say nothing.
    transport::Networks trusted_proxies;  ///< The same.
    std::map<std::string, Origin, std::less<>>
        origins;  ///< By full key; what is missing is default.

    /// Where `key` was written.
    [[nodiscard]] Origin origin_of(std::string_view key) const;

    /// Whether `key` was written anywhere.
    [[nodiscard]] bool has(std::string_view key) const {
        return origins.find(key) != origins.end();
    }

    void fail(const Origin& origin, std::string_view key, std::string message);

    /// Where `key` was written, or, if it is missing, another key of its section.
    [[nodiscard]] Origin place_for(std::string_view key) const;

    /// Fails at place_for(key).
    void fail_at(std::string_view key, std::string message);

    /// Puts `raw` into the field of `key`, whose name in messages is `full_name`.
    void set(
        const Key& key,
        const Target& target,
        std::string_view full_name,
        const Raw& raw,
        const Origin& origin
    );
};

/// Fills the draft from the TOML file at `path`. A file that is not there is an error only if
/// `is_wanted`. Listeners, policies and access rules of the file end up in the draft's lists.
void read_config_file(Draft& draft, const std::string& path, bool is_wanted);

/// Reads the networks, origins and host names of the plain sections: what listeners inherit, and
/// `limits.exempt`.
void settle_networks(Draft& draft);

/// What `entry` says or inherits about browsers and proxies. After settle_networks().
void apply_networks(
    Draft& draft, const Entry<ListenerDraft>& entry, transport::ListenerOptions& options
);

/// Checks [tls] and [[tls.pair]], for listeners that say tls = true.
void settle_shared_tls(Draft& draft);

/// The pairs of `entry`, and what it asks of its clients. After settle_shared_tls().
void apply_tls(Draft& draft, Entry<ListenerDraft>& entry, transport::ListenerOptions& options);

/// Default listeners if none were written, then `server.tcp` and `server.ws`, then TLS of each.
void settle_listeners(Draft& draft);

/// Checks the policies and puts them in the order in which they are asked.
void settle_policies(Draft& draft);

/// Checks the access rules, each and all together.
void settle_access_rules(Draft& draft);

/// Where principals come from: pairs that belong together, URLs, and what the flags say to it.
void check_auth(Draft& draft, const Flags& flags);

/// Checks [[certificate]], and whether they and the listeners go together. After
/// settle_listeners().
void settle_certificates(Draft& draft);

/// Rules that span keys, and S-BIND-03. Adds errors and warnings.
void validate(Draft& draft, const Flags& flags);

}  // namespace server
