// The admin API under /api (and /api/v1): JSON, for whoever has the token (S-WEB-07).
// Lives on the first shard's io_context. Every request is answered within 5 s, and logged.
#pragma once

#include "broker/admin/scheduled.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admin {

/// What counts of a request; the head may be gone when the answer comes.
struct ApiRequest {
    std::string method;
    std::string target;
    std::string host;
    std::string authorization;
    std::string remote;  ///< For the log.
};

struct ApiResponse {
    unsigned status = 200;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
};

/// What GET /metrics answers, and to whom.
struct MetricsPage {
    std::function<std::string()> text;
    bool is_open = false;  ///< Without the token, too.
};

class Api {
public:
    /// `token` is what `Authorization: Bearer` must say; `host`: where the listener is bound.
    Api(std::string token, std::string host, Scheduled scheduled, MetricsPage metrics);

    [[nodiscard]] static bool is_asked(std::string_view target);

    boost::asio::awaitable<ApiResponse> answer(ApiRequest request);

private:
    [[nodiscard]] bool is_known_host(std::string_view host) const;
    [[nodiscard]] bool is_authorized(std::string_view authorization) const;
    [[nodiscard]] ApiResponse answer_metrics(std::string_view method) const;
    boost::asio::awaitable<ApiResponse> route(const ApiRequest& request);
    boost::asio::awaitable<ApiResponse> list(std::string_view query);
    boost::asio::awaitable<ApiResponse> cancel(std::string id);

    // Constant after construction.
    const std::string token_;
    const std::string host_;
    Scheduled scheduled_;
    const MetricsPage metrics_;
};

}  // namespace admin
