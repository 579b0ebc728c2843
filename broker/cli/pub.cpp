// `stampede pub`: bodies from an argument, a file or stdin become SEND frames.
// Receipts are awaited in a window, so that confirmed publishing is as fast as the broker confirms.
#include "broker/cli/client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/input.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace cli {
namespace {

constexpr std::uint64_t receipt_window = 1000;
constexpr std::uint64_t look_every = 256;  // SENDs between looks for an ERROR.

struct PubOptions {
    TargetFlags target;
    std::string destination;
    std::optional<std::string> body;
    std::string file;
    std::vector<std::string> headers;
    std::uint64_t count = 1;
    double interval_ms = 0;
    std::uint64_t transaction_size = 0;
    std::string dedup_id;
    bool lines = false;
    bool receipts = false;
    bool as_json = false;
    bool quiet = false;
};

/// Sends messages of one destination, with the receipts and transactions that the options ask for.
class Publisher {
public:
    Publisher(Client& client, const PubOptions& options)
        : client_(client), options_(options), own_headers_(parse_headers(options.headers)) {}

    /// Returns when the message is in the output and the window has room.
    void publish(std::string_view body) {
        pause();
        if (options_.transaction_size != 0 && in_transaction_ == 0) { begin(); }
        send(body);
        ++sent_;
        if (options_.transaction_size != 0 && ++in_transaction_ == options_.transaction_size) {
            commit();
        }
        look();
    }

    /// Takes what has come from the broker without waiting.
    void take_arrived() {
        while (const protocol::Frame* const frame = client_.receive(Clock::now())) {
            take(*frame);
        }
    }

    /// Commits, waits for all receipts and ends the session.
    void finish() {
        if (in_transaction_ != 0) { commit(); }
        while (outstanding_ != 0) {
            take_one();
        }
        client_.disconnect();
    }

    [[nodiscard]] std::uint64_t sent() const { return sent_; }

    [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }

private:
    void pause() {
        if (options_.interval_ms <= 0 || sent_ == 0) { return; }
        client_.flush();
        next_ += std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double, std::milli>(options_.interval_ms)
        );
        while (const protocol::Frame* const frame = client_.receive(next_)) {
            take(*frame);
        }
    }

    void begin() {
        transaction_ = "tx-" + std::to_string(++transactions_);
        client_.send(protocol::Command::begin, {{"transaction", transaction_}});
    }

    void commit() {
        std::vector<protocol::Header> headers{{"transaction", transaction_}};
        if (options_.receipts) { add_receipt(headers, in_transaction_); }
        client_.send(protocol::Command::commit, headers);
        in_transaction_ = 0;
    }

    void send(std::string_view body) {
        std::vector<protocol::Header> headers{{"destination", options_.destination}};
        append_views(headers, own_headers_);
        if (options_.transaction_size != 0) {
            headers.push_back({"transaction", transaction_});
        } else if (options_.receipts) {
            add_receipt(headers, 1);
        }
        if (!options_.dedup_id.empty()) { add_dedup_id(headers); }
        client_.send(protocol::Command::send, headers, body);
    }

    // The id is the number of messages that its RECEIPT confirms, then a serial number.
    void add_receipt(std::vector<protocol::Header>& headers, std::uint64_t messages) {
        receipt_ = std::to_string(messages) + '-' + std::to_string(++receipts_);
        headers.push_back({"receipt", receipt_});
        ++outstanding_;
    }

    // Of several messages each has its own, the same again whenever the command is repeated.
    void add_dedup_id(std::vector<protocol::Header>& headers) {
        dedup_id_ = options_.dedup_id;
        if (options_.lines || options_.count > 1) { dedup_id_ += '-' + std::to_string(sent_ + 1); }
        headers.push_back({"dedup-id", dedup_id_});
    }

    void look() {
        if (outstanding_ >= receipt_window) { take_one(); }
        if (sent_ % look_every == 0) { take_arrived(); }
    }

    void take_one() {
        const auto wait = std::chrono::milliseconds(static_cast<long>(options_.target.timeout_ms));
        const protocol::Frame* const frame = client_.receive(Clock::now() + wait);
        if (frame != nullptr) { return take(*frame); }
        if (client_.is_interrupted()) { throw Failure(ExitCode::failure, "interrupted"); }
        throw Failure(
            ExitCode::timeout,
            "no receipt within " + std::to_string(wait.count()) + " ms: " +
                std::to_string(confirmed_) + " of " + std::to_string(sent_) + " messages confirmed"
        );
    }

