// What an admin call answers: a status, fields and a body, or a stream of octets.
// Refusals are problem objects whose detail says how to mend (RFC 9457).
#pragma once

#include "protocol/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admin {

/// The reader's end of a streaming answer.
class Writer {
public:
    virtual ~Writer() = default;
    /// Sends `octets`; false: the reader has gone, or took nothing for 10 s.
    virtual boost::asio::awaitable<bool> write(std::string octets) = 0;
};

struct Response {
    unsigned status = 200;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> fields = {};
    /// If set, it writes the body piece by piece, and the connection ends with it.
    std::function<boost::asio::awaitable<void>(Writer&)> stream = {};
};

/// Ends a call with a problem object.
class Refused : public std::exception {
public:
    /// `detail`: a sentence that says what is wrong and how to mend it. `reason`: a token of
    /// operations.md section 9, or empty.
    Refused(unsigned status, std::string detail, std::string reason = {})
        : status_(status), detail_(std::move(detail)), reason_(std::move(reason)) {}

    /// What a client would have been refused with.
    explicit Refused(const protocol::Error& error);

    [[nodiscard]] const char* what() const noexcept override { return detail_.c_str(); }

    [[nodiscard]] Response response() const;

private:
    unsigned status_;
    std::string detail_;
    std::string reason_;
};

[[nodiscard]] Response json_response(const boost::json::value& value, unsigned status = 200);
[[nodiscard]] Response text_response(std::string_view content_type, std::string body);
/// 204.
[[nodiscard]] Response no_content();
/// 405, naming what is allowed.
[[nodiscard]] Response not_allowed(const std::string& methods);

}  // namespace admin
