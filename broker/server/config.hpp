// The configuration of the whole broker: defaults < TOML file < environment < flags.
// Plain data and the functions that build and print it; every key is one row of config_keys.cpp.
#pragma once

#include "broker/engine/limits.hpp"
#include "broker/engine/policy.hpp"
#include "broker/log/log.hpp"
#include "broker/security/access_rule.hpp"
#include "broker/security/certificates.hpp"
#include "broker/tls/server_files.hpp"
#include "broker/transport/options.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace server {

/// Where a socket listens. An empty host is "off".
struct Address {
    std::string host;  ///< An IP address, without brackets.
    std::uint16_t port = 0;
    bool is_off = false;  ///< Written as `off` where not set means something else.

    [[nodiscard]] bool is_set() const { return !host.empty(); }

    friend bool operator==(const Address&, const Address&) = default;
};

/// What a RECEIPT promises for a durable message (docs/durability.md).
enum class Durability : std::uint8_t { sync, relaxed, memory };

/// What becomes of the process when its store fails (D-FS-01).
enum class OnFailure : std::uint8_t { exit, serve_memory };

/// Free space below which nothing durable is accepted: octets, a share of the file system, or,
/// with both 0, what the store thinks right (D-FULL-01).
struct DiskFloor {
    std::uint64_t octets = 0;
    std::uint32_t percent = 0;

    friend bool operator==(const DiskFloor&, const DiskFloor&) = default;
};

/// `[storage]`, but for what is the engine's.
struct StorageOptions {
    std::string directory;  ///< Empty: there is no store.
    Durability durability = Durability::sync;
    std::chrono::milliseconds relaxed_interval{100};
    std::chrono::milliseconds commit_delay{0};
    DiskFloor disk_floor;
    bool allow_unsafe_filesystem = false;
    OnFailure on_failure = OnFailure::exit;
    bool ready_requires_disk = false;
    bool accept_data_loss = false;  ///< Only by flag (D-ROCK-03).
};

/// What browsers may do, as written; already applied to `listeners`.
struct WebKeys {
    std::vector<std::string> allowed_origins;
    bool allow_missing_origin = true;
    bool allow_loopback_origins = true;
    std::vector<std::string> external_hosts;
};

/// `[hook]`: an HTTP service that knows users.
struct HookOptions {
    std::string url;
    std::string ca_file;
    std::chrono::milliseconds timeout = std::chrono::seconds(2);
    std::uint32_t in_flight = 64;
    std::chrono::milliseconds cache = std::chrono::seconds(60);

    [[nodiscard]] bool is_set() const { return !url.empty(); }

    friend bool operator==(const HookOptions&, const HookOptions&) = default;
};

/// `[tls]` and `[[tls.pair]]`: what listeners with `tls = true` have in common.
struct TlsKeys {
    tls::PairFiles pair;
    std::vector<tls::PairFiles> more_pairs;
    std::string client_ca_file;
    std::vector<std::string> crl_files;

    /// All pairs; none if the first is missing.
    [[nodiscard]] std::vector<tls::PairFiles> pairs() const;
};

/// `[auth]`, `[hook]`, `[jwt]` and `[[certificate]]`: where principals come from. Nothing set: only
/// local clients, as guests.
struct AuthOptions {
    std::string users_file;
    std::vector<std::string> backends;  ///< `users` and `hook` in order; empty: what is configured.
    HookOptions hook;
    std::uint32_t hash_threads = 1;
    std::uint32_t hash_queue = 64;
    std::uint32_t failed_logins = 10;  ///< A minute and address.
    std::string keys_file;             ///< JWKS, or one public key in PEM.
    std::string keys_url;              ///< A JWKS to be fetched, instead of `keys_file`.
    std::string keys_ca_file;
    std::chrono::milliseconds keys_refresh = std::chrono::minutes(10);
    std::string algorithm;  ///< Of the key in PEM.
    std::string issuer;
    std::string audience;
    std::string user_claim = "sub";
    std::string roles_claim = "roles";
    std::chrono::milliseconds skew = std::chrono::seconds(30);
    std::vector<security::CertificateUser> certificates;  ///< Without faults (S-AUTH-13).
    bool asks_for_certificates = false;                   ///< Some listener does, as a credential.

    [[nodiscard]] bool has_tokens() const { return !keys_file.empty() || !keys_url.empty(); }

    [[nodiscard]] bool has_certificates() const {
        return !certificates.empty() || asks_for_certificates;
    }

    [[nodiscard]] bool is_set() const {
        return !users_file.empty() || hook.is_set() || has_tokens() || has_certificates();
    }

    friend bool operator==(const AuthOptions&, const AuthOptions&) = default;
};

