#include "broker/server/server.hpp"

#include "broker/admin/metrics.hpp"
#include "broker/admin/sampler.hpp"
#include "broker/engine/authenticator.hpp"
#include "broker/log/log.hpp"
#include "broker/security/remote_keys.hpp"
#include "broker/server/activation.hpp"
#include "broker/server/admin_listener.hpp"
#include "broker/server/admin_views.hpp"
#include "broker/server/alarms.hpp"
#include "broker/server/config_reload.hpp"
#include "broker/server/config_units.hpp"
#include "broker/server/drain.hpp"
#include "broker/server/notify.hpp"
#include "broker/server/pulse.hpp"
#include "broker/server/rights.hpp"
#include "broker/server/signals.hpp"
#include "broker/server/system.hpp"
#include "broker/tls/server_context.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/io_shard.hpp"
#include "broker/transport/listener.hpp"
#include "broker/transport/system_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace server {

namespace {

/// What "auto" stands for on this machine.
transport::Options settled(transport::Options options) {
    const std::size_t descriptors = raise_descriptor_limit();
    const std::size_t usable = descriptors > 512 ? descriptors - 256 : descriptors / 2;
    options.connections_max = transport::smaller_limit(options.connections_max, usable);
    if (options.memory_limit == 0) { options.memory_limit = available_memory(); }
    return options;
}

using engine::Instant;
using transport::ListenerKind;

constexpr std::chrono::milliseconds watch_interval{100};
constexpr std::chrono::milliseconds sample_interval{1000};
constexpr std::chrono::milliseconds certificate_interval{1000};
constexpr std::chrono::milliseconds pulse_interval{1000};
constexpr std::chrono::milliseconds hang_time{10'000};  // Of a loop that counts as dead.
constexpr std::chrono::milliseconds end_margin{5000};   // Beyond the time of a drain.
constexpr int storage_failed_code = 7;

admin::LoginFigures login_figures(const security::Gate& gate) {
    const security::Sources sources = gate.sources();
    admin::LoginFigures figures{gate.cache_hits(), gate.hashing().waiting, std::nullopt};
    if (!sources.remote_keys) { return figures; }
    const security::RemoteKeys::Counters counters = sources.remote_keys->counters();
    figures.keys = admin::KeyFigures{counters.good, counters.failures, {}};
    if (counters.fetched_at.time_since_epoch().count() != 0) {
        const auto age = std::chrono::steady_clock::now() - counters.fetched_at;
        figures.keys->age = std::chrono::duration<double>(age).count();
    }
    return figures;
}

double seconds_since_1970() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

// As in the log and in metrics.
std::string listener_name(
    const transport::ListenerOptions& options, const std::string& host, std::uint16_t port
) {
    const char* const kind = options.kind == ListenerKind::web_socket ? "ws" : "tcp";
    return fmt::format("{} {}:{}", kind, url_host(host), port);
}

void log_warnings(const tls::ServerContext& context) {
    for (const std::string& warning : context.warnings()) {
        logging::warn("key-file", warning);
    }
}

class Server {
public:
    Server(const LoadedConfig& loaded, StoreKeeper& store, Reload reload);
    ~Server();

    int run();

    // What signals and the admin API ask for, on the first shard.

    /// Clients are told to leave and the process ends. False if it does so already, and no later.
    bool begin_drain(const DrainPace& pace, std::string_view reason);

    /// Takes over what can be taken over from the configuration as it is now. Returns what is wrong
    /// with it, a sentence each; then the old one stays in force.
    [[nodiscard]] std::vector<std::string> reload();

private:
    void catch_signals();
    void build_shards();
    [[nodiscard]] std::vector<const transport::IoShard*> shards() const;
    void build_gate();
    void set_rights(const std::shared_ptr<const engine::Authorizer>& authorizer);
    [[nodiscard]] std::vector<std::string> renew();
    [[nodiscard]] std::vector<std::string> take_over(const LoadedConfig& loaded);
    void set_limits(const Config& config);
    void reload_certificates(bool only_changed);
    void watch_certificates();

    [[nodiscard]] engine::Authenticator& authenticator() {
        if (gate_) { return *gate_; }
        return guests_;
    }

    void build_listeners();
    void listen(
        const transport::ListenerOptions& options, const std::vector<InheritedSocket>& inherited
    );
    void listen_on(
        const Address& address,
        const transport::ListenerOptions& options,
        std::optional<int> descriptor = std::nullopt
    );
    [[nodiscard]] std::shared_ptr<transport::ConnectionContext> make_context(
        const Address& address, const transport::ListenerOptions& options
    );
    [[nodiscard]] std::size_t number_listener(std::string name);
    void note_url(const Address& address, const transport::ListenerOptions& options);
    void build_admin();
    [[nodiscard]] std::function<std::string()> make_metrics();
    [[nodiscard]] admin::BrokerHandles make_handles();
    [[nodiscard]] admin::ServerView view() const;
    [[nodiscard]] admin::Figures figures() const;
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
    [[nodiscard]] std::vector<admin::Check> live_checks() const;
    [[nodiscard]] std::vector<admin::Check> ready_checks() const;

    [[nodiscard]] transport::IoShard& first() { return *running_.shards.front(); }

    Config config_;
    std::vector<EffectiveValue> values_;  ///< In force.
    std::vector<admin::PolicyView> policies_;
    std::vector<admin::ListenerView> listener_views_;
    StoreKeeper& store_;
    Reload reload_;
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

    struct Certificate {
        std::string listener;
        std::unique_ptr<tls::ServerContext> context;
    };

    std::vector<Certificate> certificates_;
    int admin_socket_ = -1;  ///< Of the service manager; -1: the configured address counts.
    std::unique_ptr<AdminListener> admin_;
    std::unique_ptr<Signals> signals_;
    std::vector<std::string> listener_names_{"admin"};  ///< By ConnectionContext::number.
    std::string tcp_url_;
    std::string ws_url_;
    Drain drain_;
    Notifier notifier_;
    std::unique_ptr<Pulse> pulse_;
    std::exception_ptr failure_;  ///< Of the start.
    std::size_t restoring_ = 0;   ///< Last words not heard yet.
    bool is_serving_ = false;
    std::uint64_t reloads_good_ = 0;
    std::uint64_t reloads_failed_ = 0;
    const Instant started_at_ =
        std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now().time_since_epoch());
    double configured_at_ = seconds_since_1970();
};

Server::Server(const LoadedConfig& loaded, StoreKeeper& store, Reload reload)
    : config_(loaded.config),
      values_(loaded.values),
      policies_(policy_views(loaded)),
      store_(store),
      reload_(std::move(reload)),
      guests_(config_.transport.insecure_no_auth, config_.allow_anonymous),
      options_(settled(config_.transport)),
      census_(options_),
      alarms_(options_, running_, store_),
      drain_(running_, census_, store_, [this] { stop_all(); }),
      notifier_([](const char* name) { return std::getenv(name); }) {
    build_shards();
    build_gate();
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
    const engine::RouterSettings settings{config_.limits, config_.policies, store_.get(), &census_};
    std::vector<transport::IoShard*> peers;
    for (unsigned i = 0; i < config_.transport.threads; ++i) {
        running_.shards.push_back(std::make_unique<transport::IoShard>(i, settings, options_));
        running_.connections.push_back(std::make_unique<transport::ConnectionSet>());
        peers.push_back(running_.shards.back().get());
    }
    events_ = std::make_unique<transport::SystemEvents>(first());
    sampler_ = std::make_unique<admin::Sampler>(shards(), census_);
    for (const auto& shard : running_.shards) {
        shard->set_peers(peers);
        shard->set_memory_alarm(&alarms_.memory());
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
        LoadedSources loaded = load_sources(config_, *outbound_);
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
        shard->router().set_authorizer(authorizer);
    }
}

// On every shard: sessions are asked anew what they may.
void Server::set_rights(const std::shared_ptr<const engine::Authorizer>& authorizer) {
    for (const auto& shard : running_.shards) {
        shard->post([authorizer, router = &shard->router()] { router->set_authorizer(authorizer); }
        );
    }
}

std::vector<std::string> Server::reload() {
    if (is_serving_) { notifier_.reloading(); }
    std::vector<std::string> errors = renew();
    for (const std::string& error : errors) {
        logging::error("reload-failed", error);
    }
    reload_certificates(false);
    ++(errors.empty() ? reloads_good_ : reloads_failed_);
    if (errors.empty()) { configured_at_ = seconds_since_1970(); }
    if (!errors.empty()) {
        logging::warn(
            "reload-failed", "The old users, keys, access rules and limits stay in force."
        );
    }
    if (is_serving_) {
        notifier_.ready(errors.empty() ? status() : status() + " The last reload failed.");
    }
    return errors;
}

std::vector<std::string> Server::renew() {
    if (!reload_) { return {"there is nothing to read again"}; }
    const LoadedConfig loaded = reload_();
    std::vector<std::string> errors;
    for (const ConfigError& error : loaded.errors) {
        errors.push_back(error.text());
    }
    return errors.empty() ? take_over(loaded) : errors;
}

// Each listener by itself: one whose files are no good leaves the others their new ones (S-TLS-03).
void Server::reload_certificates(bool only_changed) {
    for (const auto& [listener, pair] : certificates_) {
        if (only_changed && !pair->has_changed()) { continue; }
        try {
            pair->reload();
            log_warnings(*pair);
            logging::info(
                "certificate-reloaded",
                "New connections get the certificate of now.",
                {{"file", pair->certificate_file()}}
            );
        } catch (const tls::Error& error) {
            logging::error(
                "reload-failed", std::string(error.what()) + "; the old certificates stay in force"
            );
        }
    }
}

void Server::watch_certificates() {
    if (certificates_.empty()) { return; }
    first().after(certificate_interval, [this] { watch_certificates(); });
    reload_certificates(true);
}

// Users, keys, rules and limits, all or none.
std::vector<std::string> Server::take_over(const LoadedConfig& loaded) {
    Config config = loaded.config;
    // Read at start only, for listeners and for what is read again alike.
    config.strict_file_modes = config_.strict_file_modes;
    if (config.auth.is_set() != (gate_ != nullptr)) {
        return {
            "[auth], [jwt], [hook] and client certificates: authentication is switched on or off "
            "by a "
            "restart only"};
    }
    try {
        LoadedSources found;
        if (gate_) { found = load_sources(config, *outbound_, gate_->sources()); }
        const auto authorizer = load_authorizer(config);
        for (const std::string& warning : found.warnings) {
            logging::warn("credentials", warning);
        }
        if (gate_) {
            if (found.sources.remote_keys) { found.sources.remote_keys->start(); }
            gate_->exchange(std::move(found.sources));
        }
        set_rights(authorizer);
        set_limits(config);
        logging::set_level(config.log.level);
        logging::info(
            "reloaded",
            "Users, keys of tokens, access rules, limits and the log's level are those of now.",
            {{"rules", config.access_rules.size()}}
        );
        for (const std::string& key : keys_for_restart(values_, loaded.values)) {
            logging::warn("reload-ignored", key + ": it is read at start only", {{"key", key}});
        }
        values_ = values_after_reload(values_, loaded.values);
    } catch (const std::exception& error) { return {error.what()}; }
    return {};
}

// Every shard has copies of its own: no lock, no half of them.
void Server::set_limits(const Config& config) {
    take_limits(config_, config);
    options_ = settled(config_.transport);
    census_.set_limits(options_);
    for (const auto& shard : running_.shards) {
        shard->post([shard = shard.get(), limits = config_.limits, options = options_] {
            shard->set_limits(limits, options);
        });
    }
}

void Server::build_listeners() {
    Inherited inherited(inherited_sockets([](const char* name) { return std::getenv(name); }));
    for (const transport::ListenerOptions& options : config_.listeners) {
        listen(options, inherited.take(options.name, options.host));
    }
    if (config_.admin.is_set()) {
        admin_socket_ = inherited.take_one("admin", config_.admin.host).value_or(-1);
    }
    inherited.check_taken();
}

void Server::listen(
    const transport::ListenerOptions& options, const std::vector<InheritedSocket>& inherited
) {
    if (options.tls.is_set()) {
        certificates_.push_back(
            {listener_name(options, options.host, options.port),
             std::make_unique<tls::ServerContext>(options.tls)}
        );
        log_warnings(*certificates_.back().context);
    }
    for (const InheritedSocket& socket : inherited) {
        listen_on({socket.host, socket.port}, options, socket.descriptor);
    }
    if (!inherited.empty()) { return; }
    listen_on({options.host, options.port}, options);
    if (!options.also_ipv6_loopback) { return; }
    try {
        listen_on({"::1", running_.listeners.back()->port()}, options);
    } catch (const std::exception& error) {
        // Best effort: many containers have no IPv6.
        logging::debug("no-ipv6", error.what());
    }
}

std::shared_ptr<transport::ConnectionContext> Server::make_context(
    const Address& address, const transport::ListenerOptions& options
) {
    const tls::ServerContext* const tls =
        options.tls.is_set() ? certificates_.back().context.get() : nullptr;
    return std::make_shared<transport::ConnectionContext>(transport::ConnectionContext{
        authenticator(),
        census_,
        rates_,
        options.kind,
        tls,
        transport::HttpEndpoint{
            options.paths,
            is_loopback(address.host),
            tls != nullptr,
            address.host,
            transport::StaticFiles(config_.transport.http_dir),
            options.web,
            options.trusted_proxies},
        listener_name(options, address.host, address.port),
        options.proxy_protocol,
        options.sources,
        number_listener(listener_name(options, address.host, address.port))});
}

// For counting; before the shards run.
std::size_t Server::number_listener(std::string name) {
    listener_names_.push_back(std::move(name));
    for (const auto& shard : running_.shards) {
        shard->counters().listeners.resize(listener_names_.size());
    }
    return listener_names_.size() - 1;
}

void Server::listen_on(
    const Address& address, const transport::ListenerOptions& options, std::optional<int> descriptor
) {
    auto context = make_context(address, options);
    const std::string name = context->listener_name;
    std::vector<transport::Post> posts;
    for (std::size_t i = 0; i < running_.shards.size(); ++i) {
        posts.push_back({running_.shards[i].get(), running_.connections[i].get()});
    }
    if (descriptor) {
        running_.listeners.push_back(
            std::make_shared<transport::Listener>(std::move(posts), std::move(context), *descriptor)
        );
    } else {
        running_.listeners.push_back(std::make_shared<transport::Listener>(
            std::move(posts), std::move(context), address.host, address.port
        ));
    }
    note_url({address.host, running_.listeners.back()->port()}, options);
    listener_views_.back().name = name;
}

// The first of each kind is announced.
void Server::note_url(const Address& address, const transport::ListenerOptions& options) {
    const bool is_ws = options.kind == ListenerKind::web_socket;
    const bool is_tls = options.tls.is_set();
    const std::string where = url_host(address.host) + ":" + std::to_string(address.port);
    const std::string path = options.paths.empty() ? "/" : options.paths.front();
    const std::string url = is_ws ? (is_tls ? "wss://" : "ws://") + where + path
                                  : (is_tls ? "stomps://" : "stomp://") + where;
    listener_views_.push_back({{}, is_ws, url, is_tls});
    std::string& first_of_kind = is_ws ? ws_url_ : tcp_url_;
    if (first_of_kind.empty()) { first_of_kind = url; }
}

void Server::build_admin() {
    if (!config_.admin.is_set()) { return; }
    admin_ = std::make_unique<AdminListener>(
        config_,
        AdminListener::Parts{
            running_,
            census_,
            rates_,
            {store_.durability(),
             [this] { return live_checks(); },
             [this] { return ready_checks(); },
             [this] {
                 return std::vector<admin::Check>{{"recovery", is_serving_ ? "" : "under way"}};
             }},
            [this] { return is_serving_; },
            [this] { return is_serving_ && !drain_.has_closed(); },
            make_metrics(),
            make_handles(),
            admin_socket_}
    );
}

admin::BrokerHandles Server::make_handles() {
    admin::BrokerHandles handles;
    handles.view = [this] { return view(); };
    handles.sampler = sampler_.get();
    handles.config = [this] { return config_views(values_); };
    handles.policies = policies_;
    handles.reload = [this] { return reload(); };
    handles.drain = [this](bool is_lame_duck) {
        return is_lame_duck ? begin_drain(DrainPace::lame_duck(config_), "admin API, lame duck")
                            : begin_drain(DrainPace::ordinary(config_), "admin API");
    };
    handles.back_up = [this](std::string directory, std::function<void(std::string)> done) {
        store_.back_up(std::move(directory), std::move(done));
    };
    return handles;
}

// What the overview tells beyond the shards.
admin::ServerView Server::view() const {
    admin::ServerView view;
    view.state = drain_.has_begun() ? "draining" : is_serving_ ? "serving" : "starting";
    view.started_at = started_at_;
    view.unauthenticated = census_.unauthenticated();
    view.connections =
        census_.connections() - std::min(census_.connections(), view.unauthenticated);
    view.memory_limit = options_.memory_limit;
    view.memory_alarm = alarms_.memory().load();
    view.listeners = listener_views_;
    show_store(view, store_);
    const auto now = static_cast<std::int64_t>(running_.shards.front()->wall_clock_ms());
    for (const auto& [listener, context] : certificates_) {
        show_certificate(view, listener, context->expires_at(), now);
    }
    show_alarms(view, store_);
    return view;
}

std::vector<const transport::IoShard*> Server::shards() const {
    std::vector<const transport::IoShard*> shards;
    for (const auto& shard : running_.shards) {
        shards.push_back(shard.get());
    }
    return shards;
}

std::function<std::string()> Server::make_metrics() {
    admin::Metrics::Names names;
    names.listeners = listener_names_;
    names.policies.emplace_back("default");
    for (const engine::Policy& policy : config_.policies) {
        names.policies.push_back(policy.match);
    }
    const auto metrics = std::make_shared<const admin::Metrics>(shards(), std::move(names), [this] {
        return figures();
    });
    return [metrics] { return metrics->text(); };
}

// What /metrics tells beyond the shards' reports.
admin::Figures Server::figures() const {
    admin::Figures figures;
    const auto checks = ready_checks();
    figures.is_ready = std::ranges::all_of(checks, [](const admin::Check& check) {
        return check.problem.empty() || !check.is_needed;
    });
    figures.is_draining = drain_.has_begun();
    figures.reloads_good = reloads_good_;
    figures.reloads_failed = reloads_failed_;
    figures.configured_at = configured_at_;
    figures.log_lines_suppressed = logging::suppressed_total();
    figures.log_lines_lost = logging::overrun_total();
    figures.unauthenticated = census_.unauthenticated();
    figures.memory_limit = options_.memory_limit;
    figures.memory_alarm = alarms_.memory().load();
    figures.durability = store_.durability();
    figures.store = store_.figures();
    if (gate_) { figures.logins = login_figures(*gate_); }
    for (const auto& certificate : certificates_) {
        figures.certificates.push_back(
            {certificate.listener, static_cast<double>(certificate.context->expires_at()) / 1000}
        );
    }
    return figures;
}

// The first shard answers by answering at all, the others by their pulse (O-4).
std::vector<admin::Check> Server::live_checks() const {
    std::vector<admin::Check> checks{{"loop", ""}};
    for (const auto& [shard, time] : pulse_->silent_for(hang_time)) {
        checks.push_back(
            {fmt::format("shard-{}", shard),
             fmt::format("its event loop has not answered for {} s", time.count() / 1000)}
        );
    }
    return checks;
}

std::vector<admin::Check> Server::ready_checks() const {
    std::vector<admin::Check> checks{
        {"serving",
         drain_.has_begun() ? "draining"
         : is_serving_      ? ""
                            : "starting"},
        {"memory",
         alarms_.memory().load() >= 2 ? "memory alarm 2: limits.memory is nearly used up" : ""},
    };
    store_.add_checks(checks);
    return checks;
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
    if (!config_.ports_file.empty()) {
        write_ports_file(config_.ports_file, tcp_url_, ws_url_, admin);
    }
    logging::info(
        "ready",
        "The broker accepts connections.",
        {{"tcp", tcp_url_},
         {"ws", ws_url_},
         {"admin", admin},
         {"threads", config_.transport.threads},
         {"durability", store_.durability()}}
    );
    if (!config_.transport.http_dir.empty()) {
        const std::size_t end = ws_url_.find('/', ws_url_.find("//") + 2);
        logging::info(
            "http-dir",
            "Static files are served.",
            {{"url", "http" + ws_url_.substr(2, end - 2) + "/"}}
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
    build_listeners();
    build_admin();
    catch_signals();
    watch();
    sample();
    watch_certificates();
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
