#include "protocol/encoder.hpp"

#include "protocol/escape.hpp"

#include <algorithm>

namespace protocol {

namespace {

bool is_connect_command(Command command) {
    return command == Command::connect || command == Command::stomp ||
           command == Command::connected;
}

void append_raw(std::string& out, std::string_view name, std::string_view value) {
    constexpr std::string_view forbidden("\r\n\0", 3);
    const bool unsafe = name.find_first_of(forbidden) != std::string_view::npos ||
                        value.find_first_of(forbidden) != std::string_view::npos ||
                        name.find(':') != std::string_view::npos;
    if (unsafe || name.empty()) { return; }
    out.append(name).append(1, ':').append(value).append(1, '\n');
}

}  // namespace

bool append_header(
    std::string& out, std::string_view name, std::string_view value, Version version
) {
    if (!can_carry(name, value, version)) { return false; }
    append_escaped(out, name, version);
    out.push_back(':');
    append_escaped(out, value, version);
    out.push_back('\n');
    return true;
}

void append_frame(
    std::string& out,
    Command command,
    std::span<const Header> headers,
    std::string_view body,
    Version version
) {
    out.append(to_string(command)).push_back('\n');
    bool has_length = false;
    for (const Header& header : headers) {
        has_length = has_length || header.name == "content-length";
        if (is_connect_command(command)) {
            append_raw(out, header.name, header.value);
        } else {
            append_header(out, header.name, header.value, version);
        }
    }
    if (!body.empty() && !has_length) {
        out.append("content-length:");
        append_number(out, body.size());
        out.push_back('\n');
    }
    out.push_back('\n');
    out.append(body);
    out.push_back('\0');
}

}  // namespace protocol
