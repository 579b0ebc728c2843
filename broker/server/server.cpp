#include "broker/server/server.hpp"

#include "broker/admin/sampler.hpp"
#include "broker/engine/authenticator.hpp"
#include "broker/log/log.hpp"
#include "broker/security/gate.hpp"
#include "broker/security/outbound.hpp"
#include "broker/security/remote_keys.hpp"
#include "broker/server/admin_listener.hpp"
#include "broker/server/admin_views.hpp"
#include "broker/server/alarms.hpp"
#include "broker/server/drain.hpp"
#include "broker/server/listeners.hpp"
#include "broker/server/notify.hpp"
#include "broker/server/pulse.hpp"
#include "broker/server/reloads.hpp"
#include "broker/server/rights.hpp"
#include "broker/server/server_report.hpp"
#include "broker/server/signals.hpp"
#include "broker/server/system.hpp"
#include "broker/transport/io_shard.hpp"
#include "broker/transport/listener.hpp"
#include "broker/transport/system_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace server {

namespace {

using engine::Instant;

constexpr std::chrono::milliseconds watch_interval{100};
constexpr std::chrono::milliseconds sample_interval{1000};
constexpr std::chrono::milliseconds pulse_interval{1000};

// Users and keys are a part of the configuration.
LoadedSources sources_of(const Config& config, security::Outbound& outbound) {
    try {
        return load_sources(config, outbound);
    } catch (const std::runtime_error& error) { throw BadConfiguration(error.what()); }
}

constexpr std::chrono::milliseconds end_margin{5000};  // Beyond the time of a drain.
constexpr int storage_failed_code = 7;

class Server {
public:
    Server(const LoadedConfig& loaded, StoreKeeper& store, Reload reload);
    ~Server();

    int run();

    // What signals and the admin API ask for, on the first shard.

    /// Clients are told to leave and the process ends. False if it does so already, and no later.
    bool begin_drain(const DrainPace& pace, std::string_view reason);

    /// Users, keys, rules and limits by Reloads::take(), and every certificate.
    [[nodiscard]] std::vector<std::string> reload();

private:
    void catch_signals();
    void build_shards();
    void build_gate();
    void build_parts(const LoadedConfig& loaded, Reload read);
    void build_admin();
    [[nodiscard]] admin::BrokerHandles make_handles();
    void restore();
    void await_restored();
    void serve();
    void announce();
    [[nodiscard]] std::string status() const;
    void watch();
    void sample();
    void show_life();
    void fail_store();
    void stop_all();

    [[nodiscard]] engine::Authenticator& authenticator() {
        if (gate_) { return *gate_; }
        return guests_;
    }

    [[nodiscard]] transport::IoShard& first() { return *running_.shards.front(); }

