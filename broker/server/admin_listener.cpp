#include "broker/server/admin_listener.hpp"

#include "broker/admin/browse_calls.hpp"
#include "broker/admin/console_files.hpp"
#include "broker/admin/definition_calls.hpp"
#include "broker/admin/destination_calls.hpp"
#include "broker/admin/log_calls.hpp"
#include "broker/admin/publish_calls.hpp"
#include "broker/admin/queue_calls.hpp"
#include "broker/admin/scheduled_calls.hpp"
#include "broker/admin/trace_calls.hpp"
#include "broker/log/log.hpp"
#include "broker/server/config_units.hpp"

#include <cstdio>
#include <stdexcept>
#include <vector>

namespace server {

namespace {

AdminTokens open_tokens(const Config& config) {
    AdminTokens tokens = open_admin_tokens(config.admin_token_file);
    if (!tokens.warning.empty()) {
        if (config.strict_file_modes) { throw std::runtime_error(tokens.warning); }
        logging::warn("key-file", tokens.warning);
    }
    return tokens;
}

std::vector<transport::Post> posts_of(const Running& running) {
    std::vector<transport::Post> posts;
    for (std::size_t i = 0; i < running.shards.size(); ++i) {
        posts.push_back({running.shards[i].get(), running.connections[i].get()});
    }
    return posts;
}

}  // namespace

AdminListener::AdminListener(const Config& config, Parts parts)
    : host_(config.admin.host),
      tokens_(open_tokens(config)),
      is_recovered_(parts.is_recovered),
      takes_connections_(parts.takes_connections),
      shards_(posts_of(parts.running)),
      connection_calls_(shards_),
      login_(admin::Tokens(tokens_.tokens)),
      api_(admin::Tokens(tokens_.tokens), is_loopback(host_) ? host_ : std::string()),
      server_(parts.running.shards.front()->io(), host_, config.admin.port, parts.descriptor) {
    name_after_port(tokens_, server_.port());
    logging::info("admin-token", "The admin API's token is in a file.", {{"file", tokens_.file}});
    add_calls(config, parts);
    build_web_socket(parts);
}

AdminListener::~AdminListener() {
    if (tokens_.is_temporary) { std::remove(tokens_.file.c_str()); }
}

void AdminListener::add_calls(const Config& config, Parts& parts) {
    admin::add_health(api_, std::move(parts.health));
    admin::add_metrics(
        api_,
        config.metrics_without_token ? admin::Scope::none : admin::Scope::read,
        std::move(parts.metrics)
    );
    admin::add_broker_calls(api_, shards_, std::move(parts.broker));
    connection_calls_.add_to(api_);
    admin::add_subscription_calls(api_, shards_);
    admin::add_log_calls(api_);
    admin::add_scheduled_calls(api_, shards_);
    admin::add_destination_calls(api_, shards_);
    admin::add_browse_calls(api_, shards_);
    admin::add_publish_calls(api_, shards_, config.limits.protocol.frame_bytes_max);
    admin::add_queue_calls(api_, shards_);
    admin::add_definition_calls(api_, shards_);
    admin::add_trace_calls(api_, shards_);
}

// For the console (S-WEB-08): who has the token may do everything.
void AdminListener::build_web_socket(Parts& parts) {
    transport::HttpEndpoint http{
        {"/ws"}, is_loopback(host_), false, host_, transport::StaticFiles({})};
    web_socket_ = std::make_shared<transport::ConnectionContext>(transport::ConnectionContext{
        login_,
        parts.census,
        parts.rates,
        transport::ListenerKind::web_socket,
        nullptr,
        std::move(http),
        "admin " + url()});
}

void AdminListener::start() {
    api_.open_when(is_recovered_);
    server_.start(
        api_,
        admin::find_console_file,
        [this](boost::asio::ip::tcp::socket socket, std::string octets) {
            boost::system::error_code ec;
            const int descriptor = socket.release(ec);
            if (ec) { return; }
            if (takes_connections_()) {
                (void)transport::adopt(shards_.posts(), web_socket_, descriptor, std::move(octets));
            } else {
                transport::turn_away_later(descriptor, "The broker is starting or leaving.");
            }
        }
    );
}

void AdminListener::stop() {
    server_.stop();
}

std::string AdminListener::url() const {
    return "http://" + url_host(host_) + ":" + std::to_string(server_.port());
}

}  // namespace server
