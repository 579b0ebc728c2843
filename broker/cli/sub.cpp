// `stampede sub`: MESSAGE frames become lines of text or JSON.
// Ends after a number of messages, after a time without any, or at an interrupt.
#include "broker/cli/client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/format.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cli {
namespace {

struct SubOptions {
    TargetFlags target;
    std::vector<std::string> destinations;
    std::vector<std::string> headers;
    std::uint64_t count = 0;
    std::optional<double> wait_ms;
    std::string ack = "auto";
    std::string format = "%b\\n";
    bool as_json = false;
    bool raw = false;
    bool headers_only = false;
    bool quiet = false;
};

/// RFC 3339 in UTC with microseconds.
std::string wall_time() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    const std::time_t seconds = micros / 1'000'000;
    std::tm date{};
    ::gmtime_r(&seconds, &date);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &date);
    std::array<char, 16> rest{};
    std::snprintf(rest.data(), rest.size(), ".%06dZ", static_cast<int>(micros % 1'000'000));
    return std::string(text.data(), size) + rest.data();
}

std::string headers_text(const protocol::Frame& frame) {
    std::string text;
    for (const protocol::Header& header : frame.headers) {
        text.append(header.name).append(":").append(header.value).append("\n");
    }
    return text + '\n';
}

/// Writes messages to stdout in the form that the options ask for.
class Printer {
public:
    explicit Printer(const SubOptions& options)
        : options_(options), format_(options.raw ? "%b" : options.format) {}

    /// False if stdout takes no more, as when a reader such as head(1) has ended.
    [[nodiscard]] bool print(const protocol::Frame& message) {
        text_.clear();
        if (options_.as_json) {
            text_ = to_json(message, !options_.headers_only) + '\n';
        } else if (options_.headers_only) {
            text_ = headers_text(message);
        } else {
            format_.append(text_, message, wall_time());
        }
        return std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size();
    }

    [[nodiscard]] bool flush() { return std::fflush(stdout) == 0; }

private:
    const SubOptions& options_;
    const MessageFormat format_;
    std::string text_;
};

class Subscriber {
public:
    Subscriber(Client& client, const SubOptions& options)
        : client_(client), options_(options), printer_(options) {}

    void subscribe() {
        const OwnedHeaders own = parse_headers(options_.headers);
        for (std::size_t n = 0; n < options_.destinations.size(); ++n) {
            const std::string id = "sub-" + std::to_string(n);
            std::vector<protocol::Header> headers{
                {"id", id},
                {"destination", options_.destinations[n]},
                {"ack", options_.ack},
                {"receipt", id}};
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
        if (options_.ack == "auto") { return; }
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
                client_.send(protocol::Command::ack, {{"id", message.find("ack").value_or(id)}});
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
    Printer printer_;
    std::size_t unconfirmed_ = 0;
    std::uint64_t received_ = 0;
    bool is_open_ = true;  ///< stdout takes more.
    Clock::time_point last_;
};

int sub(const SubOptions& options) {
    Client client(make_target(options.target));
    Subscriber subscriber(client, options);
    subscriber.subscribe();
    return to_int(subscriber.run());
}

constexpr const char* format_help =
    "Formats: %d destination, %b body, %i message-id, %s subscription, %h all headers, %{name} "
    "one\n"
    "header, %l length of the body, %t time of receipt, %%; \\n \\t \\0 \\\\.\n"
    "With --ack auto the broker may have sent messages beyond --count: they are lost for a queue.";

}  // namespace

void add_sub(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("sub", "Subscribe and print messages");
    const auto options = std::make_shared<SubOptions>();
    SubOptions& o = *options;
    command->footer(format_help);
    command
        ->add_option("DEST", o.destinations, "Destinations, e.g. /topic/news or '/topic/chat.**'")
        ->required();
    command->add_option("-n,--count", o.count, "End after that many messages");
    takes_duration(
        command->add_option("-w,--wait", o.wait_ms, "End after that time without a message")
    );
    command->add_option("--ack", o.ack, "auto, client or client-individual")
        ->check(CLI::IsMember({"auto", "client", "client-individual"}))
        ->capture_default_str();
    command->add_option("-H,--header", o.headers, "name:value for SUBSCRIBE, repeatable")
        ->allow_extra_args(false);
    auto* const format =
        command->add_option("--format", o.format, "How to print a message")->capture_default_str();
    auto* const json =
        command->add_flag("--json", o.as_json, "Print each message as a line of JSON");
    auto* const raw = command->add_flag("--raw", o.raw, "Print bodies only, nothing between them");
    auto* const only = command->add_flag("--headers-only", o.headers_only, "Print no bodies");
    format->excludes(json)->excludes(raw)->excludes(only);
    raw->excludes(json)->excludes(only);
    command->add_flag("-q,--quiet", o.quiet, "Do not say when the subscription is active");
    add_target_options(*command, o.target);
    command->callback([&action, options] { action = [options] { return sub(*options); }; });
}

}  // namespace cli
