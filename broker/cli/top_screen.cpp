// Four lines about the broker, a headline, the list, the keys.
#include "broker/cli/top_screen.hpp"

#include "broker/cli/printable.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace cli {
namespace {

using Kind = KeyPress::Kind;

constexpr std::size_t lines_around = 7;  // Summary, headline, titles and keys.
constexpr const char* keys_text =
    "q quit  1 2 3 or Tab view  s sort  r reverse  / filter  PgUp PgDn  p pause";

struct Sequence {
    std::string_view octets;
    Kind kind;
};

constexpr std::array<Sequence, 10> sequences{{
    {"\x1b[A", Kind::up},
    {"\x1b[B", Kind::down},
    {"\x1bOA", Kind::up},
    {"\x1bOB", Kind::down},
    {"\x1b[5~", Kind::page_up},
    {"\x1b[6~", Kind::page_down},
    {"\x1b[H", Kind::home},
    {"\x1bOH", Kind::home},
    {"\x1b[1~", Kind::home},
    {"\x1b[Z", Kind::tab},
}};

Kind kind_of(char octet) {
    switch (octet) {
        case '\x03':
            return Kind::interrupt;
        case '\t':
            return Kind::tab;
        case '\r':
        case '\n':
            return Kind::enter;
        case '\x7f':
        case '\b':
            return Kind::backspace;
        case '\x1b':
            return Kind::escape;
        default:
            return Kind::character;
    }
}

/// The length of an escape sequence that nobody knows.
std::size_t sequence_size(std::string_view octets) {
    std::size_t size = 2;
    while (size < octets.size() && (octets[size] < '@' || octets[size] > '~')) {
        ++size;
    }
    return std::min(size + 1, octets.size());
}

const boost::json::object& part_of(const boost::json::object& object, std::string_view key) {
    static const boost::json::object none;
    const boost::json::value* const value = object.if_contains(key);
    return value != nullptr && value->is_object() ? value->as_object() : none;
}

std::string count_of(const boost::json::object& object, std::string_view key) {
    return short_count(number_of(object, key));
}

std::string bytes_of(const boost::json::object& object, std::string_view key) {
    return short_bytes(number_of(object, key));
}

ScreenLine identity_line(const boost::json::object& o) {
    return {
        "stampede " + printable(text_of(o, "version")) + " on " + printable(text_of(o, "node")) +
            "  " + printable(text_of(o, "state")) + "  up " +
            short_age(number_of(o, "uptime_seconds") * 1000) + "  durability " +
            printable(text_of(o, "durability")),
        LineStyle::bold};
}

ScreenLine alarm_line(const boost::json::object& overview) {
    const boost::json::value* const alarms = overview.if_contains("alarms");
    std::string text;
    if (alarms != nullptr && alarms->is_array()) {
        for (const boost::json::value& alarm : alarms->as_array()) {
            if (!alarm.is_object()) { continue; }
            text +=
                (text.empty() ? "ALARM " : "; ") + printable(text_of(alarm.as_object(), "text"));
        }
    }
    return text.empty() ? ScreenLine{"no alarms"} : ScreenLine{text, LineStyle::alarm};
}

}  // namespace

std::vector<KeyPress> parse_keys(std::string_view octets) {
    std::vector<KeyPress> keys;
    while (!octets.empty()) {
        const auto known = std::ranges::find_if(sequences, [octets](const Sequence& sequence) {
            return octets.starts_with(sequence.octets);
        });
        if (known != sequences.end()) {
            keys.push_back({known->kind});
            octets.remove_prefix(known->octets.size());
        } else if (octets.starts_with("\x1b[") || octets.starts_with("\x1bO")) {
            octets.remove_prefix(sequence_size(octets));
        } else {
            const Kind kind = kind_of(octets.front());
            keys.push_back({kind, kind == Kind::character ? octets.front() : '\0'});
            octets.remove_prefix(1);
        }
    }
    return keys;
}

// ---- State.

const View& TopState::view() const {
    const std::array views{&destinations_view(), &connections_view(), &subscriptions_view()};
    return *views[view_];
}

AdminQuery TopState::query() const {
    return {
        {"match", filter_},
        {"sort", view().sorts[sorts_[view_]]},
        {"order", is_rising_ ? "asc" : "desc"}};
}

std::string TopState::headline() const {
    std::string text;
    const std::array names{"1 Destinations", "2 Connections", "3 Subscriptions"};
    for (std::size_t n = 0; n < names.size(); ++n) {
        text +=
            n == view_ ? std::string("[") + names[n] + "] " : std::string(" ") + names[n] + "  ";
    }
    text += std::string(" by ") + view().sorts[sorts_[view_]] + (is_rising_ ? ", rising" : "");
    if (is_typing_ || !filter_.empty()) { text += "  /" + filter_ + (is_typing_ ? "_" : ""); }
    if (offset_ != 0) { text += "  from " + std::to_string(offset_ + 1); }
    return is_paused_ ? text + "  PAUSED" : text;
}

