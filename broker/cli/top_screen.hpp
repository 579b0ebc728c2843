// What `stampede top` shows and how keys change it.
// Pure: keys and answers of the admin API in, lines of text out.
#pragma once

#include "broker/cli/admin_views.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct KeyPress {
    enum class Kind : std::uint8_t {
        character,
        up,
        down,
        page_up,
        page_down,
        home,
        enter,
        escape,
        backspace,
        tab,
        interrupt,
    };

    Kind kind = Kind::character;
    char character = 0;

    friend bool operator==(const KeyPress&, const KeyPress&) = default;
};

/// The keys in what a terminal has sent; unknown sequences are left out.
[[nodiscard]] std::vector<KeyPress> parse_keys(std::string_view octets);

class TopState {
public:
    static constexpr std::size_t offset_max = 5000;
    static constexpr std::size_t filter_max = 64;

    /// False: the user wants to leave. `page` is how many rows the screen has.
    [[nodiscard]] bool press(const KeyPress& key, std::size_t page);

    /// Which list is wanted, and how.
    [[nodiscard]] const View& view() const;
    [[nodiscard]] AdminQuery query() const;

    [[nodiscard]] std::size_t offset() const { return offset_; }

    [[nodiscard]] bool is_paused() const { return is_paused_; }

    /// `Destinations by depth, falling`, and the filter.
    [[nodiscard]] std::string headline() const;

    /// The rows end before the offset: go back.
    void bound_offset(std::size_t rows, std::size_t page);

private:
    [[nodiscard]] bool press_in_filter(const KeyPress& key);
    void press_character(char key);
    void show(std::size_t view);
    void scroll(std::ptrdiff_t rows);

    std::size_t view_ = 0;
    std::size_t sorts_[3] = {6, 4, 3};  ///< Of each view: index into its sorts.
    bool is_rising_ = false;
    bool is_paused_ = false;
    bool is_typing_ = false;  ///< The filter.
    std::string filter_;
    std::size_t offset_ = 0;
};

struct TopData {
    boost::json::object overview;
    boost::json::object list;  ///< `total` and `items`.
    std::string problem;       ///< Why there is nothing newer.
};

enum class LineStyle : std::uint8_t { plain, bold, reverse, alarm };

struct ScreenLine {
    std::string text;
    LineStyle style = LineStyle::plain;
};

/// How many rows of the list a screen of that height has.
[[nodiscard]] std::size_t rows_on(std::size_t height);

/// `height` lines of at most `width` characters.
[[nodiscard]] std::vector<ScreenLine> screen(
    const TopState& state, const TopData& data, std::size_t width, std::size_t height
);

/// The lines about the broker as a whole.
[[nodiscard]] std::vector<ScreenLine> summary(const boost::json::object& overview);

}  // namespace cli
