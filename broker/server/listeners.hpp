// Every listener of the configuration but the admin one: bound, numbered, shown, with its
// certificates. Lives on the first shard.
#pragma once

#include "broker/admin/overview.hpp"
#include "broker/engine/authenticator.hpp"
#include "broker/server/activation.hpp"
#include "broker/server/config.hpp"
#include "broker/server/drain.hpp"
#include "broker/tls/server_context.hpp"
#include "broker/transport/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace server {

class Listeners {
public:
    /// What connections are made of; all of it outlives the listeners, and they outlive the
    /// connections.
    struct Parts {
        const Config& config;
        Running& running;
        engine::Authenticator& authenticator;
        transport::Census& census;
        transport::RateLimits& rates;
    };

    explicit Listeners(const Parts& parts) : parts_(parts) {}

    /// Binds all, before the shards run. Throws an exception of one sentence.
    void build();

    /// Reads the certificates of each listener again, of all or of those whose files have changed.
    void reload_certificates(bool only_changed);

    /// From now on looks each second whether the files of a certificate have changed.
    void watch_certificates();

    /// As in the log and in metrics, by ConnectionContext::number; "admin" is the first.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

    [[nodiscard]] const std::vector<admin::ListenerView>& views() const { return views_; }

    struct Expiry {
        std::string listener;
        std::int64_t at;  ///< Milliseconds since 1970.
    };

    /// Of each listener with TLS.
    [[nodiscard]] std::vector<Expiry> expiries() const;

    /// Where the first of its kind listens; empty if there is none.
    [[nodiscard]] const std::string& tcp_url() const { return tcp_url_; }

    [[nodiscard]] const std::string& ws_url() const { return ws_url_; }

    /// A socket that the service manager has opened for the admin listener; -1: there is none.
    [[nodiscard]] int admin_socket() const { return admin_socket_; }

private:
    struct Certificate {
        std::string listener;
        std::unique_ptr<tls::ServerContext> context;
    };

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
    [[nodiscard]] std::size_t number(std::string name);
    void note_url(const Address& address, const transport::ListenerOptions& options);

    const Parts parts_;
    std::vector<Certificate> certificates_;
    std::vector<std::string> names_{"admin"};
    std::vector<admin::ListenerView> views_;
    std::string tcp_url_;
    std::string ws_url_;
    int admin_socket_ = -1;
};

}  // namespace server
