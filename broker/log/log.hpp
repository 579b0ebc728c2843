// Structured log records to stderr or a file: text on a terminal, JSON lines otherwise (S-LOG-01,
// S-LOG-02).
// Values are data: escaped, at most 256 octets each, never a format string. Callers pass no bodies
// and no secrets. The namespace is `logging` because `log` is already a function of <cmath>.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace logging {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };

enum class Format : std::uint8_t { automatic, text, json };

struct Options {
    Level level = Level::info;
    Format format = Format::automatic;  ///< automatic: text on a terminal, else JSON.
    bool async = true;                  ///< A writer thread; the oldest lines go if it lags behind.
    std::string file{};                 ///< Appended to; empty: stderr.
};

/// One name and value of a record. Refers to the text given: use it as a temporary only.
/// Names in use: conn, user, remote, listener, dest, reason, err, and what an event needs besides.
class Field {
public:
    Field(std::string_view name, std::string_view text) : name_(name), text_(text) {}

    template <std::integral T>

    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
        Field(std::string_view name, T number)
        : name_(name),
          kind_(std::signed_integral<T> ? Kind::integer : Kind::natural),
          number_(static_cast<std::uint64_t>(number)) {}

    enum class Kind : std::uint8_t { text, integer, natural };

    [[nodiscard]] std::string_view name() const { return name_; }

    [[nodiscard]] Kind kind() const { return kind_; }

    [[nodiscard]] std::string_view text() const { return text_; }

    /// Two's complement where kind() is `integer`.
    [[nodiscard]] std::uint64_t number() const { return number_; }

private:
    std::string_view name_;
    std::string_view text_;
    Kind kind_ = Kind::text;
    std::uint64_t number_ = 0;
};

using Fields = std::initializer_list<Field>;

/// Starts logging; before it, and after shutdown(), records are dropped. Calling it again replaces
/// the options. Throws std::runtime_error of one sentence if the file cannot be opened. Not to be
/// called while other threads start or stop logging.
void init(const Options& options);

/// Writes what waits, pending summaries included, and ends the writer thread.
void shutdown();

/// Opens the file anew, after it was moved away; any thread. Returns what went wrong, in which case
/// the old one is written to as before; empty without a file too.
[[nodiscard]] std::string reopen();

/// Changes the level at run time; any thread.
void set_level(Level level);

/// The level in force.
[[nodiscard]] Level level();

/// The newest lines, 1,000 at most, the oldest first: each as the object that to_json() makes,
/// whatever the format of the output. Any thread.
[[nodiscard]] std::vector<std::string> recent();

namespace detail {

inline std::atomic<Level> threshold{Level::off};

}  // namespace detail

/// Whether records of `level` are written: one relaxed load, for callers with costly values.
[[nodiscard]] inline bool is_enabled(Level level) {
    return level != Level::off && level >= detail::threshold.load(std::memory_order_relaxed);
}

/// Writes a record; any thread, never waits for the output if asynchronous. `event` is a fixed
/// token such as `connection-refused`. Records with a `remote` field are limited to 10 a second for
/// each event and address; what was left out is counted in one line per 10 s.
void write(Level level, std::string_view event, std::string_view message, Fields fields = {});

inline void debug(std::string_view event, std::string_view message, Fields fields = {}) {
    if (is_enabled(Level::debug)) { write(Level::debug, event, message, fields); }
}

inline void info(std::string_view event, std::string_view message, Fields fields = {}) {
    if (is_enabled(Level::info)) { write(Level::info, event, message, fields); }
}

inline void warn(std::string_view event, std::string_view message, Fields fields = {}) {
    if (is_enabled(Level::warn)) { write(Level::warn, event, message, fields); }
}

inline void error(std::string_view event, std::string_view message, Fields fields = {}) {
    if (is_enabled(Level::error)) { write(Level::error, event, message, fields); }
}

/// Lines left out by the rate limit since the start, for metrics.
[[nodiscard]] std::uint64_t suppressed_total();

/// Lines lost because the writer lagged behind, since the last init().
[[nodiscard]] std::uint64_t overrun_total();

}  // namespace logging
