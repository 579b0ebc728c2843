// UTF-8 validation: whole texts, and a stream of pieces (P-FRAME-14, P-WS-08, P-WS-12).
// simdjson does the work; short ASCII texts take a fast path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace protocol {

[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` cut to at most `size` octets, not inside a sequence.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t size);

/// Validates a text that arrives in pieces cut anywhere, as early as a piece shows the fault.
/// Holds at most 3 octets between calls.
class Utf8Stream {
public:
    /// False as soon as the text so far cannot be the beginning of valid UTF-8.
    [[nodiscard]] bool accept(std::string_view piece);

    /// True if the text does not end inside a sequence; starts afresh.
    [[nodiscard]] bool finish();

private:
    std::array<char, 4> carried_{};
    std::uint8_t carried_size_ = 0;
};

}  // namespace protocol