struct Config {
    engine::Limits limits;         ///< `server.strict` and `hide_version` arrive here.
    transport::Options transport;  ///< `threads`, `http_dir`, test echo and S-BIND-03 arrive here.
    std::vector<transport::ListenerOptions> listeners;
    std::vector<engine::Policy> policies;            ///< The first that matches decides.
    std::vector<security::AccessRule> access_rules;  ///< Without faults (S-ACL-01).
    WebKeys web;
    std::vector<std::string> trusted_proxies;  ///< CIDRs; already applied to `listeners`.
    std::vector<std::string> exempt;           ///< CIDRs; already applied to `transport`.
    bool allow_anonymous = true;               ///< False wins over S-BIND-02 (S-BIND-04).
    AuthOptions auth;
    StorageOptions storage;
    logging::Options log;
    Address admin{"127.0.0.1", 15680};  ///< Not set: no admin listener.
    std::string admin_token_file;       ///< Empty: one is made for each run.
    bool metrics_without_token = false;
    Address tcp;                     ///< `server.tcp`; already applied to `listeners`.
    Address ws;                      ///< `server.ws`; already applied to `listeners`.
    TlsKeys tls;                     ///< For listeners with `tls = true`; already applied.
    bool strict_file_modes = false;  ///< Warnings about key files are errors (S-TLS-03).
    std::string ports_file;          ///< Bound addresses are written there; empty: nowhere.
    std::chrono::milliseconds drain_pre_stop_delay{0};
    std::chrono::milliseconds drain_lame_duck = std::chrono::minutes(2);
    bool insecure_no_tls = false;  ///< Only by flag (S-BIND-03).
};

/// The flags of `serve`; what is not given is not set.
struct Flags {
    std::optional<std::string> config;
    std::optional<std::string> tcp;    ///< `host:port`, or `off`.
    std::optional<std::string> ws;     ///< `host:port`, or `off`.
    std::optional<std::string> admin;  ///< `host:port`, or `off`.
    std::optional<std::string> data;   ///< `storage.directory`.
    std::optional<std::string> ports_file;
    std::optional<std::string> log_level;
    std::optional<std::string> http_dir;
    std::optional<std::string> test_echo;  ///< Path of the WebSocket echo.
    std::optional<unsigned> threads;
    bool strict = false;
    bool insecure_no_auth = false;
    bool insecure_no_tls = false;
    bool accept_data_loss = false;
    bool serves = true;  ///< False: nobody will connect, so S-BIND-03 is not asked.
};

/// One thing wrong with what the operator wrote.
struct ConfigError {
    std::string source;      ///< A file name, `--flag` or the name of an environment variable.
    std::uint32_t line = 0;  ///< 0: has none.
    std::uint32_t column = 0;
    std::string key;      ///< `limits.frame`; empty if the error is about no key.
    std::string message;  ///< A sentence: what is wrong and what would be right.

    /// `FILE:LINE:COLUMN: KEY: MESSAGE`.
    [[nodiscard]] std::string text() const;
};

/// A value in force, for print-config.
struct EffectiveValue {
    std::string key;
    std::string value;   ///< As one would write it in TOML.
    std::string origin;  ///< `default`, `FILE:LINE`, the environment variable or the flag.
};

/// Where a policy was written, and why it comes where it does.
struct PolicyPlace {
    std::string name;    ///< `policy[0]`, in the order of the file.
    std::string origin;  ///< `FILE:LINE`.
    std::uint32_t priority = 0;
    /// Less is more specific: levels that stand for any number, for one, for part of one, then
    /// less text.
    std::array<std::ptrdiff_t, 4> generality{};
    std::vector<EffectiveValue> settings;  ///< What it says, by the keys' own names.
};

struct LoadedConfig {
    Config config;  ///< Only to be used if ok().
    std::vector<ConfigError> errors;
    std::vector<std::string> warnings;  ///< To be logged at WARN on every start (S-BIND-03).
    std::vector<EffectiveValue> values;
    std::string file;                        ///< The file that was read; empty: none.
    std::vector<PolicyPlace> policy_places;  ///< One for each of `config.policies`.

    [[nodiscard]] bool ok() const { return errors.empty(); }
};

using GetEnv = std::function<const char*(const char*)>;

/// Builds the configuration and checks it as a whole. Never throws for what an operator can get
/// wrong: every error found is listed. Reads the file, but opens nothing that it names.
[[nodiscard]] LoadedConfig load_config(const Flags& flags, const GetEnv& getenv);

/// The text of `default-config`: every key with its default, unit, range and meaning.
[[nodiscard]] std::string default_config_text();

/// The text of `print-config`: every value in force and where it comes from.
[[nodiscard]] std::string effective_config_text(const LoadedConfig& loaded);

/// The manual's table of keys, in Markdown.
[[nodiscard]] std::string key_table_markdown();

/// A key as printed.
struct KeyDescription {
    std::string name;           ///< `limits.frame`.
    std::string default_value;  ///< As one writes it.
    std::string range;
    std::string environment;  ///< Empty for keys of repeated sections.
    std::string meaning;
};

/// The rows of that table.
[[nodiscard]] std::vector<KeyDescription> key_descriptions();

}  // namespace server
