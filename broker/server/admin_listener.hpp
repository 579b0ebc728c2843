// The admin listener's assembly: token, API with its calls, console, its own /ws.
// Lives on the first shard.
#pragma once

#include "broker/admin/broker_calls.hpp"
#include "broker/admin/connection_calls.hpp"
#include "broker/admin/health.hpp"
#include "broker/admin/http_server.hpp"
#include "broker/admin/login.hpp"
#include "broker/admin/shards.hpp"
#include "broker/server/admin_token.hpp"
#include "broker/server/config.hpp"
#include "broker/server/drain.hpp"

#include <memory>
#include <string>

namespace server {

class AdminListener {
public:
    /// What there is besides shards; all of it outlives the listener.
    struct Parts {
        Running& running;
        transport::Census& census;
        transport::RateLimits& rates;
        admin::HealthChecks health;
        std::function<bool()> is_recovered;       ///< What the last run left is back.
        std::function<bool()> takes_connections;  ///< As the other listeners do.
        std::function<std::string()> metrics;     ///< The text of /metrics.
        admin::BrokerHandles broker;
        int descriptor = -1;  ///< A socket that listens already; -1: there is none.
    };

    /// Reads or makes the token and binds; throws std::runtime_error of one sentence.
    AdminListener(const Config& config, Parts parts);
    /// Removes a token file that was made for this run.
    ~AdminListener();
    AdminListener(const AdminListener&) = delete;
    AdminListener& operator=(const AdminListener&) = delete;

    void start();
    void stop();

    /// `http://127.0.0.1:15680`.
    [[nodiscard]] std::string url() const;

private:
    void add_calls(const Config& config, Parts& parts);
    void build_web_socket(Parts& parts);

    const std::string host_;
    AdminTokens tokens_;
    const std::function<bool()> is_recovered_;
    const std::function<bool()> takes_connections_;
    admin::Shards shards_;
    admin::ConnectionCalls connection_calls_;
    admin::Login login_;
    admin::Api api_;
    std::shared_ptr<const transport::ConnectionContext> web_socket_;
    admin::HttpServer server_;
};

}  // namespace server
