// The admin API under /api (and /api/v1): JSON, for whoever has the token (S-WEB-07).
// Lives on the first shard's io_context. Every request is answered within 5 s, and logged.
#pragma once

#include "broker/admin/scheduled.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace admin {

class Api {
public:
    using Request = boost::beast::http::request<boost::beast::http::empty_body>;
    using Response = boost::beast::http::response<boost::beast::http::string_body>;

    /// `token` is what `Authorization: Bearer` must say; `host`: where the listener is bound.
    Api(std::string token, std::string host, Scheduled scheduled);

    [[nodiscard]] static bool is_asked(std::string_view target);

    /// `remote` is for the log.
    boost::asio::awaitable<Response> answer(const Request& request, std::string remote);

private:
    [[nodiscard]] bool is_known_host(std::string_view host) const;
    [[nodiscard]] bool is_authorized(std::string_view authorization) const;
    boost::asio::awaitable<Response> route(const Request& request);
    boost::asio::awaitable<Response> list(std::string_view query);
    boost::asio::awaitable<Response> cancel(std::string id);

    // Constant after construction.
    const std::string token_;
    const std::string host_;
    Scheduled scheduled_;
};

}  // namespace admin
