// `stampede bench`: options of each pattern, and the report as a table or JSON.
// Rates mean little without the machine they were measured on: the report names it.
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/load.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <unistd.h>

namespace cli {
namespace {

struct BenchOptions {
    LoadOptions load;
    std::string name;
    double duration_ms = 0;       ///< 0: `--seconds` counts.
    std::string persistent = {};  ///< `true`, `false` or not said.
    bool as_json = false;
    bool as_csv = false;
};

/// Name and value of each line of the report; values are numbers or text.
using Rows = boost::json::object;

/// Four digits; whole numbers as such, so that JSON is not full of 1.0E3.
boost::json::value rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value >= 1000 ? "%.0f" : "%.4g", value);
    const double short_value = std::strtod(text, nullptr);
    const bool is_whole = short_value == std::floor(short_value) && std::abs(short_value) < 1e15;
    if (is_whole) { return static_cast<std::int64_t>(short_value); }
    return short_value;
}

boost::json::value share(double part, double whole) {
    return rounded(whole > 0 ? part / whole : 0);
}

void add_latency(Rows& rows, const std::string& name, const Histogram& histogram) {
    if (histogram.count() == 0) { return; }
    const auto micros = [](std::uint64_t ns) { return rounded(static_cast<double>(ns) / 1000); };
    rows[name + "_p50_us"] = micros(histogram.quantile(0.5));
    rows[name + "_p99_us"] = micros(histogram.quantile(0.99));
    rows[name + "_p999_us"] = micros(histogram.quantile(0.999));
    rows[name + "_max_us"] = micros(histogram.max());
}

void add_load(Rows& rows, const LoadOptions& options) {
    rows["publishers"] = options.publishers;
    rows["subscribers"] =
        options.pattern == LoadPattern::pairs ? options.publishers : options.subscribers;
    rows["size"] = options.body_size;
    if (options.rate > 0) {
        rows["rate"] = rounded(options.rate);
    } else if (options.publishers != 0 && options.subscribers != 0) {
        rows["window"] = options.window;
    }
}

void add_messages(
    Rows& rows, const LoadOptions& options, const LoadReport& report, const Tally& tally
) {
    const auto published = static_cast<double>(report.published);
    const auto delivered = static_cast<double>(report.delivered);
    if (options.publishers != 0) { rows["published_per_s"] = share(published, report.seconds); }
    if (options.subscribers != 0) { rows["deliveries_per_s"] = share(delivered, report.seconds); }
    rows["received_mb_per_s"] = share(static_cast<double>(report.bytes_in) / 1e6, report.seconds);
    add_latency(rows, "latency", tally.latency);
    if (options.receipt_every != 0) {
        rows["receipts_per_s"] = share(static_cast<double>(report.receipts), report.seconds);
        add_latency(rows, "receipt", tally.receipt_latency);
    }
    const double messages = options.subscribers == 0 ? published : delivered;
    if (!options.pids.empty()) {
        rows["broker_cpu_percent"] = share(report.broker_cpu_seconds * 100, report.seconds);
        rows["broker_cpu_s_per_million"] = share(report.broker_cpu_seconds * 1e6, messages);
    }
    rows["own_cpu_s_per_million"] = share(report.own_cpu_seconds * 1e6, messages);
    rows["missing"] = report.missing;
    rows["misplaced"] = report.misplaced;
    rows["stalls"] = report.stalls;
}

void add_connections(
    Rows& rows, const LoadOptions& options, const LoadReport& report, const Tally& tally
) {
    const auto connected = static_cast<double>(report.connected);
    rows["connected"] = report.connected;
    rows["connections_per_s"] = share(connected, report.setup_seconds);
    add_latency(rows, "connect", tally.connect_latency);
    if (options.pids.empty()) { return; }
    rows["broker_cpu_ms_per_1000_connects"] = share(report.setup_cpu_seconds * 1e6, connected);
    if (options.pattern != LoadPattern::idle) { return; }
    const double grown =
        static_cast<double>(report.resident_after) - static_cast<double>(report.resident_before);
    rows["broker_resident_mb"] = rounded(static_cast<double>(report.resident_after) / 1e6);
    rows["resident_bytes_per_connection"] = share(grown, connected);
    rows["broker_idle_cpu_percent"] = share(report.broker_cpu_seconds * 100, report.seconds);
}

Rows rows_of(const BenchOptions& options, const LoadReport& report, const Tally& tally) {
    const bool has_messages =
        options.load.pattern != LoadPattern::idle && options.load.pattern != LoadPattern::connect;
    Rows rows;
    rows["bench"] = options.name;
    rows["url"] = parse_url(options.load.target.url).text();
    rows["machine"] = machine_text();
    rows["seed"] = options.load.seed;
    if (has_messages) {
        add_load(rows, options.load);
        rows["seconds"] = rounded(report.seconds);
        add_messages(rows, options.load, report, tally);
    } else {
        add_connections(rows, options.load, report, tally);
    }
    rows["failed_connections"] = report.failed;
    rows["lost_connections"] = report.lost_connections;
    rows["error_frames"] = report.errors;
    if (!report.first_error.empty()) { rows["first_error"] = report.first_error; }
    return rows;
}

