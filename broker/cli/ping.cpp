// `stampede ping`: connects, measures round trips, and tells what was negotiated.
// A round trip is BEGIN or ABORT with a receipt: every broker answers, and no right is needed.
#include "broker/cli/client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace cli {
namespace {

struct PingOptions {
    TargetFlags target;
    unsigned count = 5;
    bool as_json = false;
};

double milliseconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

double round_trip(Client& client, bool is_begin, std::chrono::milliseconds timeout) {
    const auto begin = Clock::now();
    client.send(
        is_begin ? protocol::Command::begin : protocol::Command::abort,
        {{"transaction", "ping"}, {"receipt", "ping"}}
    );
    const protocol::Frame* frame = nullptr;
    do {
        frame = client.receive(begin + timeout);
    } while (frame != nullptr && frame->command != protocol::Command::receipt);
    if (frame == nullptr) { throw Failure(ExitCode::timeout, "no receipt came back"); }
    return milliseconds(Clock::now() - begin);
}

std::vector<double> round_trips(Client& client, const PingOptions& options, const Target& target) {
    std::vector<double> times;
    for (unsigned n = 0; n < options.count; ++n) {
        times.push_back(round_trip(client, n % 2 == 0, target.timeout));
    }
    return times;
}

std::vector<std::string> advice_for(const Client& client, const Target& target) {
    const Session& session = client.session();
    const Opening& opening = client.opening();
    std::vector<std::string> advice;
    if (target.url.is_web_socket && opening.sub_protocol.empty()) {
        advice.emplace_back(
            "no sub-protocol was chosen: browsers that ask for one will fail the connection"
        );
    }
    if (session.version != protocol::Version::v1_2) {
        advice.emplace_back(
            "the broker does not speak STOMP 1.2: headers cannot hold every character"
        );
    }
    if (session.hear_every.count() == 0) {
        advice.emplace_back("the broker sends no heart-beats: a dead connection shows only by TCP");
    }
    const bool is_local = target.url.host == "localhost" || target.url.host.starts_with("127.") ||
                          target.url.host == "::1";
    if (!target.url.is_tls && !is_local) {
        advice.emplace_back(
            "without TLS, everyone on the way can read the passcode: use wss:// or stomps://"
        );
    }
    return advice;
}

std::string beat_text(std::chrono::milliseconds every) {
    return every.count() == 0 ? "never" : "every " + std::to_string(every.count()) + " ms";
}

void print_line(const char* name, const std::string& value) {
    if (!value.empty()) { std::printf("  %-13s %s\n", name, value.c_str()); }
}

void print_text(const Client& client, const Target& target, const std::vector<double>& times) {
    const Session& session = client.session();
    const Opening& opening = client.opening();
    const auto connect_time =
        opening.tcp_time + opening.tls_time + opening.upgrade_time + session.log_in_time;
    std::printf("%s: connected in %.2f ms", target.url.text().c_str(), milliseconds(connect_time));
    std::printf(
        " (TCP %.2f, TLS %.2f, upgrade %.2f, STOMP %.2f)\n",
        milliseconds(opening.tcp_time),
        milliseconds(opening.tls_time),
        milliseconds(opening.upgrade_time),
        milliseconds(session.log_in_time)
    );
    print_line("server", session.server);
    print_line("STOMP", std::string(to_string(session.version)));
    print_line("sub-protocol", opening.sub_protocol);
    print_line("session", session.id);
    print_line("user", session.user);
    print_line("our beats", beat_text(session.send_every));
    print_line("its beats", beat_text(session.hear_every));
    print_line("TLS", opening.tls);
    print_line("certificate", opening.certificate);
    if (!times.empty()) {
        const auto [low, high] = std::minmax_element(times.begin(), times.end());
        const double sum = std::accumulate(times.begin(), times.end(), 0.0);
        std::printf(
            "  %-13s %zu: min %.3f, mean %.3f, max %.3f ms\n",
            "round trips",
            times.size(),
            *low,
            sum / static_cast<double>(times.size()),
            *high
        );
    }
    for (const std::string& line : advice_for(client, target)) {
        print_line("advice", line);
    }
}

void print_json(const Client& client, const Target& target, const std::vector<double>& times) {
    const Session& session = client.session();
    const Opening& opening = client.opening();
    const boost::json::object object{
        {"url", target.url.text()},
        {"server", session.server},
        {"version", to_string(session.version)},
        {"sub_protocol", opening.sub_protocol},
        {"session", session.id},
        {"user", session.user},
        {"send_every_ms", session.send_every.count()},
        {"hear_every_ms", session.hear_every.count()},
        {"tls", opening.tls},
        {"certificate", opening.certificate},
        {"tcp_ms", milliseconds(opening.tcp_time)},
        {"tls_ms", milliseconds(opening.tls_time)},
        {"upgrade_ms", milliseconds(opening.upgrade_time)},
        {"stomp_ms", milliseconds(session.log_in_time)},
        {"round_trips_ms", boost::json::value_from(times)},
        {"advice", boost::json::value_from(advice_for(client, target))}};
    std::puts(boost::json::serialize(object).c_str());
}

int ping(const PingOptions& options) {
    const Target target = make_target(options.target);
    Client client(target);
    const std::vector<double> times = round_trips(client, options, target);
    client.disconnect();
    (options.as_json ? print_json : print_text)(client, target, times);
    return to_int(ExitCode::ok);
}

}  // namespace

void add_ping(CLI::App& app, Action& action) {
    CLI::App* const command =
        app.add_subcommand("ping", "Connect, measure round trips, tell what was negotiated");
    const auto options = std::make_shared<PingOptions>();
    set_help(
        *command,
        "",
        {"stampede ping", "stampede ping wss://broker.example/ws --user alice --pass-file pass"}
    );
    command->add_option("URL", options->target.url, "ws://, wss://, stomp:// or stomps:// URL")
        ->envname("STAMPEDE_URL")
        ->capture_default_str();
    command->add_option("-c,--count", options->count, "Number of round trips")
        ->capture_default_str();
    command->add_flag("--json", options->as_json, "As JSON");
    add_login_options(*command, options->target);
    command->callback([&action, options] { action = [options] { return ping(*options); }; });
}

}  // namespace cli
