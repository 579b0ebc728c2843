#include "protocol/parser.hpp"

#include "protocol/escape.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

namespace protocol {

namespace {

constexpr std::size_t command_line_max = 12;  // "UNSUBSCRIBE" and a CR.
constexpr std::size_t known_head_max = 512;

struct Octets {
    bool backslash = false;
    bool carriage_return = false;
    bool nul = false;
    bool high = false;
};

// One pass that the compiler turns into vector instructions; details are looked at only if it finds
// any.
Octets look_at(std::string_view text) {
    unsigned char backslash = 0;
    unsigned char carriage_return = 0;
    unsigned char nul = 0;
    unsigned char high = 0;
    for (const char c : text) {
        backslash = static_cast<unsigned char>(backslash | (c == '\\'));
        carriage_return = static_cast<unsigned char>(carriage_return | (c == '\r'));
        nul = static_cast<unsigned char>(nul | (c == '\0'));
        high = static_cast<unsigned char>(high | static_cast<unsigned char>(c));
    }
    return {backslash != 0, carriage_return != 0, nul != 0, (high & 0x80U) != 0};
}

const char* find_octet(const char* begin, const char* end, char octet) {
    return static_cast<const char*>(std::memchr(begin, octet, static_cast<std::size_t>(end - begin))
    );
}

bool is_between(char octet) {
    return octet == '\n' || octet == '\r' || octet == '\0';
}

std::uint64_t name_bit(std::string_view name) {
    const auto first = static_cast<unsigned char>(name.front());
    const auto last = static_cast<unsigned char>(name.back());
    return std::uint64_t{1} << ((name.size() * 7U + first * 3U + last) % 64U);
}

// By the first octet alone: more of the line may not have come.
std::string_view hint_for_first_octet(char octet) {
    if (octet == 'P') {
        return "This looks like HTTP, which goes to the ws listener, or like a PROXY header, which "
               "only a listener with proxy_protocol = true takes.";
    }
    if (octet == 'Q') {
        return "This looks like a PROXY header of version 2, which only a listener with "
               "proxy_protocol = true takes.";
    }
    if (octet == '\x16') {
        return "This looks like TLS: connect without TLS, or to a listener that has a certificate.";
    }
    constexpr std::string_view http_methods = "GHOT";
    if (http_methods.find(octet) != std::string_view::npos) {
        return "This looks like HTTP: WebSocket clients connect to the ws listener, not to the "
               "STOMP TCP port.";
    }
    return "Send one of the STOMP client commands in capitals, followed by a line end.";
}

}  // namespace

void Parser::feed(std::span<char> input, bool is_utf8) {
    assert(input_.empty());
    input_ = input;
    input_is_utf8_ = is_utf8;
}

Parser::Event Parser::next() {
    if (error_) { return Event::failed; }
    if (frame_in_held_) {
        std::string().swap(held_);
        frame_in_held_ = false;
    }
    if (stage_ == Stage::between) {
        const Event event = between_frames();
        if (stage_ == Stage::between) { return event; }
    }
    return read_frame();
}

// Skips line ends; leaves stage `command` with the input at the first octet of a frame.
Parser::Event Parser::between_frames() {
    const std::size_t allowed = budget();
    std::size_t skipped = 0;
    while (skipped < input_.size() && skipped < allowed &&
           (pending_cr_ || is_between(input_[skipped]))) {
        if (skip(input_[skipped]) == Event::failed) { return Event::failed; }
        ++skipped;
    }
    if (skipped == allowed && skipped < input_.size()) { return refuse_budget(); }
    input_ = input_.subspan(skipped);
    if (!connected_) { octets_before_connected_ += skipped; }
    if (skipped != 0) { return Event::end_of_line; }
    if (input_.empty()) { return Event::need_more; }
    restart();
    stage_ = Stage::command;
    return Event::need_more;
}

// One octet between frames.
Parser::Event Parser::skip(char octet) {
    if (pending_cr_ && octet != '\n') {
        return fail(
            ErrorCode::bad_frame,
            "A CR between frames is not followed by LF.",
            "End lines with LF or CR LF.",
            "P-FRAME-02"
        );
    }
    pending_cr_ = octet == '\r';
    if (octet != '\0') { return Event::end_of_line; }
    ++scratch_.tolerances.nul_between;
    if (!limits_.strict) { return Event::end_of_line; }
    return fail(
        ErrorCode::bad_frame,
        "NUL between frames.",
        "Send exactly one NUL after a frame.",
        "P-FRAME-02"
    );
}

void Parser::restart() {
    is_split_ = true;
    body_ended_early_ = false;
    seen_names_ = 0;
    header_count_ = 0;
    header_bytes_ = 0;
    line_begin_ = 0;
    scanned_ = 0;
    body_begin_ = 0;
    content_length_.reset();
    scratch_.headers.clear();
}

Parser::Event Parser::read_frame() {
    if (held_.empty()) {
        if (try_repeat()) { return Event::frame; }
        const Event event = scan(input_.data(), input_.size());
        if (event == Event::need_more) { hold(input_.size()); }
        return event;
    }
    if (body_ended_early_) { return scan(held_.data(), held_.size()); }
    while (!input_.empty()) {
        hold(useful_input());
        const Event event = scan(held_.data(), held_.size());
        if (event != Event::need_more) { return event; }
    }
    return Event::need_more;
}

// A publisher that repeats its last header block costs one comparison.
bool Parser::try_repeat() {
    const std::size_t head = known_head_.size();
    if (head == 0 || input_.size() <= head || scanned_ != 0) { return false; }
    if (std::memcmp(input_.data(), known_head_.data(), head) != 0) { return false; }
    char* const body = input_.data() + head;
    const std::size_t rest = input_.size() - head;
    std::size_t body_size = 0;
    if (known_content_length_) {
        body_size = *known_content_length_;
        if (rest <= body_size || body[body_size] != '\0') { return false; }
    } else {
        const char* const nul = find_octet(body, body + rest, '\0');
        if (nul == nullptr ||
            head + static_cast<std::size_t>(nul - body) >= limits_.frame_bytes_max) {
            return false;
        }
        body_size = static_cast<std::size_t>(nul - body);
    }
    scratch_.tolerances.carriage_return += known_line_ends_;
    scratch_.tolerances.raw_colon += known_raw_colons_;
    frame_ = Frame{
        Command::send, known_headers_, std::string_view(body, body_size), true, input_is_utf8_};
    input_ = input_.subspan(head + body_size + 1);
    stage_ = Stage::between;
    return true;
}

// How much of the input can belong to the frame whose beginning is held.
std::size_t Parser::useful_input() const {
    if (stage_ == Stage::body && content_length_) {
        return std::min(input_.size(), body_begin_ + *content_length_ + 1 - held_.size());
    }
    const char terminator = stage_ == Stage::body ? '\0' : '\n';
    const char* const begin = input_.data();
    const char* const found = find_octet(begin, begin + input_.size(), terminator);
    return found == nullptr ? input_.size() : static_cast<std::size_t>(found - begin) + 1;
}

void Parser::hold(std::size_t octets) {
    held_is_utf8_ = input_is_utf8_ && (held_.empty() || held_is_utf8_);
    held_.append(input_.data(), octets);
    input_ = input_.subspan(octets);
    is_split_ = false;
}

// Octets that may still come before CONNECTED, those of the frame being read included.
std::size_t Parser::budget() const {
    if (connected_ || role_ == Role::client) { return std::numeric_limits<std::size_t>::max(); }
    return limits_.before_connected_max -
           std::min(octets_before_connected_, limits_.before_connected_max);
}

Parser::Event Parser::refuse_budget() {
    return fail_at(
        LimitKey::before_connected,
        ErrorCode::frame_too_large,
        "More than " + std::to_string(limits_.before_connected_max) + " octets before CONNECTED.",
        "Send CONNECT first, with credentials that fit, or raise limits.before_connected."
    );
}

bool Parser::is_connecting() const {
    return command_ == Command::connect || command_ == Command::stomp ||
           command_ == Command::connected;
}

// Octets beyond the budget are not looked at, so that where the input is cut makes no difference.
Parser::Event Parser::scan(char* data, std::size_t size) {
    const std::size_t allowed = budget();
    const Event event = scan_stages(data, std::min(size, allowed));
    return event == Event::need_more && size > allowed ? refuse_budget() : event;
}

Parser::Event Parser::scan_stages(char* data, std::size_t size) {
    Event event = Event::need_more;
    if (stage_ == Stage::command) { event = scan_command(data, size); }
    if (stage_ == Stage::headers) { event = scan_headers(data, size); }
    if (stage_ == Stage::body) { event = scan_body(data, size); }
    return event;
}

Parser::Event Parser::scan_command(const char* data, std::size_t size) {
    const std::size_t seen = std::min(size, command_line_max + 1);
    const char* const end = find_octet(data, data + seen, '\n');
    const std::size_t length = end == nullptr ? seen : static_cast<std::size_t>(end - data);
    const bool has_cr = length > 0 && data[length - 1] == '\r';
    const std::string_view line(data, has_cr ? length - 1 : length);
    if (end == nullptr) {
        if (length > command_line_max || line.empty() || !begins_command(line)) {
            return refuse_command(line);
        }
        if (has_cr && !command_from(line)) { return refuse_command(line); }
        return Event::need_more;
    }
    const auto command = command_from(line);
    if (!command) { return refuse_command(line); }
    if (is_server_command(*command) != (role_ == Role::client)) { return refuse_direction(line); }
    command_ = *command;
    line_begin_ = scanned_ = length + 1;
    stage_ = Stage::headers;
    return Event::need_more;
}

Parser::Event Parser::refuse_command(std::string_view line) {
    // Octets after the first that fits no command are left out of the text: they may hold anything.
    std::size_t good = 0;
    while (good < line.size() && begins_command(line.substr(0, good + 1))) {
        ++good;
    }
    const std::string_view shown = line.substr(0, std::min(line.size(), good + 1));
    const std::string_view remedy =
        line.empty() ? "Send a command." : hint_for_first_octet(good == 0 ? line.front() : 'x');
    return fail(
        ErrorCode::bad_frame,
        "Unknown command, at " + quoted(shown) + ".",
        std::string(remedy),
        "P-FRAME-03"
    );
}

Parser::Event Parser::refuse_direction(std::string_view line) {
    const bool is_from_client = role_ == Role::broker;
    return fail(
        ErrorCode::bad_frame,
        std::string(line) +
            (is_from_client ? " is a command of servers." : " is a command of clients."),
        is_from_client ? "Send client commands only." : "Connect to a STOMP server.",
        "P-FRAME-03"
    );
}

std::string_view Parser::line_text(const char* begin, const char* end) const {
    const bool has_cr = end != begin && end[-1] == '\r';
    return {begin, static_cast<std::size_t>(end - begin) - (has_cr ? 1 : 0)};
}

Parser::Event Parser::scan_headers(char* data, std::size_t size) {
    while (const char* const found = find_octet(data + scanned_, data + size, '\n')) {
        const auto end = static_cast<std::size_t>(found - data);
        if (line_text(data + line_begin_, found).empty()) {
            body_begin_ = scanned_ = end + 1;
            stage_ = Stage::body;
            return end_of_head(data);
        }
        if (check_line(data, end) == Event::failed ||
            split_line(data + line_begin_, data + end) == Event::failed) {
            return Event::failed;
        }
        ++header_count_;
        header_bytes_ += line_text(data + line_begin_, found).size();
        line_begin_ = scanned_ = end + 1;
    }
    // A partial line is refused as soon as it cannot become a good one (P-LIM-02, P-FRAME-10).
    const Event event = check_line(data, size);
    scanned_ = size;
    return event;
}

// Limits and NULs of the line [line_begin_, end), complete or not.
Parser::Event Parser::check_line(const char* data, std::size_t end) {
    const std::size_t length = line_text(data + line_begin_, data + end).size();
    if (length == 0) { return Event::need_more; }
    const std::size_t line_max =
        connected_ ? limits_.header_line_max : limits_.header_line_before_connected_max;
    if (find_octet(data + scanned_, data + end, '\0') != nullptr) {
        const bool at_start = data[line_begin_] == '\0';
        return fail(
            ErrorCode::bad_frame,
            at_start ? "The blank line between headers and NUL is missing."
                     : "NUL inside the headers.",
            "End the headers with a blank line, then body and NUL.",
            "P-FRAME-10"
        );
    }
    if (length > line_max) {
        const LimitKey limit =
            connected_ ? LimitKey::header_line : LimitKey::header_line_before_connected;
        return fail_at(
            limit,
            ErrorCode::header_too_large,
            "A header line is longer than " + std::to_string(line_max) + " octets.",
            "Shorten it, move the data to the body, or raise " + std::string(name_of(limit)) + "."
        );
    }
    if (header_bytes_ + length > limits_.header_bytes_max) {
        return fail_at(
            LimitKey::header_bytes,
            ErrorCode::header_too_large,
            "The headers are longer than " + std::to_string(limits_.header_bytes_max) +
                " octets together.",
            "Send fewer or shorter headers, or raise limits.header_bytes."
        );
    }
    if (header_count_ >= limits_.header_count_max) {
        return fail_at(
            LimitKey::header_count,
            ErrorCode::header_too_large,
            "More than " + std::to_string(limits_.header_count_max) + " headers.",
            "Send fewer headers, or raise limits.header_count."
        );
    }
    return Event::need_more;
}

// Checks one header line and cuts it into the shared headers, still escaped. While a frame comes in
// pieces its lines are only checked: the shared headers may meanwhile serve other parsers.
Parser::Event Parser::split_line(char* begin, char* end) {
    const std::string_view line = line_text(begin, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return fail(
            ErrorCode::bad_frame,
            // Not what it says: that may be a part of a passcode, a token or a body.
            (colon == 0 ? "A header has no name: line " : "A header line has no colon: line ") +
                std::to_string(header_count_ + 2) + " of the frame.",
            "Write headers as name:value, and a blank line before the body.",
            "P-FRAME-05"
        );
    }
    if (is_split_) { add_header({line.substr(0, colon), line.substr(colon + 1)}); }
    return Event::need_more;
}

// The first entry of a name counts (P-FRAME-09).
void Parser::add_header(const Header& header) {
    const std::uint64_t bit = name_bit(header.name);
    if ((seen_names_ & bit) != 0) {
        const auto same = [&](const Header& other) { return other.name == header.name; };
        if (std::any_of(scratch_.headers.begin(), scratch_.headers.end(), same)) { return; }
    }
    seen_names_ |= bit;
    scratch_.headers.push_back(header);
}

// The headers as views into `data`, when those made while scanning pointed into an older buffer.
Parser::Event Parser::split_again(char* data) {
    scratch_.headers.clear();
    seen_names_ = 0;
    is_split_ = true;
    char* line = data + line_end_of_command(data);
    for (;;) {
        char* const end = line + (find_octet(line, data + body_begin_, '\n') - line);
        if (line_text(line, end).empty()) { break; }
        if (split_line(line, end) == Event::failed) { return Event::failed; }
        line = end + 1;
    }
    return Event::need_more;
}

std::size_t Parser::line_end_of_command(const char* data) const {
    return static_cast<std::size_t>(find_octet(data, data + body_begin_, '\n') - data) + 1;
}

// 1.0, and a CONNECT that can only be 1.0, allow blanks before a value (P-FRAME-06).
bool Parser::trims_values() const {
    if (connected_) { return version_ == Version::v1_0; }
    const auto is_accept_version = [](const Header& header) {
        return header.name == "accept-version";
    };
    return role_ == Role::broker &&
           std::none_of(scratch_.headers.begin(), scratch_.headers.end(), is_accept_version);
}

Parser::Event Parser::end_of_head(char* data) {
    if (!is_split_ && split_again(data) == Event::failed) { return Event::failed; }
    if (trims_values()) {
        for (Header& header : scratch_.headers) {
            header.value.remove_prefix(
                std::min(header.value.find_first_not_of(' '), header.value.size())
            );
        }
    }
    if (read_content_length() == Event::failed) { return Event::failed; }
    const std::size_t size = body_begin_ + content_length_.value_or(0) + 1;
    if (size > limits_.frame_bytes_max || size > budget()) {
        const LimitKey limit = connected_ ? LimitKey::frame : LimitKey::before_connected;
        return fail_at(
            limit,
            ErrorCode::frame_too_large,
            "The frame has " + std::to_string(size) + " octets; the limit is " +
                std::to_string(
                    connected_ ? limits_.frame_bytes_max : limits_.before_connected_max
                ) +
                ".",
            "Send smaller bodies, or raise " + std::string(name_of(limit)) + "."
        );
    }
    return Event::need_more;
}

Parser::Event Parser::read_content_length() {
    const auto is_length = [](const Header& header) { return header.name == "content-length"; };
    const auto found = std::find_if(scratch_.headers.begin(), scratch_.headers.end(), is_length);
    if (found == scratch_.headers.end()) { return Event::need_more; }
    std::uint64_t number = 0;
    bool good = !found->value.empty() && found->value.size() <= 10;
    for (const char digit : found->value) {
        if (!good || digit < '0' || digit > '9') {
            good = false;
            break;
        }
        number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (!good) {
        return fail(
            ErrorCode::bad_frame,
            "content-length is not a number of 1 to 10 digits: " + quoted(found->value) + ".",
            "Send the body's length in octets as a decimal number.",
            "P-FRAME-11"
        );
    }
    content_length_ = number;
    return Event::need_more;
}

Parser::Event Parser::scan_body(char* data, std::size_t size) {
    if (content_length_) {
        const std::size_t end = body_begin_ + *content_length_;
        if (size <= end) {
            return body_ended_early_ ? finish(data, size - body_begin_) : Event::need_more;
        }
        return data[end] == '\0' ? finish(data, *content_length_) : refuse_body_end();
    }
    const char* const nul = find_octet(data + scanned_, data + size, '\0');
    const std::size_t seen = nul == nullptr ? size : static_cast<std::size_t>(nul - data);
    if (seen + 1 > limits_.frame_bytes_max) {
        return fail_at(
            LimitKey::frame,
            ErrorCode::frame_too_large,
            "The frame is longer than " + std::to_string(limits_.frame_bytes_max) + " octets.",
            "Send smaller bodies, or raise limits.frame."
        );
    }
    scanned_ = seen;
    if (nul == nullptr && !body_ended_early_) { return Event::need_more; }
    return finish(data, seen - body_begin_);
}

Parser::Event Parser::refuse_body_end() {
    return fail(
        ErrorCode::bad_frame,
        "No NUL follows the " + std::to_string(*content_length_) +
            " octets that content-length announces.",
        "Count octets, not characters; a surrogate pair cut between two WebSocket messages also "
        "does this: "
        "use a larger maxWebSocketFrameSize.",
        "P-FRAME-12"
    );
}

// The frame is whole: check and unescape its headers, hand it out, leave the input behind it.
Parser::Event Parser::finish(char* data, std::size_t body_size) {
    if (!is_split_) {
        // Head and body came in different pieces: end_of_head() worked on an older buffer.
        if (split_again(data) == Event::failed || end_of_head(data) == Event::failed) {
            return Event::failed;
        }
    }
    const std::string_view head(data, body_begin_);
    if (check_head_octets(head) == Event::failed) { return Event::failed; }
    std::string_view body(data + body_begin_, body_size);
    if (!body.empty() && command_ != Command::send && role_ == Role::broker) {
        ++scratch_.tolerances.body_dropped;
        if (limits_.strict) {
            return fail(
                ErrorCode::bad_frame,
                "Only SEND may have a body.",
                "Leave the body out.",
                "P-FRAME-13"
            );
        }
        body = {};
    }
    frame_ = Frame{
        command_, scratch_.headers, body, false, held_.empty() ? input_is_utf8_ : held_is_utf8_};
    const std::size_t frame_size = body_begin_ + body_size + (body_ended_early_ ? 0 : 1);
    if (!connected_) { octets_before_connected_ += frame_size; }
    if (held_.empty()) {
        input_ = input_.subspan(frame_size);
    } else {
        frame_in_held_ = true;
    }
    stage_ = Stage::between;
    scanned_ = 0;
    return Event::frame;
}

Parser::Event Parser::check_head_octets(std::string_view head) {
    const Octets octets = look_at(head);
    if (octets.high && !is_utf8(head)) {
        return fail(
            ErrorCode::bad_utf8,
            "A header is not valid UTF-8.",
            "Encode headers as UTF-8.",
            "P-FRAME-14"
        );
    }
    if (octets.carriage_return && (is_connecting() || version_ == Version::v1_2)) {
        for (const Header& header : scratch_.headers) {
            if (header.name.find('\r') == std::string_view::npos &&
                header.value.find('\r') == std::string_view::npos) {
                continue;
            }
            return fail(
                ErrorCode::bad_frame,
                "A CR inside the header " + quoted(header.name) + ".",
                "Escape it as \\r (STOMP 1.2), or leave it out.",
                "P-FRAME-04"
            );
        }
    }
    const Tolerances before = scratch_.tolerances;
    if (octets.carriage_return && count_line_ends(head) == Event::failed) { return Event::failed; }
    if (connected_ && version_ != Version::v1_0 && !is_connecting()) {
        if (count_raw_colons() == Event::failed) { return Event::failed; }
        if (octets.backslash && unescape_headers() == Event::failed) { return Event::failed; }
    }
    if (command_ == Command::send && role_ == Role::broker && connected_) {
        known_head_.clear();
        known_line_ends_ = scratch_.tolerances.carriage_return - before.carriage_return;
        known_raw_colons_ = scratch_.tolerances.raw_colon - before.raw_colon;
        if (!octets.backslash && head.size() <= known_head_max) { remember_head(head.data()); }
    }
    return Event::need_more;
}

// A CR before LF belongs to the line in 1.0 and 1.1: leaving it out is a tolerance (P-FRAME-04).
Parser::Event Parser::count_line_ends(std::string_view head) {
    const bool is_tolerance = connected_ && version_ != Version::v1_2 && !is_connecting();
    if (!is_tolerance || head.find("\r\n") == std::string_view::npos) { return Event::need_more; }
    ++scratch_.tolerances.carriage_return;
    if (!limits_.strict) { return Event::need_more; }
    return fail(
        ErrorCode::bad_frame,
        "A line ends with CR LF, which STOMP " + std::string(to_string(version_)) +
            " does not know.",
        "End lines with LF alone, or connect with accept-version:1.2.",
        "P-FRAME-04"
    );
}

// Values are still escaped here: any colon is a raw one (P-FRAME-05).
Parser::Event Parser::count_raw_colons() {
    for (const Header& header : scratch_.headers) {
        if (header.value.find(':') == std::string_view::npos) { continue; }
        ++scratch_.tolerances.raw_colon;
        if (limits_.strict) {
            return fail(
                ErrorCode::bad_frame,
                "An unescaped colon in the value of " + quoted(header.name) + ".",
                "Escape it as \\c.",
                "P-FRAME-05"
            );
        }
    }
    return Event::need_more;
}

Parser::Event Parser::unescape_headers() {
    const auto undo = [this](std::string_view& text) {
        // The views point into our own mutable input.
        char* const begin = const_cast<char*>(text.data());
        const bool lenient = limits_.lenient_escapes && !limits_.strict;
        if (lenient && has_undefined_escape(text, version_)) { ++scratch_.tolerances.escape_kept; }
        const auto size = unescape_in_place(begin, text.size(), version_, lenient);
        if (size) { text = text.substr(0, *size); }
        return size.has_value();
    };
    for (Header& header : scratch_.headers) {
        if (undo(header.name) && undo(header.value)) { continue; }
        return fail(
            ErrorCode::bad_frame,
            "An undefined escape in the header " + quoted(header.name) + ".",
            version_ == Version::v1_1 ? "STOMP 1.1 knows \\n, \\c and \\\\ only."
                                      : "STOMP 1.2 knows \\r, \\n, \\c and \\\\ only.",
            "P-FRAME-08"
        );
    }
    // Two spellings of one name are one name: the first entry still counts.
    std::vector<Header>& headers = scratch_.headers;
    for (std::size_t i = 1; i < headers.size(); ++i) {
        const auto same = [&](const Header& other) { return other.name == headers[i].name; };
        const auto begin = headers.begin();
        if (std::any_of(begin, begin + static_cast<std::ptrdiff_t>(i), same)) {
            headers.erase(begin + static_cast<std::ptrdiff_t>(i--));
        }
    }
    return Event::need_more;
}

void Parser::remember_head(const char* data) {
    known_head_.assign(data, body_begin_);
    known_headers_.clear();
    for (const Header& header : scratch_.headers) {
        const auto at = [&](std::string_view text) {
            return std::string_view(known_head_)
                .substr(static_cast<std::size_t>(text.data() - data), text.size());
        };
        known_headers_.push_back({at(header.name), at(header.value)});
    }
    known_content_length_ = content_length_;
}

void Parser::connected(Version version) {
    version_ = version;
    connected_ = true;
}

bool Parser::is_connect_without_nul() const {
    return !connected_ && stage_ == Stage::body && is_connecting();
}

void Parser::supply_missing_nul() {
    assert(is_connect_without_nul());
    body_ended_early_ = true;
}

// Of a frame in pieces only its whole lines are known, in held_; otherwise they are cut already.
void Parser::find_failed_receipt() {
    std::string_view value;
    if (is_split_) {
        const auto is_receipt = [](const Header& header) { return header.name == "receipt"; };
        const auto found =
            std::find_if(scratch_.headers.begin(), scratch_.headers.end(), is_receipt);
        if (found != scratch_.headers.end()) { value = found->value; }
    } else {
        constexpr std::string_view start = "\nreceipt:";
        const std::string_view lines = std::string_view(held_).substr(0, line_begin_);
        const std::size_t at = lines.find(start);
        if (at == std::string_view::npos) { return; }
        const char* const begin = lines.data() + at + start.size();
        value = line_text(begin, find_octet(begin, lines.data() + lines.size(), '\n'));
    }
    if (connected_ && version_ == Version::v1_0) {
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    }
    const bool is_usable =
        value.size() <= limits_.id_bytes_max && value.find('\\') == std::string_view::npos;
    if (is_usable && is_utf8(value)) { failed_receipt_ = value; }
}

Parser::Event Parser::fail_at(
    LimitKey limit, ErrorCode code, std::string what, std::string remedy
) {
    (void)fail(code, std::move(what), std::move(remedy), "P-LIM-01");
    error_->limit = limit;
    return Event::failed;
}

Parser::Event Parser::fail(
    ErrorCode code, std::string what, std::string remedy, std::string_view rule
) {
    error_ = std::make_unique<Error>(Error{code, std::move(what), std::move(remedy), rule});
    if (stage_ != Stage::between && stage_ != Stage::command && !is_connecting()) {
        find_failed_receipt();
    }
    stage_ = Stage::between;
    input_ = {};
    std::string().swap(held_);
    return Event::failed;
}

}  // namespace protocol
