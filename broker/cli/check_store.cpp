// `stampede check-store`: what is in a store that nobody uses, whether it is sound, its messages.
// Reads every record; changes nothing but with --set-aside.
#include "broker/cli/commands.hpp"
#include "broker/cli/dump.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "protocol/destination.hpp"
#include "storage/check.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace cli {
namespace {

struct CheckOptions {
    std::string directory;
    std::string dump;
    bool sets_aside = false;
    bool as_json = false;
};

// Beside the store itself, so that it is found and comes along with a copy.
std::string set_aside_file(const CheckOptions& options) {
    return options.directory + "/set-aside";
}

std::string text_of(const storage::Fault& fault) {
    std::string text = fault.queue.empty() ? "the store" : fault.queue;
    if (fault.sequence != 0) { text += ", message " + std::to_string(fault.sequence); }
    return text + ": " + fault.what;
}

boost::json::array json_of(const std::vector<storage::Fault>& faults) {
    boost::json::array array;
    for (const storage::Fault& fault : faults) {
        array.push_back(boost::json::object{
            {"queue", fault.queue}, {"sequence", fault.sequence}, {"what", fault.what}});
    }
    return array;
}

boost::json::array json_of(const std::vector<storage::RecoveredQueue>& queues) {
    boost::json::array array;
    for (const storage::RecoveredQueue& queue : queues) {
        array.push_back(boost::json::object{
            {"name", queue.definition.name},
            {"messages", queue.messages},
            {"bytes", queue.bytes},
            {"first", queue.first},
            {"last", queue.last}});
    }
    return array;
}

using Faults = std::vector<storage::Fault>;

void print_json(
    const CheckOptions& options, const storage::CheckReport& report, const Faults& aside
) {
    boost::json::object object{
        {"directory", options.directory},
        {"sound", report.is_sound()},
        {"clean_stop", report.was_clean},
        {"commits", report.groups},
        {"messages", report.messages},
        {"bytes", report.bytes},
        {"queues", json_of(report.queues)},
        {"faults", json_of(report.faults)}};
    if (options.sets_aside) { object["set_aside"] = json_of(aside); }
    std::puts(boost::json::serialize(object).c_str());
}

void print_text(
    const CheckOptions& options, const storage::CheckReport& report, const Faults& aside
) {
    for (const storage::Fault& fault : aside) {
        std::printf("set aside: %s\n", text_of(fault).c_str());
    }
    if (!aside.empty()) {
        std::printf("their records are in %s\n", set_aside_file(options).c_str());
    }
    for (const storage::RecoveredQueue& queue : report.queues) {
        std::printf(
            "%s: %llu messages, %llu octets\n",
            queue.definition.name.c_str(),
            static_cast<unsigned long long>(queue.messages),
            static_cast<unsigned long long>(queue.bytes)
        );
    }
    for (const storage::Fault& fault : report.faults) {
        std::printf("fault: %s\n", text_of(fault).c_str());
    }
    std::printf(
        "%s is %s: %llu sound messages, %llu octets, %zu queues, %zu faults; %s\n",
        options.directory.c_str(),
        report.is_sound() ? "sound" : "DAMAGED",
        static_cast<unsigned long long>(report.messages),
        static_cast<unsigned long long>(report.bytes),
        report.queues.size(),
        report.faults.size(),
        report.was_clean ? "stopped cleanly" : "not stopped cleanly, which is no fault"
    );
}

int check(const CheckOptions& options) {
    Faults aside;
    if (options.sets_aside) {
        aside = storage::set_aside(options.directory, set_aside_file(options));
    }
    const storage::CheckReport report = storage::check(options.directory);
    if (options.as_json) {
        print_json(options, report, aside);
    } else {
        print_text(options, report, aside);
    }
    return to_int(report.is_sound() ? ExitCode::ok : ExitCode::damaged);
}

// Queues have one name in the store, whatever clients call them.
std::string stored_name(const std::string& name) {
    const auto destination = protocol::parse_destination(name, protocol::Limits());
    const bool is_queue = destination && destination->kind == protocol::DestinationKind::queue;
    return is_queue ? destination->canonical() : name;
}

int dump(const CheckOptions& options) {
    bool is_sound = true;
    storage::for_each_message(
        options.directory,
        stored_name(options.dump),
        [&is_sound](const storage::StoredMessage& message) {
            is_sound = is_sound && !message.is_damaged;
            const DumpedMessage dumped{
                message.sequence, message.deliveries, message.octets, message.is_damaged};
            std::puts(to_json(dumped).c_str());
        }
    );
    return to_int(is_sound ? ExitCode::ok : ExitCode::damaged);
}

int look_at_store(const CheckOptions& options) {
    try {
        return options.dump.empty() ? check(options) : dump(options);
    } catch (const storage::StoreError& error) {
        throw Failure(error.is_damage() ? ExitCode::damaged : ExitCode::failure, error.what());
    }
}

}  // namespace

void add_check_store(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand(
        "check-store", "Verify a store that no broker uses; exits 0, 6 if damaged, 1 if not checked"
    );
    const auto options = std::make_shared<CheckOptions>();
    set_help(
        *command,
        "",
        {"stampede check-store /var/lib/stampede",
         "stampede check-store /var/lib/stampede --dump /queue/work"}
    );
    command->add_option("DIR", options->directory, "Directory of the store")
        ->required()
        ->type_name("DIR");
    command->add_flag("--json", options->as_json, "As JSON");
    auto* const dump = command->add_option(
        "--dump", options->dump, "Print the messages of this queue instead, a JSON object per line"
    );
    command
        ->add_flag(
            "--set-aside",
            options->sets_aside,
            "Take damaged messages out of their queues, into the file DIR/set-aside"
        )
        ->excludes(dump);
    command->callback([&action, options] { action = [options] { return look_at_store(*options); }; }
    );
}

}  // namespace cli
