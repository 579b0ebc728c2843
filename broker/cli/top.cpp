// `stampede top`: a running broker live on a terminal; once, as text or JSON, for scripts.
// A round is: ask the admin API, draw, wait for keys until the next round is due.
#include "broker/cli/admin_client.hpp"
#include "broker/cli/admin_views.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/terminal.hpp"
#include "broker/cli/top_screen.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TopOptions {
    AdminFlags flags;
    double interval_ms = 1000;
    std::uint64_t rows = 15;
    bool is_once = false;
    bool as_json = false;
};

boost::json::object overview_of(const AdminClient& client) {
    boost::json::value answer = client.get("/overview");
    return answer.is_object() ? std::move(answer.as_object()) : boost::json::object();
}

// ---- Once.

int print_json(const AdminClient& client, const TopOptions& options) {
    boost::json::object all{{"overview", overview_of(client)}};
    for (const View* const view :
         {&destinations_view(), &connections_view(), &subscriptions_view()}) {
        all[view->path + 1] = fetch_list(client, view->path, {}, options.rows);
    }
    std::puts(boost::json::serialize(all).c_str());
    return to_int(ExitCode::ok);
}

int print_text(const AdminClient& client, const TopOptions& options) {
    for (const ScreenLine& line : summary(overview_of(client))) {
        std::puts(line.text.c_str());
    }
    for (const View* const view : {&destinations_view(), &connections_view()}) {
        const boost::json::object list = fetch_list(client, view->path, {}, options.rows);
        std::printf("\n%s: %s\n", view->title, text_of(list, "total").c_str());
        for (const std::string& line : table_lines(view->columns, list.at("items").as_array())) {
            std::puts(line.c_str());
        }
    }
    return to_int(ExitCode::ok);
}

// ---- Live.

class Top {
public:
    Top(const AdminClient& client, const TopOptions& options)
        : client_(client), interval_(std::max(100L, static_cast<long>(options.interval_ms))) {
        // Before the terminal changes: what is wrong now is to be read after we have ended.
        data_.overview = overview_of(client_);
    }

    void run() {
        Terminal terminal;
        auto due = Clock::now();
        while (true) {
            const TerminalSize size = Terminal::size();
            if (Clock::now() >= due && !state_.is_paused()) {
                refresh(rows_on(size.height));
                due = Clock::now() + interval_;
            }
            terminal.draw(screen(state_, data_, size.width, size.height));
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
            std::string keys;
            // Without a next round, keys and signals alone wake us.
            const auto wait = state_.is_paused() ? interval_ : left;
            const Terminal::Event event = terminal.wait(std::max(wait, zero), keys);
            if (event == Terminal::Event::ended) { return; }
            if (event != Terminal::Event::keys) { continue; }
            if (!press(keys, rows_on(size.height))) { return; }
            due = Clock::now();
        }
    }

private:
    static constexpr std::chrono::milliseconds zero{0};

    bool press(const std::string& keys, std::size_t page) {
        for (const KeyPress& key : parse_keys(keys)) {
            if (!state_.press(key, page)) { return false; }
        }
        return true;
    }

    /// What cannot be had is said on the screen; it may come back.
    void refresh(std::size_t page) {
        try {
            data_.overview = overview_of(client_);
            data_.list = fetch_list(
                client_,
                state_.view().path,
                state_.query(),
                std::max<std::size_t>(1, state_.offset() + page)
            );
            data_.problem.clear();
            const boost::json::value* const items = data_.list.if_contains("items");
            const bool has_items = items != nullptr && items->is_array();
            state_.bound_offset(has_items ? items->as_array().size() : 0, page);
        } catch (const Failure& failure) { data_.problem = failure.what(); }
    }

    const AdminClient& client_;
    const std::chrono::milliseconds interval_;
    TopState state_;
    TopData data_;
};

int top(const TopOptions& options) {
    const AdminClient client(options.flags);
    if (options.as_json) { return print_json(client, options); }
    const bool is_live =
        !options.is_once && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
    if (!is_live) { return print_text(client, options); }
    Top(client, options).run();
    return to_int(ExitCode::ok);
}

}  // namespace

void add_top(CLI::App& app, Action& action) {
    CLI::App* const command =
        app.add_subcommand("top", "Watch rates, connections and destinations live");
    const auto options = std::make_shared<TopOptions>();
    set_help(
        *command,
        "Keys: q quit; 1, 2, 3 or Tab: destinations, connections, subscriptions; s and S: sort by\n"
        "the next or previous column; r: reverse; /: filter, Esc: no filter; arrows, PgUp, PgDn,\n"
        "Home: scroll; p: pause. If stdout is no terminal it prints once.",
        {"stampede top", "stampede top --once", "stampede top --json --rows 100"}
    );
    options->flags.timeout_ms = 3000;
    takes_duration(command->add_option(
        "-i,--interval", options->interval_ms, "Time between rounds (default: 1s)"
    ));
    command->add_flag("--once", options->is_once, "Print once and end");
    command->add_flag("--json", options->as_json, "Print once, as JSON");
    command->add_option("-n,--rows", options->rows, "Rows of each list with --once and --json")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    add_admin_options(*command, options->flags);
    command->callback([&action, options] { action = [options] { return top(*options); }; });
}

}  // namespace cli
