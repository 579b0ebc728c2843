// A format string becomes a list of pieces; JSON is written by Boost.JSON.
#include "broker/cli/format.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/printable.hpp"
#include "protocol/base64.hpp"
#include "protocol/utf8.hpp"

#include <boost/json.hpp>

namespace cli {
namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Failure(ExitCode::usage, "bad --format: " + what + "; see stampede sub --help");
}

char unescaped(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case '0':
            return '\0';
        case '\\':
            return '\\';
        default:
            refuse(std::string("\\") + c + " means nothing");
    }
}

std::string all_headers(const protocol::Frame& frame) {
    std::string text;
    std::string_view separator;
    for (const protocol::Header& header : frame.headers) {
        text.append(separator).append(header.name).append(":").append(header.value);
        separator = ",";
    }
    return text;
}

}  // namespace

MessageFormat::MessageFormat(std::string_view format, Text text) : text_(text) {
    while (!format.empty()) {
        const char c = format.front();
        format.remove_prefix(1);
        if (c != '%' && c != '\\') {
            add_literal(c);
            continue;
        }
        if (format.empty()) { refuse("it ends in the middle of a directive"); }
        if (c == '%') {
            format = add_directive(format);
        } else {
            add_literal(unescaped(format.front()));
            format.remove_prefix(1);
        }
    }
}

void MessageFormat::add_literal(char c) {
    if (pieces_.empty() || pieces_.back().kind != Kind::literal) {
        pieces_.push_back({Kind::literal, {}});
    }
    pieces_.back().text += c;
}

// `rest` begins after the percent sign; returns what follows the directive.
std::string_view MessageFormat::add_directive(std::string_view rest) {
    std::size_t used = 1;
    switch (rest.front()) {
        case '%':
            add_literal('%');
            break;
        case 'd':
            pieces_.push_back({Kind::header, "destination"});
            break;
        case 'i':
            pieces_.push_back({Kind::header, "message-id"});
            break;
        case 's':
            pieces_.push_back({Kind::header, "subscription"});
            break;
        case 'h':
            pieces_.push_back({Kind::all_headers, {}});
            break;
        case 'b':
            pieces_.push_back({Kind::body, {}});
            break;
        case 'l':
            pieces_.push_back({Kind::length, {}});
            break;
        case 't':
            pieces_.push_back({Kind::time, {}});
            break;
        case '{': {
            const std::size_t close = rest.find('}');
            if (close == std::string_view::npos) { refuse("the brace of %{name} is not closed"); }
            pieces_.push_back({Kind::header, std::string(rest.substr(1, close - 1))});
            used = close + 1;
            break;
        }
        default:
            refuse(std::string("%") + rest.front() + " means nothing");
    }
    return rest.substr(used);
}

void MessageFormat::append_text(std::string& out, std::string_view text) const {
    if (text_ == Text::printable) { return append_printable(out, text, Blanks::kept); }
    out += text;
}

void MessageFormat::append(std::string& out, const protocol::Frame& frame, std::string_view time)
    const {
    for (const Piece& piece : pieces_) {
        switch (piece.kind) {
            case Kind::literal:
                out += piece.text;
                break;
            case Kind::header:
                append_text(out, frame.find(piece.text).value_or(""));
                break;
            case Kind::all_headers:
                append_text(out, all_headers(frame));
                break;
            case Kind::body:
                append_text(out, frame.body);
                break;
            case Kind::length:
                out += std::to_string(frame.body.size());
                break;
            case Kind::time:
                out += time;
                break;
        }
    }
}

std::string to_json(const protocol::Frame& frame, bool with_body) {
    boost::json::object headers;
    for (const protocol::Header& header : frame.headers) {
        headers[header.name] = header.value;
    }
    boost::json::object object;
    object["headers"] = std::move(headers);
    if (with_body && protocol::is_utf8(frame.body)) {
        object["body"] = frame.body;
    } else if (with_body) {
        object["body_base64"] = protocol::encode_base64(frame.body);
    }
    return boost::json::serialize(object);
}

}  // namespace cli
