// Answers of the admin API as tables: columns, units, alignment.
// Pure. Text of clients is made harmless for terminals; the width of a character is taken as one.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

enum class ColumnKind : std::uint8_t { text, count, rate, bytes, age_ms, yes_no };

struct Column {
    const char* title;
    const char* key;  ///< Member of the row's object.
    ColumnKind kind = ColumnKind::text;
    std::size_t width_max = 48;  ///< Longer text is cut, with `~` at its end.
};

/// `1234567` as `1.2M`; below 10,000 all digits.
[[nodiscard]] std::string short_count(double number);
/// `1536` as `1.5 KiB`.
[[nodiscard]] std::string short_bytes(double octets);
/// `90061000` as `1d 1h`.
[[nodiscard]] std::string short_age(double milliseconds);

/// The number of a member, or 0; its text, or nothing.
[[nodiscard]] double number_of(const boost::json::object& object, std::string_view key);
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view key);

/// `name: value` of each pair of the array `headers`, made harmless, with `separator` between.
[[nodiscard]] std::vector<std::string> header_lines(
    const boost::json::object& object, std::string_view separator
);

/// `text` as its first `width` characters, cut or filled with blanks (before it if `is_right`).
[[nodiscard]] std::string fitted(const std::string& text, std::size_t width, bool is_right = false);

/// A line of titles and one for each row that is an object, each without its line end. Columns are
/// as wide as they need to be; if that is more than `width` in all, wide texts are cut, then the
/// last columns are left out.
[[nodiscard]] std::vector<std::string> table_lines(
    std::span<const Column> columns, const boost::json::array& rows, std::size_t width = 1000
);

}  // namespace cli
