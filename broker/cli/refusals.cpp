// One small table per kind of refusal; unknown ones are reported as they came.
#include "broker/cli/refusals.hpp"

#include "protocol/error.hpp"

#include <algorithm>

namespace cli {
namespace {

constexpr std::size_t quoted_max = 2000;

// Text of the peer, for a terminal: control characters but line feed and tab become '?'.
std::string printable(std::string_view text) {
    std::string out(text.substr(0, quoted_max));
    std::replace_if(
        out.begin(),
        out.end(),
        [](char c) {
            return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == '\x7f';
        },
        '?'
    );
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) {
        out.pop_back();
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out;
    for (const char c : "\n" + printable(text)) {
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
    std::string text = "the broker answered ERROR: " + printable(message);
    if (!error.body.empty()) { text += indented(error.body); }
    return {exit_code_for(message), text};
}

Failure refused_by_close(std::uint16_t code, std::string_view reason) {
    std::string text = "the broker closed the connection: " + std::to_string(code);
    if (!reason.empty()) { text += ' ' + printable(reason); }
    const std::string_view advice = advice_for_close(code);
    if (!advice.empty()) { text.append("; ").append(advice); }
    return {exit_code_for(reason), text};
}

Failure refused_by_http(unsigned status, std::string_view body, const std::string& where) {
    std::string text =
        where + " answered HTTP " + std::to_string(status) + " to the WebSocket upgrade; ";
    text += advice_for_status(status);
    if (!printable(body).empty()) { text += indented(body); }
    return {status == 401 || status == 403 ? ExitCode::refused : ExitCode::failure, text};
}

}  // namespace cli
