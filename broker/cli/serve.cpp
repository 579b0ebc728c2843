// `stampede serve` and the commands about configuration: flags to server::Flags, nothing more.
// Every error of the configuration is printed, one a line, and exits 3.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/log/log.hpp"
#include "broker/server/config.hpp"
#include "broker/server/config_explain.hpp"
#include "broker/server/rights.hpp"
#include "broker/server/server.hpp"
#include "broker/tls/context.hpp"
#include "storage/message_store.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace cli {
namespace {

server::LoadedConfig load(const server::Flags& flags) {
    return server::load_config(flags, [](const char* name) { return std::getenv(name); });
}

int refuse(const std::vector<std::string>& errors) {
    for (const std::string& error : errors) {
        std::fprintf(stderr, "stampede: %s\n", error.c_str());
    }
    return to_int(ExitCode::configuration);
}

std::vector<std::string> errors_of(const server::LoadedConfig& loaded) {
    std::vector<std::string> texts;
    for (const server::ConfigError& error : loaded.errors) {
        texts.push_back(error.text());
    }
    return texts;
}

int serve(const server::Flags& flags) {
    const server::LoadedConfig loaded = load(flags);
    if (!loaded.ok()) { return refuse(errors_of(loaded)); }
    logging::init(loaded.config.log);
    for (const std::string& warning : loaded.warnings) {
        logging::warn("config", warning);
    }
    try {
        return server::run(loaded, server::open_store, [flags] { return load(flags); });
    } catch (const storage::StoreError& error) {
        throw Failure(error.is_damage() ? ExitCode::damaged : ExitCode::failure, error.what());
    } catch (const server::BadConfiguration& error) {
        throw Failure(ExitCode::configuration, error.what());
    } catch (const tls::Error& error) { throw Failure(ExitCode::configuration, error.what()); }
}

void try_certificates(const tls::ServerFiles& files, std::vector<std::string>& errors) {
    if (!files.is_set()) { return; }
    try {
        static_cast<void>(tls::make_server_context(files));
    } catch (const tls::Error& error) { errors.emplace_back(error.what()); }
}

/// Opens what the configuration names, which load_config() does not.
std::vector<std::string> try_files(const server::Config& config) {
    std::vector<std::string> errors;
    tls::ServerFiles shared;
    shared.pairs = config.tls.pairs();
    shared.strict_file_modes = config.strict_file_modes;
    try_certificates(shared, errors);
    for (const transport::ListenerOptions& listener : config.listeners) {
        if (listener.tls != shared) { try_certificates(listener.tls, errors); }
    }

    try {
        security::Outbound outbound;
        static_cast<void>(server::load_sources(config, outbound));
    } catch (const std::invalid_argument&) {
        // Half a verifier: load_config() has said what is missing.
    } catch (const std::runtime_error& error) { errors.emplace_back(error.what()); }

    struct stat status {};

    const std::string& store = config.storage.directory;
    if (!store.empty() && ::stat(store.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
        errors.push_back("storage.directory: " + store + " is not a directory");
    }
    const std::string& directory = config.transport.http_dir;
    if (!directory.empty() &&
        (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))) {
        errors.push_back("server.http_dir: " + directory + " is not a directory that can be read");
    }
    return errors;
}

/// What a command about configuration takes.
struct ConfigOptions {
    server::Flags flags;
    bool as_json = false;
    std::vector<std::string> names;  ///< To be explained.
};

std::vector<server::Explanation> explain_all(
    const server::LoadedConfig& loaded, const std::vector<std::string>& names
) {
    std::vector<server::Explanation> all;
    for (const std::string& name : names) {
        auto explanation = server::explain(loaded, name);
        if (!explanation) {
            const protocol::Error error = explanation.error();
            throw Failure(ExitCode::usage, "--explain: " + error.what + " " + error.remedy);
        }
        all.push_back(std::move(*explanation));
    }
    return all;
}

boost::json::object to_json(const server::Explanation& explanation) {
    boost::json::object settings;
    for (const server::ExplainedSetting& setting : explanation.settings) {
        boost::json::object entry{{"value", setting.value}, {"why", setting.why}};
        if (!setting.argument.empty()) { entry["argument"] = setting.argument; }
        settings[setting.key] = std::move(entry);
    }
    boost::json::array policies;
    for (const server::ExplainedPolicy& policy : explanation.policies) {
        policies.push_back(boost::json::object{
            {"name", policy.name},
            {"match", policy.match},
            {"origin", policy.origin},
            {"counts", policy.why_not.empty()},
            {"why_not", policy.why_not}});
    }
    return {
        {"name", explanation.name},
        {"canonical", explanation.canonical},
        {"kind", explanation.is_queue ? "queue" : "topic"},
        {"policies", std::move(policies)},
        {"settings", std::move(settings)}};
}

int print_check(
    const server::LoadedConfig& loaded,
    const std::vector<std::string>& errors,
    const std::vector<server::Explanation>& explanations
) {
    boost::json::object object{
        {"ok", errors.empty()},
        {"file", loaded.file},
        {"errors", boost::json::value_from(errors)},
        {"warnings", boost::json::value_from(loaded.warnings)}};
    boost::json::array explained;
    for (const server::Explanation& explanation : explanations) {
        explained.push_back(to_json(explanation));
    }
    if (!explained.empty()) { object["explained"] = std::move(explained); }
    std::puts(boost::json::serialize(object).c_str());
    return to_int(errors.empty() ? ExitCode::ok : ExitCode::configuration);
}

int check_config(const ConfigOptions& options) {
    const server::LoadedConfig loaded = load(options.flags);
    std::vector<std::string> errors = errors_of(loaded);
    for (std::string& error : try_files(loaded.config)) {
        errors.push_back(std::move(error));
    }
    std::vector<server::Explanation> explanations;
    if (errors.empty()) { explanations = explain_all(loaded, options.names); }
    if (options.as_json) { return print_check(loaded, errors, explanations); }
    for (const std::string& warning : loaded.warnings) {
        std::fprintf(stderr, "stampede: warning: %s\n", warning.c_str());
    }
    if (!errors.empty()) { return refuse(errors); }
    std::printf("%s: ok\n", loaded.file.empty() ? "defaults and environment" : loaded.file.c_str());
    for (const server::Explanation& explanation : explanations) {
        std::printf("\n%s", server::explanation_text(explanation).c_str());
    }
    return to_int(ExitCode::ok);
}

int print_config(const server::Flags& flags, bool as_json) {
    const server::LoadedConfig loaded = load(flags);
    if (!loaded.ok()) { return refuse(errors_of(loaded)); }
    if (!as_json) {
        std::fputs(server::effective_config_text(loaded).c_str(), stdout);
        return to_int(ExitCode::ok);
    }
    boost::json::object object;
    for (const server::EffectiveValue& value : loaded.values) {
        object[value.key] = boost::json::object{{"value", value.value}, {"origin", value.origin}};
    }
    std::puts(boost::json::serialize(object).c_str());
    return to_int(ExitCode::ok);
}

int print_defaults(bool as_json) {
    if (!as_json) {
        std::fputs(server::default_config_text().c_str(), stdout);
        return to_int(ExitCode::ok);
    }
    boost::json::array array;
    for (const server::KeyDescription& key : server::key_descriptions()) {
        array.push_back(boost::json::object{
            {"key", key.name},
            {"default", key.default_value},
            {"range", key.range},
            {"environment", key.environment},
            {"meaning", key.meaning}});
    }
    std::puts(boost::json::serialize(array).c_str());
    return to_int(ExitCode::ok);
}

/// What waives the rules for public addresses: without it a configuration that needs it is refused.
void add_waivers(CLI::App& command, server::Flags& flags) {
    command.add_flag(
        "--insecure-no-auth", flags.insecure_no_auth, "Let everyone in, from everywhere"
    );
    command.add_flag("--insecure-no-tls", flags.insecure_no_tls, "Plain text on public addresses");
}

void add_serve_options(CLI::App& command, server::Flags& flags) {
    auto* const data = command.add_option("--data", flags.data, "Directory of the durable store");
    data->type_name("DIR");
    command.add_option("DATA_DIR", flags.data, "The same")->excludes(data)->type_name("DIR");
    command.add_option("-c,--config", flags.config, "Configuration file (TOML)")->type_name("FILE");
    command.add_option("--tcp", flags.tcp, "host:port for STOMP over TCP, or off");
    command.add_option("--ws", flags.ws, "host:port for STOMP over WebSocket, or off");
    command.add_option("--admin", flags.admin, "host:port for health, metrics and console, or off");
    command
        .add_option(
            "--ports-file", flags.ports_file, "Write the bound addresses to this file (JSON)"
        )
        ->type_name("FILE");
    command.add_option("--threads", flags.threads, "Event loops");
    command.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error or off");
    command
        .add_option("--http-dir", flags.http_dir, "Serve these static files on the WebSocket port")
        ->type_name("DIR");
    command.add_option("--test-echo", flags.test_echo, "Path of a WebSocket echo, for tests only");
    command.add_flag(
        "--strict", flags.strict, "Refuse every sloppiness of clients, citing the rule"
    );
    add_waivers(command, flags);
    command.add_flag(
        "--accept-data-loss",
        flags.accept_data_loss,
        "Open a damaged store as far as it can be read"
    );
}

std::shared_ptr<ConfigOptions> add_config_options(CLI::App& command) {
    auto options = std::make_shared<ConfigOptions>();
    command.add_option("FILE", options->flags.config, "Default: as serve finds it")
        ->type_name("FILE");
    add_waivers(command, options->flags);
    command.add_flag("--json", options->as_json, "As JSON");
    return options;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("serve", "Run the broker");
    const auto flags = std::make_shared<server::Flags>();
    set_help(
        *command,
        "Without options it listens on loopback only and keeps everything in memory.",
        {"stampede serve", "stampede serve /var/lib/stampede --config /etc/stampede/stampede.toml"}
    );
    add_serve_options(*command, *flags);
    command->callback([&action, flags] { action = [flags] { return serve(*flags); }; });
}

void add_config_commands(CLI::App& app, Action& action) {
    CLI::App* const check =
        app.add_subcommand("check-config", "Check a configuration; exits 0 or 3");
    set_help(
        *check,
        "It is judged as serve would with the same --insecure-no-auth and --insecure-no-tls.",
        {"stampede check-config /etc/stampede/stampede.toml",
         "stampede check-config stampede.toml --explain /queue/orders"}
    );
    const auto to_check = add_config_options(*check);
    check
        ->add_option(
            "--explain",
            to_check->names,
            "Show what a queue or topic of this name gets, and why; may be repeated"
        )
        ->allow_extra_args(false);
    check->callback([&action, to_check] { action = [to_check] { return check_config(*to_check); }; }
    );

    CLI::App* const print =
        app.add_subcommand("print-config", "Print the values in force and where they come from");
    set_help(*print, "", {"stampede print-config stampede.toml --json"});
    const auto to_print = add_config_options(*print);
    print->callback([&action, to_print] {
        action = [to_print] { return print_config(to_print->flags, to_print->as_json); };
    });

    CLI::App* const defaults =
        app.add_subcommand("default-config", "Print all keys with their defaults and meanings");
    set_help(*defaults, "", {"stampede default-config > stampede.toml"});
    const auto as_json = std::make_shared<bool>(false);
    defaults->add_flag("--json", *as_json, "As JSON: key, default, range, environment, meaning");
    defaults->callback([&action, as_json] {
        action = [as_json] { return print_defaults(*as_json); };
    });
}

}  // namespace cli
