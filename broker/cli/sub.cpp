// `stampede sub`: MESSAGE frames become lines of text or JSON.
// Ends after a number of messages, after a time without any, or at an interrupt.
#include "broker/cli/client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/message_printer.hpp"
#include "broker/cli/printable.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace cli {
namespace {

struct SubOptions {
    TargetFlags target;
    std::vector<std::string> destinations;
    std::vector<std::string> headers;
    std::uint64_t count = 0;
    std::optional<double> wait_ms;
    std::string ack;      ///< Empty: see ack_mode().
    std::string durable;  ///< Name of the subscription; empty: it ends with us.
    PrintOptions print;
    bool quiet = false;
};

class Subscriber {
public:
    Subscriber(Client& client, const SubOptions& options)
        : client_(client), options_(options), printer_(options.print) {}

    void subscribe() {
        const OwnedHeaders own = parse_headers(options_.headers);
        const std::string window = window_for(own);
        ack_ = ack_mode();
        for (std::size_t n = 0; n < options_.destinations.size(); ++n) {
            const std::string id =
                options_.durable.empty() ? "sub-" + std::to_string(n) : options_.durable;
            std::vector<protocol::Header> headers{
                {"id", id},
                {"destination", options_.destinations[n]},
                {"ack", ack_},
                {"receipt", id}};
            if (!options_.durable.empty()) { headers.push_back({"durable", "true"}); }
            if (!window.empty()) { headers.push_back({"prefetch-count", window}); }
            append_views(headers, own);
            client_.send(protocol::Command::subscribe, headers);
        }
        unconfirmed_ = options_.destinations.size();
    }

    /// Returns the exit code.
    ExitCode run() {
        last_ = Clock::now();
        while (!is_done()) {
            const protocol::Frame* frame = client_.receive(Clock::now());
            if (frame == nullptr) {
                is_open_ = printer_.flush();
                if (is_open_) { frame = client_.receive(deadline()); }
            }
            if (frame != nullptr) {
                take(*frame);
            } else if (client_.is_interrupted() || Clock::now() >= deadline()) {
                break;
            }
        }
        is_open_ = printer_.flush() && is_open_;
        client_.disconnect();
        return is_enough() ? ExitCode::ok : ExitCode::timeout;
    }

private:
    /// With a count, what came beyond it is given back: it is never acknowledged.
    [[nodiscard]] std::string_view ack_mode() const {
        if (!options_.ack.empty()) { return options_.ack; }
        if (options_.count == 0) { return "auto"; }
        // STOMP 1.0 has no other mode; all are acknowledged in order, so that it is the same.
        const bool is_old = client_.session().version == protocol::Version::v1_0;
        return is_old ? "client" : "client-individual";
    }

    /// A `prefetch-count` that asks for no more than is wanted; empty: the broker's own.
    [[nodiscard]] std::string window_for(const OwnedHeaders& own) const {
        constexpr std::uint64_t window_max = 65'535;
        const bool is_asked_for = std::ranges::any_of(own, [](const OwnedHeader& header) {
            return header.name == "prefetch-count" || header.name == "activemq.prefetchSize" ||
                   header.name == "credit";
        });
        const bool is_ours = options_.ack.empty() && options_.count != 0 && !is_asked_for;
        return is_ours && options_.count <= window_max ? std::to_string(options_.count) : "";
    }

    [[nodiscard]] bool is_done() const {
        return !is_open_ || (options_.count != 0 && received_ == options_.count);
    }

    [[nodiscard]] bool is_enough() const {
        if (!is_open_ || (client_.is_interrupted() && options_.count == 0)) { return true; }
        return received_ != 0 && received_ >= options_.count;
    }

    [[nodiscard]] Clock::time_point deadline() const {
        if (!options_.wait_ms) { return Clock::time_point::max(); }
        return last_ + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double, std::milli>(*options_.wait_ms)
                       );
    }

    void take(const protocol::Frame& frame) {
        if (frame.command == protocol::Command::receipt) { return confirm(); }
        if (frame.command != protocol::Command::message) { return; }
        last_ = Clock::now();
        ++received_;
        is_open_ = printer_.print(frame);
        if (ack_ == "auto") { return; }
        // Acknowledged means: handed to whoever reads our output.
        is_open_ = is_open_ && printer_.flush();
        if (is_open_) { acknowledge(frame); }
    }

    void confirm() {
        if (unconfirmed_ == 0 || --unconfirmed_ != 0) { return; }
        last_ = Clock::now();
        if (!options_.quiet) { std::fprintf(stderr, "subscribed\n"); }
    }

    void acknowledge(const protocol::Frame& message) {
        const std::string_view id = message.find("message-id").value_or("");
        switch (client_.session().version) {
            case protocol::Version::v1_2:
                // What a browser is shown has none.
                if (const auto ack = message.find("ack")) {
                    client_.send(protocol::Command::ack, {{"id", *ack}});
                }
                break;
            case protocol::Version::v1_1:
                client_.send(
                    protocol::Command::ack,
                    {{"message-id", id},
                     {"subscription", message.find("subscription").value_or("")}}
                );
                break;
            case protocol::Version::v1_0:
                client_.send(protocol::Command::ack, {{"message-id", id}});
                break;
        }
    }

    Client& client_;
    const SubOptions& options_;
    MessagePrinter printer_;
    std::string_view ack_;
    std::size_t unconfirmed_ = 0;
    std::uint64_t received_ = 0;
    bool is_open_ = true;  ///< stdout takes more.
    Clock::time_point last_;
};

int sub(const SubOptions& options) {
    if (!options.durable.empty() && options.destinations.size() != 1) {
        throw Failure(ExitCode::usage, "--durable NAME is for one destination: a name each");
    }
    Client client(make_target(options.target));
    Subscriber subscriber(client, options);
    subscriber.subscribe();
    return to_int(subscriber.run());
}

}  // namespace

void add_sub(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("sub", "Subscribe and print messages");
    const auto options = std::make_shared<SubOptions>();
    SubOptions& o = *options;
    set_help(
        *command,
        std::string(format_help()) +
            "\nWith --count each message is acknowledged once it is printed; what was sent beyond "
            "it is given\nback. With --ack auto, the default without --count, what was sent and is "
            "not printed at the\nend is lost for a queue.",
        {"stampede sub '/topic/chat.**' --format '%t %d %b\\n'",
         "stampede sub /queue/work -n 1 --json",
         "stampede sub /topic/news --durable archive --wait 5s"}
    );
    command
        ->add_option("DEST", o.destinations, "Destinations, e.g. /topic/news or '/topic/chat.**'")
        ->required();
    command->add_option("-n,--count", o.count, "End after that many messages");
    takes_duration(
        command->add_option("-w,--wait", o.wait_ms, "End after that time without a message")
    );
    command
        ->add_option(
            "--ack",
            o.ack,
            "How messages are acknowledged (default: client-individual with --count, else auto)"
        )
        ->check(CLI::IsMember({"auto", "client", "client-individual"}));
    command->add_option("-H,--header", o.headers, "name:value for SUBSCRIBE, repeatable")
        ->allow_extra_args(false);
    command->add_option(
        "--durable", o.durable, "Subscription that the broker keeps under this name meanwhile"
    );
    add_print_options(*command, o.print);
    command->add_flag("-q,--quiet", o.quiet, "Do not say when the subscription is active");
    add_target_options(*command, o.target);
    command->callback([&action, options] { action = [options] { return sub(*options); }; });
}

}  // namespace cli