bool TopState::press(const KeyPress& key, std::size_t page) {
    if (key.kind == Kind::interrupt) { return false; }
    if (is_typing_) { return press_in_filter(key); }
    const auto rows = static_cast<std::ptrdiff_t>(page);
    switch (key.kind) {
        case Kind::up:
            scroll(-1);
            break;
        case Kind::down:
            scroll(1);
            break;
        case Kind::page_up:
            scroll(-rows);
            break;
        case Kind::page_down:
            scroll(rows);
            break;
        case Kind::home:
            offset_ = 0;
            break;
        case Kind::tab:
            show((view_ + 1) % 3);
            break;
        case Kind::escape:
            filter_.clear();
            break;
        case Kind::character:
            if (key.character == 'q' || key.character == 'Q') { return false; }
            press_character(key.character);
            break;
        default:
            break;
    }
    return true;
}

void TopState::press_character(char key) {
    const std::size_t sorts = view().sorts.size();
    switch (key) {
        case '1':
        case '2':
        case '3':
            return show(static_cast<std::size_t>(key - '1'));
        case 's':
            sorts_[view_] = (sorts_[view_] + 1) % sorts;
            return;
        case 'S':
            sorts_[view_] = (sorts_[view_] + sorts - 1) % sorts;
            return;
        case 'r':
            is_rising_ = !is_rising_;
            return;
        case 'p':
        case ' ':
            is_paused_ = !is_paused_;
            return;
        case 'j':
            return scroll(1);
        case 'k':
            return scroll(-1);
        case '/':
            is_typing_ = true;
            filter_.clear();
            offset_ = 0;
            return;
        default:
            return;
    }
}

bool TopState::press_in_filter(const KeyPress& key) {
    if (key.kind == Kind::enter) {
        is_typing_ = false;
    } else if (key.kind == Kind::escape) {
        is_typing_ = false;
        filter_.clear();
    } else if (key.kind == Kind::backspace && !filter_.empty()) {
        filter_.pop_back();
    } else if (key.kind == Kind::character && filter_.size() < filter_max) {
        if (key.character >= ' ' && key.character <= '~') { filter_ += key.character; }
    }
    offset_ = 0;
    return true;
}

void TopState::show(std::size_t view) {
    view_ = view;
    offset_ = 0;
}

void TopState::scroll(std::ptrdiff_t rows) {
    const auto offset = static_cast<std::ptrdiff_t>(offset_) + rows;
    offset_ = std::min(offset_max, static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, offset)));
}

void TopState::bound_offset(std::size_t rows, std::size_t page) {
    offset_ = std::min(offset_, rows > page ? rows - page : 0);
}

// ---- Screen.

std::size_t rows_on(std::size_t height) {
    return height > lines_around ? height - lines_around : 0;
}

std::vector<ScreenLine> summary(const boost::json::object& overview) {
    const boost::json::object& rates = part_of(overview, "rates");
    const boost::json::object& memory = part_of(overview, "memory");
    const boost::json::object& disk = part_of(overview, "disk");
    const std::string messages =
        "in " + count_of(rates, "published") + "/s  out " + count_of(rates, "delivered") +
        "/s  acked " + count_of(rates, "acked") + "/s  received " +
        bytes_of(rates, "received_bytes") + "/s  sent " + bytes_of(rates, "sent_bytes") + "/s";
    const std::string numbers =
        count_of(overview, "connections") + " connections  " + count_of(overview, "subscriptions") +
        " subscriptions  " + count_of(overview, "queue_messages") + " waiting  " +
        count_of(overview, "queue_unacked") + " unacked  memory " + bytes_of(memory, "used_bytes") +
        " of " + bytes_of(memory, "limit_bytes");
    const double free = number_of(disk, "free_bytes");
    return {
        identity_line(overview),
        {messages},
        {numbers + (free > 0 ? "  disk free " + short_bytes(free) : "")},
        alarm_line(overview)};
}

std::vector<ScreenLine> screen(
    const TopState& state, const TopData& data, std::size_t width, std::size_t height
) {
    std::vector<ScreenLine> lines = summary(data.overview);
    if (!data.problem.empty()) { lines.back() = {data.problem, LineStyle::alarm}; }
    lines.push_back({state.headline(), LineStyle::bold});
    boost::json::array rows;
    const boost::json::value* const items = data.list.if_contains("items");
    if (items != nullptr && items->is_array()) {
        const auto& all = items->as_array();
        const std::size_t begin = std::min(state.offset(), all.size());
        const std::size_t count = std::min(rows_on(height), all.size() - begin);
        for (std::size_t n = begin; n < begin + count; ++n) {
            rows.push_back(all[n]);
        }
    }
    for (std::string& line : table_lines(state.view().columns, rows, width)) {
        lines.push_back({std::move(line)});
    }
    lines[5].style = LineStyle::reverse;
    lines.resize(std::max<std::size_t>(height, 1) - 1);
    lines.push_back({keys_text, LineStyle::reverse});
    for (ScreenLine& line : lines) {
        line.text = fitted(line.text, width);
    }
    return lines;
}

}  // namespace cli