    Config config_;
    std::vector<admin::PolicyView> policies_;
    StoreKeeper& store_;
    engine::LoopbackAuthenticator guests_;
    std::unique_ptr<security::Outbound> outbound_;  ///< Null without a gate.
    std::unique_ptr<security::Gate> gate_;          ///< Null: no authentication is configured.
    transport::Options options_;  ///< config_.transport, with what "auto" stands for.
    transport::Census census_;
    transport::RateLimits rates_;
    Running running_;
    Alarms alarms_;
    std::unique_ptr<transport::SystemEvents> events_;
    std::unique_ptr<admin::Sampler> sampler_;
    std::unique_ptr<Listeners> listeners_;
    std::unique_ptr<Reloads> reloads_;
    std::unique_ptr<ServerReport> report_;
    std::unique_ptr<AdminListener> admin_;
    std::unique_ptr<Signals> signals_;
    Drain drain_;
    Notifier notifier_;
    std::unique_ptr<Pulse> pulse_;
    std::exception_ptr failure_;  ///< Of the start.
    std::size_t restoring_ = 0;   ///< Last words not heard yet.
    bool is_serving_ = false;
};

Server::Server(const LoadedConfig& loaded, StoreKeeper& store, Reload reload)
    : config_(loaded.config),
      policies_(policy_views(loaded)),
      store_(store),
      guests_(config_.transport.insecure_no_auth, config_.allow_anonymous),
      options_(settled(config_.transport)),
      census_(options_),
      alarms_(options_, running_, store_),
      drain_(running_, census_, store_, [this] { stop_all(); }),
      notifier_([](const char* name) { return std::getenv(name); }) {
    const std::string& directory = config_.transport.http_dir;
    std::error_code ec;
    if (!directory.empty() && !std::filesystem::is_directory(directory, ec)) {
        throw BadConfiguration("server.http_dir: " + directory + " is not a directory.");
    }
    build_shards();
    build_gate();
    build_parts(loaded, std::move(reload));
}

Server::~Server() {
    store_.close();
    if (gate_) {
        gate_->stop();
        outbound_->stop();
    }
    // Everything that lives on a shard ends while all shards still exist.
    for (const auto& connections : running_.connections) {
        connections->end_all();
    }
    for (const auto& shard : running_.shards) {
        shard->wind_down();
    }
    running_.listeners.clear();
    signals_.reset();
    for (const auto& shard : running_.shards) {
        shard->wind_down();
    }
    // What its calls still waited for has been heard of, or never will be.
    admin_.reset();
}

void Server::build_shards() {
    for (std::size_t i = 0; i < config_.policies.size(); ++i) {
        config_.policies[i].number = static_cast<std::uint16_t>(i + 1);
    }
    const engine::RouterSettings settings{
        config_.limits, config_.policies, store_.get(), &census_, log_durable};
    std::vector<transport::IoShard*> peers;
    for (unsigned i = 0; i < config_.transport.threads; ++i) {
        running_.shards.push_back(std::make_unique<transport::IoShard>(i, settings, options_));
        running_.connections.push_back(std::make_unique<transport::ConnectionSet>());
        peers.push_back(running_.shards.back().get());
    }
    events_ = std::make_unique<transport::SystemEvents>(first());
    sampler_ = std::make_unique<admin::Sampler>(running_.all_shards(), census_);
    for (const auto& shard : running_.shards) {
        shard->set_peers(peers);
        shard->set_memory_gauge(&alarms_.memory());
        shard->set_events(events_.get());
    }
    const auto period = notifier_.watchdog_period();
    pulse_ = std::make_unique<Pulse>(
        std::vector<engine::Shard*>(peers.begin(), peers.end()),
        period.count() == 0 ? pulse_interval : std::clamp(period / 8, Instant(1), pulse_interval)
    );
}

void Server::build_gate() {
    if (config_.auth.is_set()) {
        outbound_ = std::make_unique<security::Outbound>();
        LoadedSources loaded = sources_of(config_, *outbound_);
        for (const std::string& warning : loaded.warnings) {
            logging::warn("credentials", warning);
        }
        if (loaded.sources.remote_keys) { loaded.sources.remote_keys->start(); }
        security::Gate::Limits limits;
        limits.hashing = {config_.auth.hash_threads, config_.auth.hash_queue};
        limits.logins.failures = config_.auth.failed_logins;
        gate_ = std::make_unique<security::Gate>(std::move(loaded.sources), limits);
    }
    const auto authorizer = load_authorizer(config_);
    for (const auto& shard : running_.shards) {
        shard->router().set_authorizer(authorizer, authenticator());
    }
}

void Server::build_parts(const LoadedConfig& loaded, Reload read) {
    listeners_ = std::make_unique<Listeners>(Listeners::Parts{
        config_, running_, authenticator(), census_, rates_});
    reloads_ = std::make_unique<Reloads>(
        Reloads::Parts{
            config_, options_, census_, running_, authenticator(), gate_.get(), outbound_.get()},
        std::move(read),
        loaded.values
    );
    report_ = std::make_unique<ServerReport>(ServerReport::Parts{
        config_,
        options_,
        running_,
        census_,
        gate_.get(),
        store_,
        *listeners_,
        *reloads_,
        alarms_,
        drain_,
        *pulse_,
        is_serving_});
}

std::vector<std::string> Server::reload() {
    if (is_serving_) { notifier_.reloading(); }
    std::vector<std::string> errors = reloads_->take();
    listeners_->reload_certificates(false);
    if (is_serving_) {
        notifier_.ready(errors.empty() ? status() : status() + " The last reload failed.");
    }
    return errors;
}

void Server::build_admin() {
    if (!config_.admin.is_set()) { return; }
    admin_ = std::make_unique<AdminListener>(
        config_,
        AdminListener::Parts{
            running_,
            census_,
            rates_,
            report_->health(),
            [this] { return is_serving_; },
            [this] { return is_serving_ && !drain_.has_closed(); },
            report_->metrics(),
            make_handles(),
            listeners_->admin_socket()}
    );
}

admin::BrokerHandles Server::make_handles() {
    admin::BrokerHandles handles;
    handles.view = [this] { return report_->view(); };
    handles.sampler = sampler_.get();
    handles.config = [this] { return config_views(reloads_->values()); };
    handles.policies = policies_;
    handles.reload = [this] {
        auto errors = reload();
        return admin::ReloadResult{std::move(errors), reloads_->ignored()};
    };
    handles.drain = [this](bool is_lame_duck) {
        return is_lame_duck ? begin_drain(DrainPace::lame_duck(config_), "admin API, lame duck")
                            : begin_drain(DrainPace::ordinary(config_), "admin API");
    };
    handles.back_up = [this](std::string directory, std::function<void(std::string)> done) {
        store_.back_up(std::move(directory), std::move(done));
    };
    return handles;
}

// What the last run left is back on its shards before the first connection is accepted.
void Server::restore() {
    std::vector<storage::StoreListener*> listeners;
    auto queues = store_.take_recovered();
    for (const auto& shard : running_.shards) {
        listeners.push_back(&shard->router().store_listener());
    }
    store_.start(std::move(listeners));
    first().post([this, found = std::move(queues)]() mutable {
        first().router().restore(std::move(found));
        await_restored();
    });
}

// Shards tell each other about what they restore: each sends every other a last word behind that.
void Server::await_restored() {
    restoring_ = running_.shards.size() * running_.shards.size();
    for (const auto& shard : running_.shards) {
        shard->post([this] {
            for (const auto& other : running_.shards) {
                other->post([this] {
                    first().post([this] {
                        if (--restoring_ == 0) { serve(); }
                    });
                });
            }
        });
    }
}

void Server::serve() {
    if (drain_.has_begun()) { return; }
    is_serving_ = true;
    for (const auto& listener : running_.listeners) {
        listener->start();
    }
    try {
        announce();
        notifier_.ready(status());
    } catch (...) {
        failure_ = std::current_exception();
        stop_all();
    }
}

std::string Server::status() const {
    return "Accepting connections; durability " + store_.durability() + ".";
}

// After every listener accepts: the log line, and the ports file for those who started us.
void Server::announce() {
    const std::string admin = admin_ ? admin_->url() : std::string();
    const std::string& tcp_url = listeners_->tcp_url();
    const std::string& ws_url = listeners_->ws_url();
    if (!config_.ports_file.empty()) {
        write_ports_file(config_.ports_file, tcp_url, ws_url, admin);
    }
    logging::info(
        "ready",
        "The broker accepts connections.",
        {{"tcp", tcp_url},
         {"ws", ws_url},
         {"admin", admin},
         {"threads", config_.transport.threads},
         {"durability", store_.durability()}}
    );
    if (!config_.transport.http_dir.empty() && !ws_url.empty()) {
        const std::size_t end = ws_url.find('/', ws_url.find("//") + 2);
        logging::info(
            "http-dir",
            "Static files are served.",
            {{"url", "http" + ws_url.substr(2, end - 2) + "/"}}
        );
    }
}

// The service manager hears of us only while every shard answers (O-7).
void Server::show_life() {
    const auto period = notifier_.watchdog_period();
    if (period.count() == 0) { return; }
    first().after(std::max(period / 4, Instant(1)), [this] { show_life(); });
    if (pulse_->silent_for(period / 2).empty()) { notifier_.alive(); }
}

void Server::watch() {
    first().after(watch_interval, [this] { watch(); });
    if (alarms_.watch()) { fail_store(); }
}

void Server::sample() {
    first().after(sample_interval, [this] { sample(); });
    sampler_->take(first().now(), first().wall_clock_ms());
    if (first().router().has_listeners(protocol::SystemEvent::stats)) {
        first().router().publish_event(protocol::SystemEvent::stats, sampler_->stats());
    }
}

// Those who wait for a confirmation are refused by their shards; here the process ends.
void Server::fail_store() {
    if (config_.storage.on_failure == OnFailure::serve_memory) { return; }
    begin_drain(DrainPace::hurried(config_), "storage-failed");
}

bool Server::begin_drain(const DrainPace& pace, std::string_view reason) {
    if (!drain_.begin(pace)) { return false; }
    logging::info(
        "draining",
        "Draining: no new connections, clients are told to leave.",
        {{"reason", reason},
         {"spread_ms", pace.spread.count()},
         {"timeout_ms", pace.timeout.count()}}
    );
    notifier_.stopping(
        "Draining: clients are told to leave.", pace.delay + pace.timeout + end_margin
    );
    return true;
}

void Server::catch_signals() {
    SignalActions actions;
    actions.stop = [this] { begin_drain(DrainPace::ordinary(config_), "SIGTERM"); };
    actions.lame_duck = [this] { begin_drain(DrainPace::lame_duck(config_), "SIGUSR2"); };
    actions.reload = [this] { static_cast<void>(reload()); };
    signals_ = std::make_unique<Signals>(first().io(), std::move(actions));
}

void Server::stop_all() {
    if (admin_) { admin_->stop(); }
    for (const auto& shard : running_.shards) {
        shard->stop();
    }
}

int Server::run() {
    listeners_->build();
    build_admin();
    catch_signals();
    watch();
    sample();
    listeners_->watch_certificates();
    pulse_->start();
    show_life();
    if (admin_) { admin_->start(); }
    restore();
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < running_.shards.size(); ++i) {
        threads.emplace_back([shard = running_.shards[i].get()] {
            name_thread(fmt::format("shard-{}", shard->index()));
            shard->run();
        });
    }
    first().run();
    threads.clear();
    store_.close();
    if (failure_) { std::rethrow_exception(failure_); }
    return store_.has_failed() ? storage_failed_code : 0;
}

}  // namespace

int run(const LoadedConfig& loaded, const StoreFactory& make_store, const Reload& reload) {
    forbid_core_files();
    ignore_signals();
    // A limit of file sizes is an error of one write, as a full disk is.
    std::signal(SIGXFSZ, SIG_IGN);
    // Whoever waits for it shall not read the addresses of an earlier broker.
    const std::string& ports_file = loaded.config.ports_file;
    if (!ports_file.empty()) { ::unlink(ports_file.c_str()); }
    const auto begin = std::chrono::steady_clock::now();
    auto opened = make_store(loaded.config);
    const auto opened_in = std::chrono::steady_clock::now() - begin;
    StoreKeeper store(
        std::move(opened),
        loaded.config.storage,
        std::chrono::duration_cast<std::chrono::milliseconds>(opened_in)
    );
    Server server(loaded, store, reload);
    const int code = server.run();
    logging::info("stopped", "The broker has stopped.");
    if (store.has_failed()) {
        // A database that has failed must not be taken apart: the library asserts that it was
        // flushed.
        logging::shutdown();
        std::_Exit(code);
    }
    return code;
}

}  // namespace server
