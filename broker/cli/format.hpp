// Received messages as text for people and scripts: --format strings and JSON.
// Pure; the caller supplies the time.
#pragma once

#include "protocol/frame.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A `--format` string, parsed once: `%d` destination, `%b` body, `%i` message-id, `%s`
/// subscription, `%h` all headers as `name:value` with commas, `%{name}` one header, `%l` length of
/// the body, `%t` time of receipt, `%%`; and `\n`, `\t`, `\0`, `\\`.
class MessageFormat {
public:
    /// What becomes of the peers' text; the format's own stays as it is.
    enum class Text : unsigned char { as_it_is, printable };

    /// Throws Failure (usage) for anything else after `%` or `\`.
    explicit MessageFormat(std::string_view format, Text text = Text::as_it_is);

    void append(std::string& out, const protocol::Frame& frame, std::string_view time) const;

private:
    enum class Kind : unsigned char { literal, header, all_headers, body, length, time };

    struct Piece {
        Kind kind;
        std::string text;  ///< The literal, or the header's name.
    };

    void add_literal(char c);
    std::string_view add_directive(std::string_view rest);

    void append_text(std::string& out, std::string_view text) const;

    Text text_;
    std::vector<Piece> pieces_;
};

/// One line of JSON without its line end: `headers` (an object in the order received), then `body`,
/// or `body_base64` if the body is not UTF-8, or neither if `with_body` is false.
[[nodiscard]] std::string to_json(const protocol::Frame& frame, bool with_body);

}  // namespace cli
