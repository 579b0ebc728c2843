// Escaping and the two spellings of a record.
// Linear in the part of a value that is shown.
#include "broker/log/record.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

namespace logging {

namespace {

constexpr std::string_view cut_mark = "...";

bool is_between(char octet, unsigned low, unsigned high) {
    const auto value = static_cast<unsigned char>(octet);
    return value >= low && value <= high;
}

// Octets of the well-formed UTF-8 character at the start of `text` (RFC 3629), 0 if there is none.
std::size_t character_size(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) { return 1; }
    if (first < 0xC2 || first > 0xF4) { return 0; }
    const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() < size) { return 0; }
    const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (!is_between(text[1], low, high)) { return 0; }
    for (std::size_t i = 2; i < size; ++i) {
        if (!is_between(text[i], 0x80, 0xBF)) { return 0; }
    }
    return size;
}

void append_control(std::string& out, unsigned code) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
}

void append_ascii(std::string& out, char octet) {
    switch (octet) {
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        default:
            break;
    }
    const auto code = static_cast<unsigned char>(octet);
    if (code < 0x20 || code == 0x7F) { return append_control(out, code); }
    out += octet;
}

bool is_c1(std::string_view character) {
    return character.size() == 2 && character[0] == '\xC2' && is_between(character[1], 0x80, 0x9F);
}

// Appends the first character of `text`, escaped, and returns how many octets it took.
std::size_t append_character(std::string& out, std::string_view text) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size);
    if (size == 0) {
        out += "\\ufffd";
        return 1;
    }
    if (size == 1) {
        append_ascii(out, character.front());
    } else if (is_c1(character)) {
        append_control(out, static_cast<unsigned char>(character[1]));
    } else {
        out += character;
    }
    return size;
}

std::string timestamp(std::chrono::sys_time<std::chrono::microseconds> time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t calendar = second.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&calendar, &parts);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        parts.tm_year + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
        (time - second).count()
    );
}

void append_number(std::string& out, const Field& field) {
    if (field.kind() == Field::Kind::integer) {
        out += std::to_string(static_cast<std::int64_t>(field.number()));
    } else {
        out += std::to_string(field.number());
    }
}

void append_quoted(std::string& out, std::string_view value, std::size_t max) {
    out += '"';
    append_escaped(out, value, max);
    out += '"';
}

void append_member(
    std::string& out, std::string_view name, std::string_view value, std::size_t max
) {
    append_quoted(out, name, field_bytes_max);
    out += ':';
    append_quoted(out, value, max);
}

void append_json_field(std::string& out, const Field& field) {
    out += ',';
    if (field.kind() == Field::Kind::text) {
        return append_member(out, field.name(), field.text(), field_bytes_max);
    }
    append_quoted(out, field.name(), field_bytes_max);
    out += ':';
    append_number(out, field);
}

void append_text_field(std::string& out, const Field& field) {
    out += ' ';
    append_escaped(out, field.name(), field_bytes_max);
    out += '=';
    if (field.kind() != Field::Kind::text) { return append_number(out, field); }
    const std::size_t start = out.size();
    append_escaped(out, field.text(), field_bytes_max);
    const bool is_plain =
        out.size() > start && out.find_first_of(" =\\", start) == std::string::npos;
    if (is_plain) { return; }
    out.insert(start, 1, '"');
    out += '"';
}

}  // namespace

void append_escaped(std::string& out, std::string_view value, std::size_t max) {
    const std::size_t start = out.size();
    std::size_t uncut = start;
    while (!value.empty()) {
        value.remove_prefix(append_character(out, value));
        if (out.size() - start + cut_mark.size() <= max) { uncut = out.size(); }
        if (out.size() - start > max) {
            out.resize(uncut);
            out += cut_mark;
            return;
        }
    }
}

std::string_view level_name(Level level) {
    static constexpr std::array<std::string_view, 6> names{
        "trace", "debug", "info", "warn", "error", "off"};
    return names.at(static_cast<std::size_t>(level));
}

std::string to_json(const Record& record) {
    std::string line = "{";
    append_member(line, "ts", timestamp(record.time), field_bytes_max);
    line += ',';
    append_member(line, "level", level_name(record.level), field_bytes_max);
    line += ',';
    append_member(line, "msg", record.message, message_bytes_max);
    line += ',';
    append_member(line, "event", record.event, field_bytes_max);
    for (const Field& field : record.fields) {
        append_json_field(line, field);
    }
    line += '}';
    return line;
}

std::string to_object(Fields fields) {
    std::string object;
    for (const Field& field : fields) {
        if (field.kind() != Field::Kind::text || !field.text().empty()) {
            append_json_field(object, field);
        }
    }
    if (object.empty()) { return "{}"; }
    object.front() = '{';
    object += '}';
    return object;
}

std::string to_text(const Record& record) {
    std::string line = fmt::format("{} {:<5} ", timestamp(record.time), level_name(record.level));
    append_escaped(line, record.event, field_bytes_max);
    line += ": ";
    append_escaped(line, record.message, message_bytes_max);
    for (const Field& field : record.fields) {
        append_text_field(line, field);
    }
    return line;
}

}  // namespace logging
