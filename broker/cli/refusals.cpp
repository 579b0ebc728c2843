// One small table per kind of refusal; unknown ones are reported as they came.
#include "broker/cli/refusals.hpp"

#include "broker/cli/printable.hpp"
#include "protocol/error.hpp"

#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/sslerr.h>

namespace cli {
namespace {

constexpr std::size_t quoted_max = 2000;

std::string quoted(std::string_view text) {
    std::string out = printable(text.substr(0, quoted_max), Blanks::kept);
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) {
        out.pop_back();
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out;
    for (const char c : "\n" + quoted(text)) {
        out += c;
        if (c == '\n') { out += "  "; }
    }
    return out;
}

// Besides our own tokens, what RabbitMQ and ActiveMQ say.
bool is_refused_access(std::string_view message) {
    const std::string_view word = message.substr(0, message.find_first_of(" :"));
    return word == "auth-failed" || word == "access-denied" || word == "token-expired" ||
           message == "Bad CONNECT" || message == "access_refused" ||
           message.starts_with("User name [");
}

std::string_view advice_for_close(std::uint16_t code) {
    switch (code) {
        case 1002:
            return "the broker did not understand this client: is the URL that of a STOMP broker?";
        case 1005:
            return "the broker gave no reason; its log may tell";
        case 1009:
            return "send smaller messages, or raise the broker's limit";
        case 1011:
            return "the broker had an internal error; see its log";
        case 1012:
            return "the broker is shutting down; try again in some seconds";
        case 1013:
            return "the broker is overloaded or this client too slow; try again later";
        default:
            return {};
    }
}

std::string_view advice_for_status(unsigned status) {
    switch (status) {
        case 101:
            return "its answer to the upgrade is not valid";
        case 401:
            return "log in: user and passcode were not accepted";
        case 403:
            return "the broker does not allow this origin or address";
        case 404:
            return "no WebSocket at this path; Stampede's are /ws and /stomp";
        case 421:
            return "the broker does not serve this host name";
        case 426:
            return "something there speaks HTTP but not this WebSocket version";
        case 429:
            return "too many connections from this address";
        case 503:
            return "the broker is draining or overloaded; try again later";
        default:
            return "is this the port of the broker's WebSocket listener?";
    }
}

}  // namespace

ExitCode exit_code_for(std::string_view message) {
    return is_refused_access(message) ? ExitCode::refused : ExitCode::failure;
}

Failure refused_by_error(const protocol::Frame& error) {
    const std::string_view message = error.find("message").value_or("no message");
    std::string text = "the broker answered ERROR: " + quoted(message);
    if (!error.body.empty()) { text += indented(error.body); }
    return {exit_code_for(message), text};
}

Failure refused_by_close(std::uint16_t code, std::string_view reason) {
    std::string text = "the broker closed the connection: " + std::to_string(code);
    if (!reason.empty()) { text += ' ' + quoted(reason); }
    const std::string_view advice = advice_for_close(code);
    if (!advice.empty()) { text.append("; ").append(advice); }
    return {exit_code_for(reason), text};
}

Failure refused_by_http(unsigned status, std::string_view body, const std::string& where) {
    std::string text =
        where + " answered HTTP " + std::to_string(status) + " to the WebSocket upgrade; ";
    text += advice_for_status(status);
    if (!quoted(body).empty()) { text += indented(body); }
    return {status == 401 || status == 403 ? ExitCode::refused : ExitCode::failure, text};
}

bool is_certificate_wanted(const boost::system::error_code& ec) {
    // TLS 1.2 says handshake_failure instead, which may mean anything.
    const auto code = static_cast<unsigned long>(ec.value());
    return ec.category() == boost::asio::error::get_ssl_category() &&
           ERR_GET_REASON(code) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
}

Failure certificate_wanted(const std::string& where) {
    return {
        ExitCode::refused, where + " wants a client certificate: give one with --cert and --key"};
}

}  // namespace cli
