// Cells are made first, so that columns know how wide they are.
#include "broker/cli/table.hpp"

#include "broker/cli/printable.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace cli {
namespace {

std::string scaled(double number, double base, std::span<const char* const> units) {
    std::size_t unit = 0;
    while (number >= base && unit + 1 < units.size()) {
        number /= base;
        ++unit;
    }
    std::array<char, 32> text{};
    const bool is_exact = unit == 0 || number >= 100;
    std::snprintf(text.data(), text.size(), is_exact ? "%.0f%s" : "%.1f%s", number, units[unit]);
    return text.data();
}

std::size_t width_of(std::string_view text) {
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
    return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

std::string first_characters(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    while (end < text.size()) {
        const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U;
        if (begins && count-- == 0) { break; }
        ++end;
    }
    return std::string(text.substr(0, end));
}

bool is_text(ColumnKind kind) {
    return kind == ColumnKind::text || kind == ColumnKind::yes_no;
}

using Cells = std::vector<std::vector<std::string>>;

constexpr std::size_t cut_min = 12;  // Narrower, a text tells nothing.

std::size_t total_of(const std::vector<std::size_t>& widths) {
    std::size_t total = 0;
    for (const std::size_t width : widths) {
        total += width + 2;
    }
    return total - std::min<std::size_t>(total, 2);
}

/// Widths of as many columns as fit.
std::vector<std::size_t> widths_of(
    std::span<const Column> columns, const Cells& cells, std::size_t width
) {
    std::vector<std::size_t> widths(columns.size(), 0);
    for (const auto& row : cells) {
        for (std::size_t c = 0; c < columns.size(); ++c) {
            widths[c] = std::max(widths[c], std::min(width_of(row[c]), columns[c].width_max));
        }
    }
    while (total_of(widths) > width && widths.size() > 1) {
        const auto widest = std::ranges::max_element(widths);
        if (*widest > cut_min) {
            const std::size_t excess = total_of(widths) - width;
            *widest -= std::min(excess, *widest - cut_min);
        } else {
            widths.pop_back();
        }
    }
    return widths;
}

std::string cell_of(const Column& column, const boost::json::object& row) {
    const double number = number_of(row, column.key);
    switch (column.kind) {
        case ColumnKind::text:
            return printable(text_of(row, column.key));
        case ColumnKind::count:
        case ColumnKind::rate:
            return short_count(number);
        case ColumnKind::bytes:
            return short_bytes(number);
        case ColumnKind::age_ms:
            return number == 0 ? "-" : short_age(number);
        case ColumnKind::yes_no:
            break;
    }
    const boost::json::value* const value = row.if_contains(column.key);
    return value != nullptr && value->is_bool() && value->as_bool() ? "yes" : "no";
}

}  // namespace

std::string short_count(double number) {
    static constexpr std::array units{"", "k", "M", "G", "T"};
    if (number > 0 && number < 10 && number != std::floor(number)) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.1f", number);
        return text.data();
    }
    return number < 10'000 ? scaled(number, 10'000, units) : scaled(number, 1000, units);
}

std::string short_bytes(double octets) {
    static constexpr std::array units{" B", " KiB", " MiB", " GiB", " TiB"};
    return scaled(octets, 1024, units);
}

std::string short_age(double milliseconds) {
    const auto seconds = static_cast<long>(milliseconds / 1000);
    const auto pair = [](long more, const char* unit, long less, const char* small) {
        return std::to_string(more) + unit + ' ' + std::to_string(less) + small;
    };
    if (milliseconds < 1000) { return std::to_string(static_cast<long>(milliseconds)) + "ms"; }
    if (seconds < 60) { return std::to_string(seconds) + "s"; }
    if (seconds < 3600) { return pair(seconds / 60, "m", seconds % 60, "s"); }
    if (seconds < 86'400) { return pair(seconds / 3600, "h", seconds % 3600 / 60, "m"); }
    return pair(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

double number_of(const boost::json::object& object, std::string_view key) {
    const boost::json::value* const value = object.if_contains(key);
    if (value == nullptr || !value->is_number()) { return 0; }
    return value->to_number<double>();
}

std::string text_of(const boost::json::object& object, std::string_view key) {
    const boost::json::value* const value = object.if_contains(key);
    if (value == nullptr || value->is_null()) { return {}; }
    if (value->is_string()) { return std::string(value->as_string()); }
    return boost::json::serialize(*value);
}

std::vector<std::string> header_lines(
    const boost::json::object& object, std::string_view separator
) {
    std::vector<std::string> lines;
    const boost::json::value* const headers = object.if_contains("headers");
    if (headers == nullptr || !headers->is_array()) { return lines; }
    for (const boost::json::value& header : headers->as_array()) {
        if (!header.is_array() || header.as_array().size() != 2) { continue; }
        const boost::json::value& name = header.as_array()[0];
        const boost::json::value& value = header.as_array()[1];
        if (!name.is_string() || !value.is_string()) { continue; }
        std::string line = printable(name.as_string());
        lines.push_back(line.append(separator) + printable(value.as_string()));
    }
    return lines;
}

std::string fitted(const std::string& text, std::size_t width, bool is_right) {
    const std::size_t own = width_of(text);
    if (own > width) { return width == 0 ? "" : first_characters(text, width - 1) + '~'; }
    const std::string blanks(width - own, ' ');
    return is_right ? blanks + text : text + blanks;
}

std::vector<std::string> table_lines(
    std::span<const Column> columns, const boost::json::array& rows, std::size_t width
) {
    Cells cells(1);
    for (const Column& column : columns) {
        cells.front().emplace_back(column.title);
    }
    for (const boost::json::value& row : rows) {
        if (!row.is_object()) { continue; }
        cells.emplace_back();
        for (const Column& column : columns) {
            cells.back().push_back(cell_of(column, row.as_object()));
        }
    }
    const std::vector<std::size_t> widths = widths_of(columns, cells, width);
    std::vector<std::string> lines;
    for (const auto& row : cells) {
        std::string line;
        for (std::size_t c = 0; c < widths.size(); ++c) {
            if (c != 0) { line += "  "; }
            line += fitted(row[c], widths[c], !is_text(columns[c].kind));
        }
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace cli
