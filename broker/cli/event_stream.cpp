// By the HTML standard, section "Server-sent events"; ids and retry times do not matter here.
#include "broker/cli/event_stream.hpp"

#include <algorithm>
#include <utility>

namespace cli {
namespace {

constexpr std::size_t event_max = 1024 * 1024;

/// The value after `name:` and one blank.
std::string_view value_of(std::string_view line, std::size_t colon) {
    if (colon == std::string_view::npos) { return {}; }
    const std::string_view value = line.substr(colon + 1);
    return value.starts_with(' ') ? value.substr(1) : value;
}

void append_bounded(std::string& out, std::string_view text) {
    out += text.substr(0, event_max - std::min(event_max, out.size()));
}

}  // namespace

bool EventStream::take(std::string_view octets) {
    while (is_open_ && !octets.empty()) {
        const std::size_t end = octets.find('\n');
        append_bounded(line_, octets.substr(0, end));
        if (end == std::string_view::npos) { break; }
        octets.remove_prefix(end + 1);
        if (line_.ends_with('\r')) { line_.pop_back(); }
        is_open_ = take_line(line_);
        line_.clear();
    }
    return is_open_;
}

bool EventStream::take_line(std::string_view line) {
    if (line.empty()) {
        const bool goes_on = !has_data_ || on_event_(name_.empty() ? "message" : name_, data_);
        name_.clear();
        data_.clear();
        has_data_ = false;
        return goes_on;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    if (field == "event") {
        name_ = value_of(line, colon);
    } else if (field == "data") {
        if (has_data_) { data_ += '\n'; }
        append_bounded(data_, value_of(line, colon));
        has_data_ = true;
    }
    return true;
}

}  // namespace cli
