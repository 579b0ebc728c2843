// The octets are two lines that the broker wrote, header lines as 1.2 has them, a blank line, the
// body and NUL.
#include "broker/cli/dump.hpp"

#include "protocol/base64.hpp"
#include "protocol/escape.hpp"
#include "protocol/utf8.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <optional>

namespace cli {
namespace {

struct Line {
    std::string name;
    std::string value;
};

std::optional<std::string> unescaped(std::string_view text) {
    std::string value(text);
    const auto size =
        protocol::unescape_in_place(value.data(), value.size(), protocol::Version::v1_2, false);
    if (!size || !protocol::is_utf8(std::string_view(value).substr(0, *size))) {
        return std::nullopt;
    }
    value.resize(*size);
    return value;
}

// Takes a header line off the front of `text`.
std::optional<Line> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::size_t colon = text.find(':');
    if (end == std::string_view::npos || colon >= end) { return std::nullopt; }
    auto name = unescaped(text.substr(0, colon));
    auto value = unescaped(text.substr(colon + 1, end - colon - 1));
    if (!name || !value) { return std::nullopt; }
    text.remove_prefix(end + 1);
    return Line{std::move(*name), std::move(*value)};
}

std::optional<Line> take_line(std::string_view& text, std::string_view name) {
    auto line = take_line(text);
    return line && line->name == name ? line : std::nullopt;
}

std::optional<boost::json::object> take_headers(std::string_view& text) {
    boost::json::object headers;
    while (!text.starts_with('\n')) {
        const auto line = take_line(text);
        if (!line) { return std::nullopt; }
        headers.emplace(line->name, line->value);
    }
    text.remove_prefix(1);
    return headers;
}

// What follows the headers has the length that was said, and ends with NUL.
bool is_body(std::string_view text, std::string_view length) {
    std::size_t size = 0;
    const char* const end = length.data() + length.size();
    const auto [stop, ec] = std::from_chars(length.data(), end, size);
    return ec == std::errc() && stop == end && size + 1 == text.size() && text.back() == '\0';
}

bool add_message(boost::json::object& object, std::string_view octets) {
    const auto id = take_line(octets, "message-id");
    if (!id) { return false; }
    const auto length = take_line(octets, "content-length");
    if (!length) { return false; }
    auto headers = take_headers(octets);
    if (!headers || !is_body(octets, length->value)) { return false; }
    const std::string_view body = octets.substr(0, octets.size() - 1);
    object["message-id"] = id->value;
    object["headers"] = std::move(*headers);
    if (protocol::is_utf8(body)) {
        object["body"] = body;
    } else {
        object["body_base64"] = protocol::encode_base64(body);
    }
    return true;
}

}  // namespace

std::string to_json(const DumpedMessage& message) {
    boost::json::object object{{"sequence", message.sequence}, {"deliveries", message.deliveries}};
    if (message.is_damaged) {
        object["damaged"] = true;
    } else if (!add_message(object, message.octets)) {
        object["octets_base64"] = protocol::encode_base64(message.octets);
    }
    return boost::json::serialize(object);
}

}  // namespace cli
