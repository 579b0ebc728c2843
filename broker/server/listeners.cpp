#include "broker/server/listeners.hpp"

#include "broker/log/log.hpp"
#include "broker/server/config_units.hpp"
#include "broker/transport/listener.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <utility>

namespace server {

namespace {

using transport::ListenerKind;

constexpr std::chrono::milliseconds certificate_interval{1000};

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

}  // namespace

void Listeners::build() {
    const Config& config = parts_.config;
    Inherited inherited(inherited_sockets([](const char* name) { return std::getenv(name); }));
    for (const transport::ListenerOptions& options : config.listeners) {
        listen(options, inherited.take(options.name, options.host));
    }
    if (config.admin.is_set()) {
        admin_socket_ = inherited.take_one("admin", config.admin.host).value_or(-1);
    }
    inherited.check_taken();
}

void Listeners::listen(
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
        listen_on({"::1", parts_.running.listeners.back()->port()}, options);
    } catch (const std::exception& error) {
        // Best effort: many containers have no IPv6.
        logging::debug("no-ipv6", error.what());
    }
}

std::shared_ptr<transport::ConnectionContext> Listeners::make_context(
    const Address& address, const transport::ListenerOptions& options
) {
    const tls::ServerContext* const tls =
        options.tls.is_set() ? certificates_.back().context.get() : nullptr;
    return std::make_shared<transport::ConnectionContext>(transport::ConnectionContext{
        parts_.authenticator,
        parts_.census,
        parts_.rates,
        options.kind,
        tls,
        transport::HttpEndpoint{
            options.paths,
            is_loopback(address.host),
            tls != nullptr,
            address.host,
            transport::StaticFiles(parts_.config.transport.http_dir),
            options.web,
            options.trusted_proxies},
        listener_name(options, address.host, address.port),
        options.proxy_protocol,
        options.sources,
        number(listener_name(options, address.host, address.port))});
}

// For counting.
std::size_t Listeners::number(std::string name) {
    names_.push_back(std::move(name));
    for (const auto& shard : parts_.running.shards) {
        shard->counters().listeners.resize(names_.size());
    }
    return names_.size() - 1;
}

void Listeners::listen_on(
    const Address& address, const transport::ListenerOptions& options, std::optional<int> descriptor
) {
    auto context = make_context(address, options);
    const std::string name = context->listener_name;
    Running& running = parts_.running;
    std::vector<transport::Post> posts;
    for (std::size_t i = 0; i < running.shards.size(); ++i) {
        posts.push_back({running.shards[i].get(), running.connections[i].get()});
    }
    if (descriptor) {
        running.listeners.push_back(
            std::make_shared<transport::Listener>(std::move(posts), std::move(context), *descriptor)
        );
    } else {
        running.listeners.push_back(std::make_shared<transport::Listener>(
            std::move(posts), std::move(context), address.host, address.port
        ));
    }
    note_url({address.host, running.listeners.back()->port()}, options);
    views_.back().name = name;
}

// The first of each kind is announced.
void Listeners::note_url(const Address& address, const transport::ListenerOptions& options) {
    const bool is_ws = options.kind == ListenerKind::web_socket;
    const bool is_tls = options.tls.is_set();
    const std::string where = url_host(address.host) + ":" + std::to_string(address.port);
    const std::string path = options.paths.empty() ? "/" : options.paths.front();
    const std::string url = is_ws ? (is_tls ? "wss://" : "ws://") + where + path
                                  : (is_tls ? "stomps://" : "stomp://") + where;
    views_.push_back({{}, is_ws, url, is_tls});
    std::string& first_of_kind = is_ws ? ws_url_ : tcp_url_;
    if (first_of_kind.empty()) { first_of_kind = url; }
}

// Each listener by itself: one whose files are no good leaves the others their new ones (S-TLS-03).
void Listeners::reload_certificates(bool only_changed) {
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

void Listeners::watch_certificates() {
    if (certificates_.empty()) { return; }
    parts_.running.shards.front()->after(certificate_interval, [this] { watch_certificates(); });
    reload_certificates(true);
}

std::vector<Listeners::Expiry> Listeners::expiries() const {
    std::vector<Expiry> expiries;
    for (const Certificate& certificate : certificates_) {
        expiries.push_back({certificate.listener, certificate.context->expires_at()});
    }
    return expiries;
}

}  // namespace server
