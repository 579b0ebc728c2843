// `stampede req`: one request, one reply over a temporary queue of this connection.
// The broker makes the queue and its subscription from the `reply-to` header (P-TEMP-02).
#include "broker/cli/client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/input.hpp"
#include "broker/cli/message_printer.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace cli {
namespace {

constexpr std::string_view reply_queue = "/temp-queue/reply";

struct ReqOptions {
    TargetFlags target;
    std::string destination;
    std::optional<std::string> body;
    std::string file;
    std::vector<std::string> headers;
    double wait_ms = 5000;
    std::uint64_t count = 1;
    PrintOptions print;
};

std::string random_id() {
    std::random_device device;
    char text[20];
    std::snprintf(text, sizeof text, "%08x%08x", device(), device());
    return text;
}

bool has(const OwnedHeaders& headers, std::string_view name) {
    return std::any_of(headers.begin(), headers.end(), [name](const OwnedHeader& header) {
        return header.name == name;
    });
}

void ask(Client& client, const ReqOptions& options, std::string_view body) {
    const OwnedHeaders own = parse_headers(options.headers);
    const std::string id = random_id();
    std::vector<protocol::Header> headers{
        {"destination", options.destination}, {"reply-to", reply_queue}, {"receipt", "request"}};
    if (!has(own, "correlation-id")) { headers.push_back({"correlation-id", id}); }
    append_views(headers, own);
    client.send(protocol::Command::send, headers, body);
}

Failure no_reply(const ReqOptions& options, bool is_taken) {
    const std::string time = std::to_string(static_cast<long>(options.wait_ms)) + " ms";
    if (!is_taken) { return {ExitCode::timeout, "the broker did not confirm within " + time}; }
    return {
        ExitCode::timeout,
        "no reply within " + time + ": does anybody consume from " + options.destination +
            " and answer to the reply-to header?"};
}

/// Prints replies until there are enough; throws if they do not come in time.
void print_replies(Client& client, const ReqOptions& options) {
    MessagePrinter printer(options.print);
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double, std::milli>(options.wait_ms)
                                      );
    bool is_taken = false;
    for (std::uint64_t replies = 0; replies < options.count;) {
        const protocol::Frame* const frame = client.receive(until);
        if (frame == nullptr && client.is_interrupted()) {
            throw Failure(ExitCode::failure, "interrupted");
        }
        if (frame == nullptr) { throw no_reply(options, is_taken); }
        if (frame->command == protocol::Command::receipt) { is_taken = true; }
        if (frame->command != protocol::Command::message) { continue; }
        ++replies;
        if (!printer.print(*frame) || !printer.flush()) { return; }
    }
}

int req(const ReqOptions& options) {
    const std::string body = read_body(options.body, options.file);
    Client client(make_target(options.target));
    ask(client, options, body);
    print_replies(client, options);
    client.disconnect();
    return to_int(ExitCode::ok);
}

}  // namespace

void add_req(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("req", "Send a request and print its reply");
    const auto options = std::make_shared<ReqOptions>();
    ReqOptions& o = *options;
    set_help(
        *command,
        std::string("The request has reply-to and correlation-id headers. ") +
            "Whoever answers sends to its reply-to.\n" + format_help(),
        {"stampede req /queue/prices IBM",
         "stampede req /queue/orders --file order.json --wait 30s --json"}
    );
    command->add_option("DEST", o.destination, "Where requests go, e.g. /queue/prices")->required();
    auto* const body =
        command->add_option("BODY", o.body, "The body; without it --file or stdin is read");
    command->add_option("--file,-f", o.file, "Read the body from a file")
        ->type_name("FILE")
        ->excludes(body);
    command->add_option("-H,--header", o.headers, "name:value, repeatable")
        ->allow_extra_args(false);
    takes_duration(
        command->add_option("-w,--wait", o.wait_ms, "Longest wait for replies (default: 5s)")
    );
    command->add_option("-n,--count", o.count, "End after that many replies")
        ->capture_default_str();
    add_print_options(*command, o.print);
    add_target_options(*command, o.target);
    command->callback([&action, options] { action = [options] { return req(*options); }; });
}

}  // namespace cli