std::string text_of(const boost::json::value& value) {
    if (value.is_string()) { return std::string(value.as_string()); }
    if (!value.is_double()) { return boost::json::serialize(value); }
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value.as_double());
    return text;
}

/// RFC 4180: a field with a comma, a quote or a line end is in quotes.
std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) { return text; }
    std::string field = "\"";
    for (const char c : text) {
        field.append(c == '"' ? 2 : 1, c);
    }
    return field + '"';
}

void print_csv(const Rows& rows) {
    std::string names;
    std::string values;
    for (const auto& row : rows) {
        const char* const separator = names.empty() ? "" : ",";
        names.append(separator).append(csv_field(std::string(row.key())));
        values.append(separator).append(csv_field(text_of(row.value())));
    }
    std::printf("%s\n%s\n", names.c_str(), values.c_str());
}

void print_text(const Rows& rows) {
    for (const auto& row : rows) {
        std::printf(
            "%-32.*s %s\n",
            static_cast<int>(row.key().size()),
            row.key().data(),
            text_of(row.value()).c_str()
        );
    }
}

ExitCode verdict(const LoadOptions& options, const LoadReport& report) {
    if (report.failed != 0 || report.lost_connections != 0 || report.errors != 0) {
        return ExitCode::failure;
    }
    const bool expects_messages = options.pattern != LoadPattern::idle &&
                                  options.pattern != LoadPattern::connect &&
                                  options.subscribers != 0;
    return expects_messages && report.delivered == 0 ? ExitCode::timeout : ExitCode::ok;
}

void print(const Rows& rows, const BenchOptions& options) {
    if (options.as_json) {
        std::puts(boost::json::serialize(rows).c_str());
    } else if (options.as_csv) {
        print_csv(rows);
    } else {
        print_text(rows);
    }
}

int bench(BenchOptions options) {
    const bool is_for_scripts = options.as_json || options.as_csv;
    options.load.shows_progress = !is_for_scripts && ::isatty(STDERR_FILENO) != 0;
    if (options.duration_ms > 0) { options.load.seconds = options.duration_ms / 1000; }
    if (!options.persistent.empty()) {
        options.load.send_headers.push_back("persistent:" + options.persistent);
    }
    Load load(options.load);
    const LoadReport report = load.run();
    print(rows_of(options, report, load.tally()), options);
    return to_int(verdict(options.load, report));
}

// ---- Options.

const auto at_least_one = CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40U);
const auto up_to_publishers = CLI::Range(std::size_t{1}, std::size_t{1} << Stamp::publisher_bits);

void add_common(CLI::App& command, BenchOptions& options) {
    add_target_options(command, options.load.target);
    command.add_option("--in-flight", options.load.in_flight, "Connections being set up at a time")
        ->check(at_least_one)
        ->capture_default_str();
    command
        .add_option(
            "--pid", options.load.pids, "Process of the broker, for CPU and memory; repeatable"
        )
        ->allow_extra_args(false);
    command.add_option("--seed", options.load.seed, "Of the masks of WebSocket frames")
        ->capture_default_str();
    auto* const json = command.add_flag("--json", options.as_json, "Print the report as JSON");
    command.add_flag("--csv", options.as_csv, "Print the report as two lines of CSV")
        ->excludes(json);
}

void add_duration(CLI::App& command, BenchOptions& options, const char* help) {
    auto* const seconds =
        command.add_option("--seconds", options.load.seconds, help)->capture_default_str();
    takes_duration(command.add_option("-d,--duration", options.duration_ms, "The same as a time"))
        ->excludes(seconds);
}

void add_traffic(CLI::App& command, BenchOptions& options) {
    LoadOptions& load = options.load;
    command.add_option("--dest", load.destination, "Destination (default: a new one)");
    command.add_option("--size", load.body_size, "Octets of a body")
        ->check(CLI::Range(Stamp::size, std::size_t{16} << 20U))
        ->capture_default_str();
    add_duration(command, options, "How long to measure");
    command.add_option("--warmup", load.warmup, "Seconds before that")->capture_default_str();
    command.add_option("-m,--msgs", load.messages, "End after that many measured messages");
}

void add_publishing(CLI::App& command, BenchOptions& options) {
    LoadOptions& load = options.load;
    add_traffic(command, options);
    command.add_option("--persistent", options.persistent, "The messages' persistent header")
        ->check(CLI::IsMember({"true", "false"}));
    command.add_option("--window", load.window, "Messages published and not yet delivered")
        ->check(at_least_one)
        ->capture_default_str();
    command.add_option("--rate", load.rate, "Messages a second in all, instead of a window");
    command.add_option("--receipt-every", load.receipt_every, "Ask for a receipt every N messages");
    command
        .add_option("--receipt-window", load.receipt_window, "Receipts outstanding per publisher")
        ->check(at_least_one)
        ->capture_default_str();
    command.add_option("-H,--header", load.send_headers, "name:value for SEND, repeatable")
        ->allow_extra_args(false);
}

