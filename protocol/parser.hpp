// Incremental STOMP frame parser: bytes in, frames out.
// Pure: no I/O, no clock; memory bounded by `Limits` and growing with octets received, never with
// a declared length (P-FRAME-15). Grammar: STOMP 1.2, "Augmented BNF"; rules P-FRAME-01 to -15.
#pragma once

#include "protocol/error.hpp"
#include "protocol/frame.hpp"
#include "protocol/limits.hpp"
#include "protocol/version.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace protocol {

/// What sloppiness was accepted, counted by kind (the specification's "tolerance").
struct Tolerances {
    std::uint64_t carriage_return = 0;  ///< CR LF line ends before 1.2 (P-FRAME-04).
    std::uint64_t nul_between = 0;      ///< NUL between frames (P-FRAME-02).
    std::uint64_t raw_colon = 0;        ///< Unescaped `:` in a value (P-FRAME-05).
    std::uint64_t body_dropped = 0;     ///< Body on a command other than SEND (P-FRAME-13).
    std::uint64_t escape_kept = 0;      ///< Undefined escape kept (P-FRAME-08).

    void add(const Tolerances& other) {
        carriage_return += other.carriage_return;
        nul_between += other.nul_between;
        raw_colon += other.raw_colon;
        body_dropped += other.body_dropped;
        escape_kept += other.escape_kept;
    }
};

/// Working space that many parsers of one shard share: an idle parser owns no buffer.
struct ParserScratch {
    std::vector<Header> headers;
    Tolerances tolerances;  ///< Of all who share it.
};

class Parser {
public:
    enum class Event : std::uint8_t {
        need_more,    ///< All input is consumed; feed() again.
        end_of_line,  ///< LF, CR LF or NUL between frames: life, not a frame.
        frame,        ///< frame() is valid until the next call of next() or feed().
        failed,       ///< error() says why; every further next() fails too.
    };

    /// Which side's frames are read: servers' parsers know octets before CONNECTED and refuse
    /// server commands, clients' parsers the opposite.
    enum class Role : std::uint8_t { broker, client };

    Parser(const Limits& limits, ParserScratch& scratch, Role role = Role::broker)
        : limits_(limits), scratch_(scratch), role_(role) {}

    /// Gives `input` to the parser. It is modified (escapes are undone in place) and must stay
    /// valid until next() has answered `need_more`, which also ends every view given out.
    /// `is_utf8`: the input is part of a text that is validated as UTF-8 while it comes.
    void feed(std::span<char> input, bool is_utf8 = false);

    [[nodiscard]] Event next();

    [[nodiscard]] const Frame& frame() const { return frame_; }

    [[nodiscard]] const Error& error() const { return *error_; }

    /// The value of `receipt` of the frame being refused, if it had been parsed (P-ERR-03).
    [[nodiscard]] std::string_view failed_receipt() const { return failed_receipt_; }

    /// Escapes follow `version` from the next frame on and the limits before CONNECTED end.
    void connected(Version version);

    /// Takes back the input that next() has not reached, for later or never. Views given out stay
    /// valid.
    [[nodiscard]] std::span<char> take_rest() { return std::exchange(input_, {}); }

    [[nodiscard]] bool is_mid_frame() const { return stage_ != Stage::between; }

    /// A CONNECT or STOMP whose blank line has arrived but whose NUL has not (P-WS-10).
    [[nodiscard]] bool is_connect_without_nul() const;
    /// Ends such a CONNECT as if its NUL had come (`tolerate_missing_nul`).
    void supply_missing_nul();

    /// Octets held for an incomplete frame.
    [[nodiscard]] std::size_t held_bytes() const {
        return held_.capacity() > 15 ? held_.capacity() : 0;
    }

    [[nodiscard]] const Tolerances& tolerances() const { return scratch_.tolerances; }

private:
    enum class Stage : std::uint8_t { between, command, headers, body };

    Event between_frames();
    Event skip(char octet);
    Event read_frame();
    Event scan(char* data, std::size_t size);
    Event scan_stages(char* data, std::size_t size);
    Event scan_command(const char* data, std::size_t size);
    Event scan_headers(char* data, std::size_t size);
    Event scan_body(char* data, std::size_t size);
    Event check_line(const char* data, std::size_t end);
    Event split_line(char* begin, char* end);
    Event end_of_head(char* data);
    Event read_content_length();
    Event check_head_octets(std::string_view head);
    Event count_line_ends(std::string_view head);
    Event count_raw_colons();
    Event unescape_headers();
    Event finish(char* data, std::size_t body_size);
    Event split_again(char* data);
    Event refuse_command(std::string_view line);
    Event refuse_direction(std::string_view line);
    Event refuse_budget();
    Event refuse_body_end();
    void find_failed_receipt();
    Event fail(ErrorCode code, std::string what, std::string remedy, std::string_view rule);
    Event fail_at(LimitKey limit, ErrorCode code, std::string what, std::string remedy);
    bool try_repeat();
    void add_header(const Header& header);
    void remember_head(const char* data);
    void hold(std::size_t octets);
    void restart();
    [[nodiscard]] std::size_t useful_input() const;
    [[nodiscard]] std::size_t line_end_of_command(const char* data) const;
    [[nodiscard]] std::size_t budget() const;
    [[nodiscard]] bool is_connecting() const;
    [[nodiscard]] bool trims_values() const;
    [[nodiscard]] std::string_view line_text(const char* begin, const char* end) const;

    // Constant after construction.
    const Limits& limits_;
    ParserScratch& scratch_;
    Role role_;

    // The connection's state.
    Version version_ = Version::v1_0;
    bool connected_ = false;
    std::size_t octets_before_connected_ = 0;

    // The frame being read; positions count from its first octet.
    Stage stage_ = Stage::between;
    Command command_ = Command::send;
    bool pending_cr_ = false;        ///< Between frames: a CR that must be followed by LF.
    bool is_split_ = false;          ///< The shared headers are views into the present buffer.
    bool body_ended_early_ = false;  ///< supply_missing_nul() was called.
    std::uint64_t seen_names_ = 0;   ///< One bit per hash of a name: a miss proves a new name.
    std::size_t header_count_ = 0;
    std::size_t header_bytes_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t scanned_ = 0;
    std::size_t body_begin_ = 0;
    std::optional<std::size_t> content_length_;

    std::span<char> input_;
    bool input_is_utf8_ = false;
    bool held_is_utf8_ = false;
    std::string held_;  ///< The incomplete frame's octets from earlier input.
    bool frame_in_held_ = false;

    // The head of the last SEND, as received, and its headers as views into it.
    std::string known_head_;
    std::vector<Header> known_headers_;
    std::optional<std::size_t> known_content_length_;
    std::uint64_t known_line_ends_ = 0;  ///< Tolerances that each repetition counts again.
    std::uint64_t known_raw_colons_ = 0;

    Frame frame_;
    std::unique_ptr<Error> error_;
    std::string failed_receipt_;
};

}  // namespace protocol
