// Recognises a broker's frames in a stream of octets, fast: deliveries of known size by their
// shape. For brokers that are measured, not distrusted: no limits, no unescaping, no validation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// What a Scanner finds. The views live during the call.
class ScannerSink {
public:
    virtual ~ScannerSink() = default;

    /// A MESSAGE whose body has the expected size; `head` is command to blank line.
    virtual void on_delivery(std::string_view head, const char* body) = 0;
    /// Any other frame.
    virtual void on_frame(std::string_view head, std::string_view body) = 0;
    virtual void on_ping(std::string_view payload) = 0;
    /// A WebSocket close frame with this reason.
    virtual void on_close(std::string_view reason) = 0;
};

class Scanner {
public:
    Scanner(ScannerSink& sink, bool is_web_socket, std::size_t body_size)
        : sink_(sink), is_web_socket_(is_web_socket), body_size_(body_size) {}

    /// Reports what is complete in [begin, end) and returns how many octets that was; the rest has
    /// to be given again with more behind it.
    [[nodiscard]] std::size_t scan(const char* begin, const char* end);

    /// Ends the scan() under way and makes every further one consume nothing.
    void stop() { is_stopped_ = true; }

private:
    std::size_t scan_web_socket(const char* begin, const char* end);
    void on_message(std::uint8_t opcode, const char* payload, std::size_t size);
    void scan_piece(const char* begin, std::size_t size);
    std::size_t scan_stomp(const char* begin, const char* end);
    const char* end_of_head(const char* begin, const char* end) const;
    void on_stomp_frame(std::string_view head, std::string_view body);

    ScannerSink& sink_;
    const bool is_web_socket_;
    const std::size_t body_size_;
    bool is_stopped_ = false;
    std::size_t head_size_ = 0;  ///< Of the last MESSAGE: the next one's is likely the same.
    std::string partial_;        ///< An incomplete STOMP frame from earlier WebSocket messages.
};

/// The value of the header whose line begins with `name_line`, a line feed, the name and a colon.
[[nodiscard]] std::string_view header_value(std::string_view head, std::string_view name_line);

/// The decimal number at the beginning of `text`, or 0.
[[nodiscard]] std::uint64_t leading_number(std::string_view text);

}  // namespace cli
