// The steps of loading in their order: defaults, file, environment, flags, listeners, checks.
// The file is looked for in --config, $STAMPEDE_CONFIG, /etc/stampede/stampede.toml.
#include "broker/server/config.hpp"

#include "broker/server/config_draft.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <thread>

namespace server {

namespace {

constexpr const char* default_file = "/etc/stampede/stampede.toml";
constexpr const char* file_variable = "STAMPEDE_CONFIG";
constexpr unsigned threads_by_default_max = 8;

void read_file(Draft& draft, const Flags& flags, const GetEnv& getenv) {
    if (flags.config) { return read_config_file(draft, *flags.config, true); }
    const char* const named = getenv(file_variable);
    if (named != nullptr && *named != '\0') { return read_config_file(draft, named, true); }
    read_config_file(draft, default_file, false);
}

void read_environment(Draft& draft, const GetEnv& getenv) {
    for (const Row<Config>& row : config_rows()) {
        const std::string name = row.key.environment_name();
        const char* const text = getenv(name.c_str());
        if (text == nullptr) { continue; }
        const Target target = row.target(draft.loaded.config);
        draft.set(row.key, target, row.key.full_name(), raw_from_text(row.key, text), {name});
    }
}

void set_flag(Draft& draft, std::string_view key, const char* flag, const Raw& raw) {
    const Row<Config>& row = *find_row(key);
    draft.set(row.key, row.target(draft.loaded.config), key, raw, {flag});
}

void read_flags(Draft& draft, const Flags& flags) {
    const auto text = [&draft](std::string_view key, const char* flag, const auto& value) {
        if (value) { set_flag(draft, key, flag, *value); }
    };
    text("server.tcp", "--tcp", flags.tcp);
    text("server.ws", "--ws", flags.ws);
    text("admin.address", "--admin", flags.admin);
    text("storage.directory", "--data", flags.data);
    text("server.ports_file", "--ports-file", flags.ports_file);
    text("server.http_dir", "--http-dir", flags.http_dir);
    text("log.level", "--log-level", flags.log_level);
    text("test.echo", "--test-echo", flags.test_echo);
    if (flags.threads) {
        set_flag(draft, "server.threads", "--threads", std::int64_t{*flags.threads});
    }
    if (flags.strict) { set_flag(draft, "server.strict", "--strict", true); }
    draft.loaded.config.transport.insecure_no_auth = flags.insecure_no_auth;
    draft.loaded.config.insecure_no_tls = flags.insecure_no_tls;
    draft.loaded.config.storage.accept_data_loss = flags.accept_data_loss;
}

// By measurement: on two cores a second shard only takes turns with the first.
void settle_threads(unsigned& threads) {
    if (threads != 0) { return; }
    const unsigned cores = std::thread::hardware_concurrency();
    threads = cores <= 2 ? 1 : std::min(cores, threads_by_default_max);
}

template <class Owner>
void list_entries(
    Draft& draft, std::vector<Entry<Owner>>& entries, std::span<const Row<Owner>> rows
) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string section(rows.front().key.section);
        for (const Row<Owner>& row : rows) {
            draft.loaded.values.push_back(
                {section + "[" + std::to_string(i) + "]." + std::string(row.key.name),
                 format_value(row.key, row.target(entries[i].value)),
                 entries[i].origin.text()}
            );
        }
    }
}

void list_values(Draft& draft) {
    for (const Row<Config>& row : config_rows()) {
        const std::string name = row.key.full_name();
        const std::string value = format_value(row.key, row.target(draft.loaded.config));
        draft.loaded.values.push_back({name, value, draft.origin_of(name).text()});
    }
    list_entries(draft, draft.listeners, listener_rows());
    list_entries(draft, draft.policies, policy_rows());
    list_entries(draft, draft.access_rules, acl_rows());
    list_entries(draft, draft.tls_pairs, pair_rows());
    list_entries(draft, draft.certificates, certificate_rows());
}

}  // namespace

std::string ConfigError::text() const {
    std::string place = source;
    if (line != 0) { place += ":" + std::to_string(line) + ":" + std::to_string(column); }
    return place + ": " + (key.empty() ? "" : key + ": ") + message;
}

std::string Origin::text() const {
    return line == 0 ? source : source + ":" + std::to_string(line);
}

Origin Draft::origin_of(std::string_view key) const {
    const auto found = origins.find(key);
    return found == origins.end() ? Origin{} : found->second;
}

Origin Draft::place_for(std::string_view key) const {
    const std::string_view section = key.substr(0, key.find('.') + 1);
    const auto next = origins.lower_bound(section);
    const bool is_missing = !has(key) && next != origins.end() && next->first.starts_with(section);
    return is_missing ? next->second : origin_of(key);
}

void Draft::fail(const Origin& origin, std::string_view key, std::string message) {
    loaded.errors.push_back(
        {origin.source, origin.line, origin.column, protocol::quoted(key), std::move(message)}
    );
}

void Draft::fail_at(std::string_view key, std::string message) {
    fail(place_for(key), key, std::move(message));
}

void Draft::set(
    const Key& key,
    const Target& target,
    std::string_view full_name,
    const Raw& raw,
    const Origin& origin
) {
    if (auto problem = assign(key, target, raw)) { fail(origin, full_name, std::move(*problem)); }
    origins.insert_or_assign(std::string(full_name), origin);
}

LoadedConfig load_config(const Flags& flags, const GetEnv& getenv) {
    Draft draft;
    draft.loaded.config = default_config();
    read_file(draft, flags, getenv);
    read_environment(draft, getenv);
    read_flags(draft, flags);
    settle_threads(draft.loaded.config.transport.threads);
    settle_listeners(draft);
    validate(draft, flags);
    list_values(draft);
    return std::move(draft.loaded);
}

}  // namespace server
