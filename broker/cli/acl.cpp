// `stampede acl check`: what an access list decides, and which of its rules.
// Reads the configuration only: who has which role or claim is said on the command line.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/security/access_list.hpp"
#include "broker/security/names.hpp"
#include "broker/server/config.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cli {
namespace {

struct AclOptions {
    std::string config;
    std::string user;  ///< Empty: anonymous.
    std::vector<std::string> roles;
    std::vector<std::string> claims;  ///< `KEY=VALUE`.
    std::string action;
    std::string destination;
    bool as_json = false;
};

server::LoadedConfig load(const std::string& file) {
    server::Flags flags;
    flags.config = file;
    flags.serves = false;
    server::LoadedConfig loaded =
        server::load_config(flags, [](const char* name) { return std::getenv(name); });
    if (!loaded.ok()) { throw Failure(ExitCode::configuration, loaded.errors.front().text()); }
    if (loaded.config.access_rules.empty()) {
        throw Failure(ExitCode::configuration, file + ": there is no [[acl]]: nothing to check");
    }
    return loaded;
}

security::AccessListRef list_of(const server::Config& config) {
    auto list = security::AccessList::make(config.access_rules, config.limits.protocol);
    if (!list) { throw Failure(ExitCode::configuration, list.error().text()); }
    return *std::move(list);
}

engine::Principal principal_of(const AclOptions& options) {
    engine::Principal who{options.user.empty() ? "anonymous" : options.user, options.roles};
    who.is_anonymous = options.user.empty();
    for (const std::string& claim : options.claims) {
        const std::size_t equals = claim.find('=');
        who.claims.emplace_back(claim.substr(0, equals), claim.substr(equals + 1));
    }
    return who;
}

/// What the router makes of the destination; only subscriptions have patterns.
protocol::Pattern parse(
    const AclOptions& options, engine::Action action, const protocol::Limits& limits
) {
    const auto fail = [](const protocol::Error& error) {
        const bool is_refused = error.code == protocol::ErrorCode::access_denied;
        const ExitCode code = is_refused ? ExitCode::refused : ExitCode::usage;
        throw Failure(code, error.what + " " + error.remedy);
    };
    if (action == engine::Action::subscribe) {
        const auto pattern = protocol::parse_pattern(options.destination, limits);
        if (!pattern) { fail(pattern.error()); }
        return *pattern;
    }
    const auto destination = protocol::parse_destination(options.destination, limits);
    if (!destination) { fail(destination.error()); }
    return {*destination, false};
}

/// `stampede.toml:7: ` of a rule.
std::string place_of(const server::LoadedConfig& loaded, std::size_t rule) {
    const std::string key = "acl[" + std::to_string(rule) + "].who";
    const auto found = std::ranges::find(loaded.values, key, &server::EffectiveValue::key);
    return found == loaded.values.end() ? "" : found->origin + ": ";
}

void print_text(const security::Explanation& why, const std::string& place, bool leaves_out) {
    const char* const verdict = why.is_allowed ? "allowed" : "refused";
    std::printf("%s: %s%s\n", verdict, place.c_str(), why.text.c_str());
    if (leaves_out) { std::puts("messages of destinations that a rule denies are left out"); }
}

void print_json(const security::Explanation& why, const std::string& place, bool leaves_out) {
    boost::json::object object{{"allowed", why.is_allowed}, {"because", place + why.text}};
    if (why.rule) { object["rule"] = *why.rule; }
    object["leaves_out_denied"] = leaves_out;
    std::puts(boost::json::serialize(object).c_str());
}

int check(const AclOptions& options) {
    const server::LoadedConfig loaded = load(options.config);
    const auto list = list_of(loaded.config);
    const engine::Action action = *security::action_of(options.action);
    const auto pattern = parse(options, action, loaded.config.limits.protocol);
    const engine::Principal who = principal_of(options);
    const security::Explanation why = list->explain(who, action, pattern);
    const auto access = list->access_of(std::make_shared<const engine::Principal>(who));
    const bool leaves_out = why.is_allowed && pattern.is_wildcard && access->has_denials(action);
    const std::string place = why.rule ? place_of(loaded, *why.rule) : "";
    (options.as_json ? print_json : print_text)(why, place, leaves_out);
    return to_int(why.is_allowed ? ExitCode::ok : ExitCode::refused);
}

std::string claim_fault(const std::string& claim) {
    const std::size_t equals = claim.find('=');
    const bool is_good = equals != 0 && equals != std::string::npos;
    return is_good ? "" : "write a claim as KEY=VALUE";
}

std::string user_fault(const std::string& name) {
    const std::string fault = security::name_fault(name);
    return fault.empty() ? "" : "the name " + fault;
}

}  // namespace

void add_acl(CLI::App& app, Action& action) {
    CLI::App* const acl = app.add_subcommand("acl", "Access rules");
    acl->require_subcommand(1);
    CLI::App* const command = acl->add_subcommand(
        "check", "Say whether the rules allow it, and which rule decides; exits 0 or 4"
    );
    const auto options = std::make_shared<AclOptions>();
    set_help(
        *command,
        "",
        {"stampede acl check --config stampede.toml --user alice --role staff publish /topic/news"}
    );
    set_help(*acl, "", {"stampede acl check --config stampede.toml subscribe '/topic/#'"});
    command->add_option("--config", options->config, "Configuration file")
        ->required()
        ->type_name("FILE");
    command->add_flag("--json", options->as_json, "As JSON");
    auto* const user = command->add_option("--user", options->user, "User; without it: anonymous")
                           ->check(CLI::Validator(user_fault, "NAME"));
    command->add_option("--role", options->roles, "Role of the user; repeatable")
        ->allow_extra_args(false)
        ->needs(user);
    command->add_option("--claim", options->claims, "Claim of its token, KEY=VALUE; repeatable")
        ->allow_extra_args(false)
        ->needs(user)
        ->check(CLI::Validator(claim_fault, "KEY=VALUE"));
    command->add_option("ACTION", options->action, "publish, subscribe, create or browse")
        ->required()
        ->check(CLI::IsMember({"publish", "subscribe", "create", "browse"}));
    command->add_option("DESTINATION", options->destination, "Name, or pattern to subscribe to")
        ->required();
    command->callback([&action, options] { action = [options] { return check(*options); }; });
}

}  // namespace cli