    void take(const protocol::Frame& frame) {
        if (frame.command != protocol::Command::receipt || outstanding_ == 0) { return; }
        --outstanding_;
        confirmed_ +=
            std::strtoull(std::string(frame.find("receipt-id").value_or("")).c_str(), nullptr, 10);
    }

    Client& client_;
    const PubOptions& options_;
    const OwnedHeaders own_headers_;
    std::string transaction_;
    std::string receipt_;
    std::string dedup_id_;
    std::uint64_t transactions_ = 0;
    std::uint64_t receipts_ = 0;
    std::uint64_t in_transaction_ = 0;
    std::uint64_t outstanding_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t confirmed_ = 0;
    Clock::time_point next_ = Clock::now();
};

void publish_lines(Client& client, Publisher& publisher) {
    LineReader reader(STDIN_FILENO);
    while (!client.is_interrupted()) {
        if (const auto line = reader.take()) {
            publisher.publish(*line);
        } else if (reader.is_ended()) {
            return;
        } else if (client.wait_for_input(STDIN_FILENO, Clock::time_point::max())) {
            reader.fill();
        } else {
            publisher.take_arrived();
        }
    }
}

void publish_copies(
    Client& client, Publisher& publisher, const PubOptions& options, const std::string& body
) {
    for (std::uint64_t n = 0; n < options.count && !client.is_interrupted(); ++n) {
        publisher.publish(body);
    }
}

void report(const Publisher& publisher, const PubOptions& options, double seconds) {
    if (options.as_json) {
        const boost::json::object object{
            {"sent", publisher.sent()}, {"confirmed", publisher.confirmed()}, {"seconds", seconds}};
        std::puts(boost::json::serialize(object).c_str());
    } else if (!options.quiet) {
        std::fprintf(
            stderr,
            "sent %llu message%s to %s in %.3f s\n",
            static_cast<unsigned long long>(publisher.sent()),
            publisher.sent() == 1 ? "" : "s",
            options.destination.c_str(),
            seconds
        );
    }
}

int pub(const PubOptions& options) {
    // Before connecting: the broker should not wait for a person who types.
    const std::string body = options.lines ? std::string{} : read_body(options.body, options.file);
    Client client(make_target(options.target));
    const auto begin = Clock::now();
    Publisher publisher(client, options);
    if (options.lines) {
        publish_lines(client, publisher);
    } else {
        publish_copies(client, publisher, options, body);
    }
    publisher.finish();
    report(publisher, options, std::chrono::duration<double>(Clock::now() - begin).count());
    return to_int(ExitCode::ok);
}

}  // namespace

void add_pub(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("pub", "Publish messages");
    const auto options = std::make_shared<PubOptions>();
    PubOptions& o = *options;
    set_help(
        *command,
        "",
        {"stampede pub /topic/news 'Hello'",
         "stampede pub /queue/work --file job.json -H content-type:application/json --receipt",
         "stampede pub /queue/work --lines --receipt --dedup-id import-7 < jobs.txt"}
    );
    command->add_option("DEST", o.destination, "Where to, e.g. /topic/news or /queue/work")
        ->required();
    auto* const body =
        command->add_option("BODY", o.body, "The body; without it --file or stdin is read");
    auto* const file =
        command->add_option("--file,-f", o.file, "Read the body from a file")->type_name("FILE");
    auto* const lines =
        command->add_flag("-l,--lines", o.lines, "One message for each line of stdin");
    command->add_option("-H,--header", o.headers, "name:value, repeatable")
        ->allow_extra_args(false);
    command->add_option("-c,--count", o.count, "Send it that many times")
        ->capture_default_str()
        ->excludes(lines);
    takes_duration(command->add_option("--interval", o.interval_ms, "Time between messages"));
    command->add_flag(
        "-r,--receipt", o.receipts, "Wait until the broker has confirmed each message"
    );
    command->add_option("--tx", o.transaction_size, "Send in transactions of that many messages");
    command->add_option(
        "--dedup-id",
        o.dedup_id,
        "The broker takes a message of this id once; of several: ID-1, ID-2 ..."
    );
    command->add_flag("--json", o.as_json, "Print the result as JSON");
    command->add_flag("-q,--quiet", o.quiet, "Print nothing");
    body->excludes(file)->excludes(lines);
    file->excludes(lines);
    add_target_options(*command, o.target);
    command->callback([&action, options] { action = [options] { return pub(*options); }; });
}

}  // namespace cli