void add_subscribing(CLI::App& command, LoadOptions& load) {
    static const std::map<std::string, LoadAck> modes{
        {"auto", LoadAck::automatic},
        {"client", LoadAck::each_batch},
        {"client-individual", LoadAck::each_message}};
    command.add_option("--ack", load.ack, "auto, client or client-individual")
        ->transform(CLI::CheckedTransformer(modes));
    command
        .add_option("--sub-header", load.subscribe_headers, "name:value for SUBSCRIBE, repeatable")
        ->allow_extra_args(false);
}

/// One pattern as a sub-command of bench.
struct Pattern {
    const char* name;
    const char* help;
    LoadPattern pattern;
    std::size_t publishers;
    std::size_t subscribers;
    std::uint64_t window;
    const char* example;
};

constexpr Pattern patterns[] = {
    {"fanout",
     "Publishers to a topic, every subscriber gets all",
     LoadPattern::fanout,
     1,
     10,
     256,
     "stampede bench fanout --subs 100 --size 512 --duration 10s"},
    {"pairs",
     "Publishers with a topic and a subscriber each",
     LoadPattern::pairs,
     10,
     10,
     64,
     "stampede bench pairs --pairs 50 --rate 10000 --csv"},
    {"queue",
     "Publishers and consumers of one queue",
     LoadPattern::queue,
     1,
     1,
     1000,
     "stampede bench queue --ack client-individual --persistent true --msgs 100000"},
    {"pub",
     "Publish only, as fast as the broker reads or confirms",
     LoadPattern::fanout,
     1,
     0,
     256,
     "stampede bench pub --clients 4 --receipt-every 1"},
    {"sub",
     "Count what others publish (with this command)",
     LoadPattern::fanout,
     0,
     1,
     256,
     "stampede bench sub --dest /topic/load --clients 10 --duration 30s"},
    {"idle",
     "Hold subscribed connections that get nothing",
     LoadPattern::idle,
     0,
     0,
     0,
     "stampede bench idle --conns 10000 --duration 1m"},
    {"connect",
     "Connect, log in, close, again and again",
     LoadPattern::connect,
     0,
     0,
     0,
     "stampede bench connect --conns 20000 --in-flight 200"},
};

void add_numbers(CLI::App& command, const Pattern& pattern, LoadOptions& load) {
    if (pattern.pattern == LoadPattern::pairs) {
        command.add_option("--pairs,--clients", load.publishers, "Publishers and subscribers")
            ->check(up_to_publishers)
            ->capture_default_str();
        return;
    }
    if (pattern.publishers != 0) {
        command
            .add_option(
                pattern.subscribers == 0 ? "--pubs,--clients" : "--pubs",
                load.publishers,
                "Publishers"
            )
            ->check(up_to_publishers)
            ->capture_default_str();
    }
    if (pattern.subscribers != 0) {
        command.add_option("--subs,--clients", load.subscribers, "Subscribers")
            ->capture_default_str();
    }
}

void add_connection_numbers(CLI::App& command, const Pattern& pattern, BenchOptions& options) {
    LoadOptions& load = options.load;
    command.add_option("--conns,--clients", load.connections, "Connections")
        ->check(at_least_one)
        ->capture_default_str();
    command.add_option(
        "--sources", load.sources, "Use that many local addresses from 127.0.0.2 up"
    );
    if (pattern.pattern != LoadPattern::idle) { return; }
    command.add_flag("--shared-topic", load.shared_topic, "One topic for all, not one each");
    add_duration(command, options, "How long to hold them");
}

void add_pattern(CLI::App& bench_command, const Pattern& pattern, Action& action) {
    CLI::App* const command = bench_command.add_subcommand(pattern.name, pattern.help);
    const auto options = std::make_shared<BenchOptions>();
    LoadOptions& load = options->load;
    options->name = pattern.name;
    set_help(*command, "", {pattern.example});
    load.pattern = pattern.pattern;
    load.publishers = pattern.publishers;
    load.subscribers = pattern.subscribers;
    load.window = pattern.window;
    add_numbers(*command, pattern, load);
    if (pattern.window == 0) {
        add_connection_numbers(*command, pattern, *options);
    } else if (pattern.publishers == 0) {
        add_traffic(*command, *options);
        command->get_option("--dest")->required();
    } else {
        add_publishing(*command, *options);
    }
    if (pattern.subscribers != 0) { add_subscribing(*command, load); }
    add_common(*command, *options);
    command->callback([&action, options] { action = [options] { return bench(*options); }; });
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("bench", "Measure a broker");
    command->require_subcommand(1);
    set_help(*command, "", {"stampede bench fanout --subs 100", "stampede bench queue --json"});
    for (const Pattern& pattern : patterns) {
        add_pattern(*command, pattern, action);
    }
}

}  // namespace cli
