// `stampede admin`: lists and actions of the admin API, tables for people, --json for scripts.
// Each command is one request, except that long lists and large moves take several.
#include "broker/cli/admin_client.hpp"
#include "broker/cli/admin_views.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/input.hpp"
#include "broker/cli/printable.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace cli {
namespace {

namespace json = boost::json;

struct AdminOptions {
    AdminFlags flags;
    std::string name;  ///< Of what the command is about.
    std::string match;
    std::string user;
    std::string type;
    std::string sort;
    std::string order;
    std::string reason;
    std::string to;
    std::string filter;
    std::string file;
    std::string level;
    std::uint64_t limit = 100;
    bool redrives = false;
    bool is_lame_duck = false;
    bool is_dry_run = false;
    bool is_sure = false;
    bool as_json = false;
};

using Options = std::shared_ptr<AdminOptions>;
using Work = std::function<int(const AdminOptions&)>;

int done(const AdminOptions& options, const json::value& answer, const std::string& text) {
    const std::string line =
        options.as_json ? json::serialize(answer.is_null() ? json::object() : answer) : text;
    std::puts(line.c_str());
    return to_int(ExitCode::ok);
}

// ---- Lists.

AdminQuery list_query(const AdminOptions& options) {
    return {
        {"match", options.match},
        {"user", options.user},
        {"type", options.type},
        {"sort", options.sort},
        {"order", options.order}};
}

int print_list(const AdminOptions& options, const View& view) {
    const AdminClient client(options.flags);
    const json::object list = fetch_list(client, view.path, list_query(options), options.limit);
    if (options.as_json) { return done(options, list, {}); }
    const json::array& items = list.at("items").as_array();
    for (const std::string& line : table_lines(view.columns, items)) {
        std::puts(line.c_str());
    }
    const auto total = static_cast<std::size_t>(number_of(list, "total"));
    if (total > items.size()) {
        std::fprintf(stderr, "%zu of %zu; more with --limit\n", items.size(), total);
    }
    return to_int(ExitCode::ok);
}

// ---- Connections.

int kick(const AdminOptions& options) {
    if (options.name.empty() == options.user.empty()) {
        throw Failure(ExitCode::usage, "name either the ID of a connection or a --user");
    }
    const AdminClient client(options.flags);
    const AdminQuery reason{{"reason", options.reason}};
    if (!options.name.empty()) {
        client.call("DELETE", "/connections/" + percent_encoded(options.name), reason);
        return done(options, json::object{{"connections", 1}}, "kicked " + options.name);
    }
    const json::value answer =
        client.call("DELETE", "/users/" + percent_encoded(options.user) + "/connections", reason);
    const std::string count = answer.is_object() ? text_of(answer.as_object(), "connections") : "?";
    return done(options, answer, "kicked " + count + " connections of " + options.user);
}

// ---- Queues.

std::string queue_path(const AdminOptions& options, const char* what) {
    return "/queues/" + percent_encoded(options.name) + what;
}

std::string body_text(const json::object& message) {
    if (message.contains("body_base64")) { return "(binary) " + text_of(message, "body_base64"); }
    return text_of(message, "body");
}

void print_message(const json::object& message) {
    std::printf(
        "--- %s, %s, %s old, %s deliveries, %s\n",
        printable(text_of(message, "id")).c_str(),
        text_of(message, "state").c_str(),
        short_age(number_of(message, "age_ms")).c_str(),
        text_of(message, "deliveries").c_str(),
        short_bytes(number_of(message, "size")).c_str()
    );
    for (const std::string& line : header_lines(message, ": ")) {
        std::puts(line.c_str());
    }
    const bool is_cut = message.contains("is_cut") && message.at("is_cut") == true;
    std::printf(
        "\n%s%s\n", printable(body_text(message), Blanks::kept).c_str(), is_cut ? " ...(cut)" : ""
    );
}

int browse(const AdminOptions& options) {
    const AdminClient client(options.flags);
    const json::value answer =
        client.get(queue_path(options, "/messages"), {{"limit", std::to_string(options.limit)}});
    if (options.as_json) { return done(options, answer, {}); }
    const json::value* const items =
        answer.is_object() ? answer.as_object().if_contains("items") : nullptr;
    if (items == nullptr || !items->is_array()) { return to_int(ExitCode::ok); }
    for (const json::value& message : items->as_array()) {
        if (message.is_object()) { print_message(message.as_object()); }
    }
    return to_int(ExitCode::ok);
}

/// Repeats a call that does a part at a time; returns how many messages in all.
std::uint64_t repeat(const std::function<json::value(std::uint64_t so_far)>& call) {
    std::uint64_t messages = 0;
    while (true) {
        const json::value answer = call(messages);
        if (!answer.is_object()) { return messages; }
        const auto part = static_cast<std::uint64_t>(number_of(answer.as_object(), "messages"));
        messages += part;
        const json::value* const is_complete = answer.as_object().if_contains("is_complete");
        if (part == 0 || is_complete == nullptr || *is_complete != false) { return messages; }
    }
}

int purge(const AdminOptions& options) {
    if (!options.is_sure) {
        throw Failure(
            ExitCode::usage, "purge removes every message of " + options.name + ": add --yes"
        );
    }
    const AdminClient client(options.flags);
    const std::uint64_t messages =
        repeat([&](std::uint64_t) { return client.call("POST", queue_path(options, "/purge")); });
    return done(
        options,
        json::object{{"messages", messages}},
        "removed " + std::to_string(messages) + " messages from " + options.name
    );
}

int move(const AdminOptions& options) {
    if (options.to.empty() != options.redrives) {
        throw Failure(ExitCode::usage, "say where: --to QUEUE, or --redrive to where they were");
    }
    const AdminClient client(options.flags);
    const std::uint64_t messages = repeat([&](std::uint64_t so_far) {
        json::object body;
        if (options.redrives) { body["redrive"] = true; }
        if (!options.to.empty()) { body["to"] = options.to; }
        if (!options.filter.empty()) { body["filter"] = options.filter; }
        if (options.limit != 0) { body["limit"] = options.limit - so_far; }
        return options.limit != 0 && so_far >= options.limit
                   ? json::value()
                   : client.call("POST", queue_path(options, "/move"), {}, body);
    });
    return done(
        options,
        json::object{{"messages", messages}},
        "moved " + std::to_string(messages) + " messages from " + options.name
    );
}

// ---- The broker.

int export_definitions(const AdminOptions& options) {
    const json::value answer = AdminClient(options.flags).get("/definitions");
    const std::string text = json::serialize(answer) + '\n';
    std::FILE* const out = options.file.empty() ? stdout : std::fopen(options.file.c_str(), "we");
    const bool is_written =
        out != nullptr && std::fwrite(text.data(), 1, text.size(), out) == text.size();
    const bool is_closed = out != nullptr && (out == stdout || std::fclose(out) == 0);
    if (is_written && is_closed) { return to_int(ExitCode::ok); }
    throw Failure(ExitCode::failure, "cannot write " + options.file);
}

int import_definitions(const AdminOptions& options) {
    const std::string text =
        options.file.empty() ? read_all(STDIN_FILENO, "stdin") : read_file(options.file);
    boost::system::error_code ec;
    const json::value definitions = json::parse(text, ec);
    if (ec) { throw Failure(ExitCode::usage, "what is to be imported is no JSON"); }
    const json::value answer =
        AdminClient(options.flags)
            .call(
                "POST", "/definitions", {{"dry_run", options.is_dry_run ? "true" : ""}}, definitions
            );
    if (!answer.is_object()) { return done(options, answer, "imported"); }
    const json::object& told = answer.as_object();
    return done(
        options,
        answer,
        std::string(options.is_dry_run ? "would import " : "imported ") + text_of(told, "queues") +
            " queues, " + text_of(told, "durable_subscriptions") + " durable subscriptions; " +
            text_of(told, "unchanged") + " were there"
    );
}

int reload(const AdminOptions& options) {
    const json::value answer = AdminClient(options.flags).call("POST", "/reload");
    const json::object told = answer.is_object() ? answer.as_object() : json::object();
    const bool is_ok = !told.contains("ok") || told.at("ok") == true;
    const json::value* const errors = told.if_contains("errors");
    std::string text = is_ok ? "reloaded" : "not reloaded; the configuration before stays in force";
    if (errors != nullptr && errors->is_array()) {
        for (const json::value& error : errors->as_array()) {
            text += "\n  " + (error.is_string() ? printable(error.as_string()) : "");
        }
    }
    const json::value* const ignored = told.if_contains("ignored");
    if (ignored != nullptr && ignored->is_array()) {
        for (const json::value& key : ignored->as_array()) {
            text += "\n  needs a restart: " + (key.is_string() ? printable(key.as_string()) : "");
        }
    }
    done(options, answer, text);
    return to_int(is_ok ? ExitCode::ok : ExitCode::configuration);
}

// The broker takes its time, up to ten minutes.
int back_up(const AdminOptions& options) {
    constexpr double time_ms = 605'000;
    AdminFlags flags = options.flags;
    flags.timeout_ms = std::max(flags.timeout_ms, time_ms);
    const json::value answer =
        AdminClient(flags).call("POST", "/backup", {}, json::object{{"directory", options.name}});
    return done(options, answer, "backed up to " + options.name);
}

int drain(const AdminOptions& options) {
    const json::value answer =
        AdminClient(options.flags)
            .call("POST", "/drain", {{"lame_duck", options.is_lame_duck ? "true" : ""}});
    return done(options, answer, "draining: connections are closed one by one, then it ends");
}

int log_level(const AdminOptions& options) {
    const AdminClient client(options.flags);
    if (!options.level.empty()) {
        const json::object body{{"level", options.level}};
        client.call("PUT", "/log-levels", {}, body);
        return done(options, body, "log level " + options.level);
    }
    const json::value answer = client.get("/log-levels");
    return done(options, answer, answer.is_object() ? text_of(answer.as_object(), "level") : "");
}

// ---- Options.

/// A command that is one function of its options.
Options add_command(
    CLI::App& parent,
    Action& action,
    const char* name,
    const char* help,
    std::initializer_list<const char*> examples,
    Work work
) {
    CLI::App* const command = parent.add_subcommand(name, help);
    const auto options = std::make_shared<AdminOptions>();
    set_help(*command, "", examples);
    command->add_flag("--json", options->as_json, "As JSON");
    add_admin_options(*command, options->flags);
    command->callback([&action, options, work = std::move(work)] {
        action = [options, work] { return work(*options); };
    });
    return options;
}

CLI::App& last_of(CLI::App& parent, const char* name) {
    return *parent.get_subcommand(name);
}

void add_list(
    CLI::App& admin,
    Action& action,
    const char* name,
    const char* help,
    const View& view,
    std::initializer_list<const char*> examples
) {
    const Options o =
        add_command(admin, action, name, help, examples, [&view](const AdminOptions& options) {
            return print_list(options, view);
        });
    CLI::App& command = last_of(admin, name);
    command.add_option("--match", o->match, "Only what has this in its name, user or address");
    command.add_option("--sort", o->sort, "What to sort by")
        ->check(CLI::IsMember(std::vector<std::string>(view.sorts.begin(), view.sorts.end())));
    command.add_option("--order", o->order, "Direction")->check(CLI::IsMember({"asc", "desc"}));
    command.add_option("-n,--limit", o->limit, "Rows at most")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    if (&view == &connections_view()) {
        command.add_option("--user", o->user, "Only those of this user");
    } else if (&view == &destinations_view()) {
        command.add_option("--type", o->type, "Only such")
            ->check(CLI::IsMember({"queue", "topic", "durable"}));
    }
}

void add_lists(CLI::App& admin, Action& action) {
    add_list(
        admin,
        action,
        "connections",
        "List connections",
        connections_view(),
        {"stampede admin connections --sort outbound_bytes -n 20",
         "stampede admin connections --user alice --json"}
    );
    add_list(
        admin,
        action,
        "destinations",
        "List queues, topics and durable subscriptions",
        destinations_view(),
        {"stampede admin destinations --type queue --sort depth -n 10"}
    );
    add_list(
        admin,
        action,
        "subscriptions",
        "List subscriptions",
        subscriptions_view(),
        {"stampede admin subscriptions --sort lag"}
    );
    const Options o = add_command(
        admin,
        action,
        "kick",
        "Close a connection, or all of a user",
        {"stampede admin kick 27b8c1b6a014d3615064b6e15f3d2be1 --reason 'too loud'",
         "stampede admin kick --user alice"},
        kick
    );
    CLI::App& command = last_of(admin, "kick");
    command.add_option("ID", o->name, "Id of the connection");
    command.add_option("--user", o->user, "All connections of this user");
    command.add_option("--reason", o->reason, "Told to the client");
}

void add_move(CLI::App& queue, Action& action) {
    const Options o = add_command(
        queue,
        action,
        "move",
        "Move messages, or bring dead letters back",
        {"stampede admin queue move /queue/old --to /queue/new --filter \"kind = 'invoice'\"",
         "stampede admin queue move /queue/DLQ.orders --redrive"},
        move
    );
    o->limit = 0;
    CLI::App& command = last_of(queue, "move");
    command.add_option("QUEUE", o->name, "The queue")->required();
    command.add_option("--to", o->to, "Destination");
    command.add_flag("--redrive", o->redrives, "Each back to where it was dead-lettered from");
    command.add_option("--filter", o->filter, "Only what this selector matches");
    command.add_option("-n,--limit", o->limit, "Messages at most (default: all)");
}

void add_queue(CLI::App& admin, Action& action) {
    CLI::App* const queue = admin.add_subcommand("queue", "Messages of a queue");
    queue->require_subcommand(1);
    set_help(*queue, "", {"stampede admin queue browse /queue/orders"});
    Options o = add_command(
        *queue,
        action,
        "browse",
        "Show messages without consuming them",
        {"stampede admin queue browse /queue/orders -n 5"},
        browse
    );
    o->limit = 20;
    last_of(*queue, "browse").add_option("QUEUE", o->name, "The queue")->required();
    last_of(*queue, "browse")
        .add_option("-n,--limit", o->limit, "Messages at most")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    o = add_command(
        *queue,
        action,
        "purge",
        "Remove all messages",
        {"stampede admin queue purge /queue/orders --yes"},
        purge
    );
    last_of(*queue, "purge").add_option("QUEUE", o->name, "The queue")->required();
    last_of(*queue, "purge").add_flag("--yes", o->is_sure, "Really");
    add_move(*queue, action);
}

void add_definitions(CLI::App& admin, Action& action) {
    CLI::App* const definitions =
        admin.add_subcommand("definitions", "Declared queues and durable subscriptions");
    definitions->require_subcommand(1);
    set_help(*definitions, "", {"stampede admin definitions export > definitions.json"});
    Options o = add_command(
        *definitions,
        action,
        "export",
        "Print them as JSON",
        {"stampede admin definitions export definitions.json"},
        export_definitions
    );
    last_of(*definitions, "export")
        .add_option("FILE", o->file, "Write there instead of stdout")
        ->type_name("FILE");
    o = add_command(
        *definitions,
        action,
        "import",
        "Make what is missing, all or nothing",
        {"stampede admin definitions import definitions.json --dry-run"},
        import_definitions
    );
    CLI::App& command = last_of(*definitions, "import");
    command.add_option("FILE", o->file, "What export has made; without it stdin is read")
        ->type_name("FILE");
    command.add_flag("--dry-run", o->is_dry_run, "Only say what would be done");
}

void add_broker(CLI::App& admin, Action& action) {
    Options backup = add_command(
        admin,
        action,
        "backup",
        "Copy the store, while the broker works, into a directory that it makes",
        {"stampede admin backup /var/lib/stampede-backups/monday"},
        back_up
    );
    last_of(admin, "backup")
        .add_option("DIRECTORY", backup->name, "Where, on the broker's machine; the path is whole")
        ->required();
    add_command(
        admin,
        action,
        "reload",
        "Read configuration, users and certificates again; exits 0 or 3",
        {"stampede admin reload"},
        reload
    );
    Options o = add_command(
        admin,
        action,
        "drain",
        "Close connections one by one, then end",
        {"stampede admin drain --lame-duck"},
        drain
    );
    last_of(admin, "drain").add_flag("--lame-duck", o->is_lame_duck, "Over a longer time");
    o = add_command(
        admin,
        action,
        "log-level",
        "Show or change how much is logged",
        {"stampede admin log-level debug"},
        log_level
    );
    last_of(admin, "log-level")
        .add_option("LEVEL", o->level, "The new level")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
}

}  // namespace

void add_admin(CLI::App& app, Action& action) {
    CLI::App* const admin = app.add_subcommand("admin", "Look into a running broker and change it");
    admin->require_subcommand(1);
    set_help(
        *admin,
        "",
        {"stampede admin connections",
         "stampede admin queue browse /queue/orders",
         "stampede admin reload"}
    );
    add_lists(*admin, action);
    add_queue(*admin, action);
    add_definitions(*admin, action);
    add_broker(*admin, action);
}

}  // namespace cli
