// Requests to one HTTP/1.1 server, over TLS that verifies chain and name (S-TLS-04).
// Bounded: requests in flight, time of each from name to last octet, head (8 KiB) and body of an
// answer, 8 connections that wait for the next, each for 30 s. Nothing is followed, no proxy asked,
// nothing allocated because an answer announces it.
#pragma once

#include "broker/engine/secret.hpp"
#include "broker/security/http_url.hpp"
#include "broker/security/outbound.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace security {

/// Why there is no answer: one clause for the log that names the server, without what was sent.
struct HttpFault {
    std::string what;
};

/// The body of an answer with status 200; all others are faults.
using HttpResult = boost::system::result<std::string, HttpFault>;

class HttpClient {
public:
    struct Settings {
        HttpUrl url;
        std::string ca_file = {};  ///< What to trust instead of the system's certificates.
        std::chrono::milliseconds timeout = std::chrono::seconds(2);
        std::size_t body_max = 65'536;
        std::size_t in_flight_max = 64;
        std::chrono::milliseconds idle_max = std::chrono::seconds(30);  ///< Then it is closed.
    };

    /// Called once, on the outbound thread, unless that is stopped first.
    using Done = std::function<void(HttpResult)>;

    /// Throws tls::Error if there is something wrong with the CA file.
    HttpClient(Outbound& outbound, Settings settings);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Any thread. False: as many as may be are in flight, and `done` will not be called. What is
    /// under way when the client goes is answered all the same.
    [[nodiscard]] bool get(Done done);

    /// The same with a body of JSON, wiped once it is sent.
    [[nodiscard]] bool post(engine::Secret json, Done done);

    [[nodiscard]] std::size_t in_flight() const;

private:
    struct Core;
    struct Exchange;

    [[nodiscard]] bool begin(engine::Secret request, Done done);

    std::shared_ptr<Core> core_;
};

}  // namespace security
