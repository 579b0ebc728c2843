// `stampede trace`: the frames of a connection as they pass, from the admin API's event stream.
// The broker masks secrets and ends it after its time or 10 MiB.
#include "broker/cli/admin_client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/printable.hpp"
#include "broker/cli/table.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

namespace cli {
namespace {

namespace json = boost::json;

struct TraceOptions {
    AdminFlags flags;
    std::string connection;
    double duration_ms = 60'000;
    bool with_bodies = false;
    bool as_json = false;
};

void print_frame(const json::object& frame) {
    const bool is_in = text_of(frame, "direction") == "in";
    std::printf(
        "%s %s %s, %s\n",
        printable(text_of(frame, "at")).c_str(),
        is_in ? "-->" : "<--",
        printable(text_of(frame, "command")).c_str(),
        short_bytes(number_of(frame, "size")).c_str()
    );
    for (const std::string& line : header_lines(frame, ":")) {
        std::printf("    %s\n", line.c_str());
    }
    const std::string body = text_of(frame, "body");
    if (!body.empty()) { std::printf("    | %s\n", printable(body).c_str()); }
}

/// False if stdout takes no more.
bool print_event(const TraceOptions& options, std::string_view name, std::string_view data) {
    boost::system::error_code ec;
    const json::value value = json::parse(json::string_view(data.data(), data.size()), ec);
    const bool is_frame = name == "frame" && !ec && value.is_object();
    if (options.as_json) {
        json::object line{{"event", name}};
        line["data"] = ec ? json::value(data) : value;
        std::puts(json::serialize(line).c_str());
    } else if (is_frame) {
        print_frame(value.as_object());
    } else if (name == "end") {
        std::fprintf(stderr, "end: %s\n", printable(data).c_str());
    }
    return std::fflush(stdout) == 0 && name != "end";
}

int trace(const TraceOptions& options) {
    const AdminClient client(options.flags);
    client.stream(
        "/connections/" + percent_encoded(options.connection) + "/trace",
        {{"seconds", std::to_string(static_cast<long>(options.duration_ms / 1000))},
         {"bodies", options.with_bodies ? "true" : ""}},
        [&options](std::string_view name, std::string_view data) {
            return print_event(options, name, data);
        }
    );
    return to_int(ExitCode::ok);
}

}  // namespace

void add_trace(CLI::App& app, Action& action) {
    CLI::App* const command =
        app.add_subcommand("trace", "Show the frames of a connection as they pass");
    const auto options = std::make_shared<TraceOptions>();
    set_help(
        *command,
        "Secrets are masked by the broker. Ids of connections: stampede admin connections.",
        {"stampede trace 27b8c1b6a014d3615064b6e15f3d2be1",
         "stampede trace 27b8c1b6a014d3615064b6e15f3d2be1 --bodies --duration 5m --json"}
    );
    command->add_option("CONNECTION", options->connection, "Its id")->required();
    takes_duration(command->add_option(
        "-d,--duration", options->duration_ms, "How long, 1s to 5m (default: 1m)"
    ));
    command->add_flag("--bodies", options->with_bodies, "Show the beginning of bodies, too");
    command->add_flag("--json", options->as_json, "A line of JSON for each event");
    add_admin_options(*command, options->flags);
    command->callback([&action, options] { action = [options] { return trace(*options); }; });
}

}  // namespace cli
