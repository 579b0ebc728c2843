// The admin API: one table of calls, each with its scope (S-WEB-07), asked after Host and token.
// Lives on the first shard's io_context; calls run as coroutines there. Every call is logged.
#pragma once

#include "broker/admin/query.hpp"
#include "broker/admin/response.hpp"
#include "broker/admin/tokens.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace admin {

/// The head of a request, as far as it counts.
struct RequestHead {
    std::string method;
    std::string target;
    std::string host;
    std::string authorization;
    std::string content_type;
    std::string idempotency_key;
    std::string remote;  ///< For the log.
};

/// What a handler gets to see; lives until it has answered.
struct Call {
    std::vector<std::string> parameters;  ///< What stood for {...}, decoded, in the path's order.
    Query query;
    std::string body;
    std::string idempotency_key;

    /// The body, which must be one JSON value of at most 32 levels; an empty one is null if
    /// `may_be_empty`. Refuses 400, saying where it went wrong.
    [[nodiscard]] boost::json::value json(bool may_be_empty = false) const;
};

using Handler = std::function<boost::asio::awaitable<Response>(const Call&)>;

/// One line of the table.
struct Route {
    static constexpr std::size_t body_default = 64 * 1024;

    std::string method;
    std::string path;  ///< `/api/v1/queues/{name}`; {name} is one segment, percent-encoded.
    Scope scope = Scope::admin;
    Handler handle;
    std::size_t body_max = 0;  ///< 0: it takes no body.
    bool is_stream = false;    ///< What it answers does not end by itself: there is no HEAD of it.
};

class Api {
public:
    /// `host`: the address of loopback that the listener is bound to; empty if it is bound
    /// elsewhere, where every Host is served.
    Api(Tokens tokens, std::string host);

    void add(Route route);

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

    /// Until `is_open` says so, only health and metrics are answered: what the last run left is
    /// recovered first.
    void open_when(std::function<bool()> is_open) { is_open_ = std::move(is_open); }

    /// What a request head leads to: a route, or the answer that refuses it before its body is
    /// read.
    struct Found {
        const Route* route = nullptr;
        std::vector<std::string> parameters;
        std::string_view query;  ///< Of the head's target.
        Response refusal;
    };

    [[nodiscard]] Found find(const RequestHead& head) const;
    /// Runs what find() has found; never throws.
    boost::asio::awaitable<Response> answer(const RequestHead& head, Found found, std::string body);

    /// The listener serves this Host (S-WEB-04). The port is not compared.
    [[nodiscard]] bool is_known_host(std::string_view host) const;

    [[nodiscard]] const Tokens& tokens() const { return tokens_; }

private:
    [[nodiscard]] Found refuse(const RequestHead& head, const Refused& refused) const;

    // Constant once calls come.
    const Tokens tokens_;
    const std::string host_;
    std::vector<Route> routes_;
    std::function<bool()> is_open_ = [] { return true; };
};

/// The line of the log for a call; `status` is the answer's, `detail` what a refused caller was
/// told.
void log_call(const RequestHead& head, unsigned status, std::string_view detail = {});

}  // namespace admin
