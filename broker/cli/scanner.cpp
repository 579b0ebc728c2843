// The fast path is on_message(): a message that holds exactly one MESSAGE has its body where it
// must be. Everything else goes through scan_stomp(), which looks for the blank line.
#include "broker/cli/scanner.hpp"

#include <charconv>
#include <cstring>

namespace cli {
namespace {

constexpr std::size_t reason_at = 2;  // In a close frame, after the code.

}  // namespace

std::string_view header_value(std::string_view head, std::string_view name_line) {
    const void* const found =
        ::memmem(head.data(), head.size(), name_line.data(), name_line.size());
    if (found == nullptr) { return {}; }
    const char* const begin = static_cast<const char*>(found) + name_line.size();
    const std::string_view rest(begin, static_cast<std::size_t>(head.data() + head.size() - begin));
    return rest.substr(0, rest.find('\n'));
}

std::uint64_t leading_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::size_t Scanner::scan(const char* begin, const char* end) {
    return is_web_socket_ ? scan_web_socket(begin, end) : scan_stomp(begin, end);
}

std::size_t Scanner::scan_web_socket(const char* begin, const char* end) {
    const char* at = begin;
    while (end - at >= 2 && !is_stopped_) {
        const auto first = static_cast<std::uint8_t>(at[0]);
        std::size_t size = static_cast<std::uint8_t>(at[1]) & 0x7fU;
        const std::ptrdiff_t head = size < 126 ? 2 : size == 126 ? 4 : 10;
        if (end - at < head) { break; }
        if (head != 2) {
            size = 0;
            for (std::ptrdiff_t i = 2; i < head; ++i) {
                size = size << 8U | static_cast<std::uint8_t>(at[i]);
            }
        }
        if (static_cast<std::size_t>(end - at - head) < size) { break; }
        on_message(first & 0x0fU, at + head, size);
        at += head + static_cast<std::ptrdiff_t>(size);
    }
    return static_cast<std::size_t>(at - begin);
}

void Scanner::on_message(std::uint8_t opcode, const char* payload, std::size_t size) {
    if (opcode <= 2 && size > body_size_ + 9 && payload[0] == 'M' && partial_.empty()) {
        const std::size_t head_size = size - 1 - body_size_;
        const char* const body = payload + head_size;
        if (body[-1] == '\n' && body[-2] == '\n' && body[body_size_] == '\0') {
            return sink_.on_delivery({payload, head_size}, body);
        }
    }
    switch (opcode) {
        case 8:
            sink_.on_close(
                size > reason_at ? std::string_view(payload + reason_at, size - reason_at) : ""
            );
            break;
        case 9:
            sink_.on_ping({payload, size});
            break;
        case 10:
            break;
        default:
            scan_piece(payload, size);
    }
}

void Scanner::scan_piece(const char* begin, std::size_t size) {
    if (partial_.empty()) {
        const std::size_t used = scan_stomp(begin, begin + size);
        partial_.assign(begin + used, size - used);
        return;
    }
    partial_.append(begin, size);
    partial_.erase(0, scan_stomp(partial_.data(), partial_.data() + partial_.size()));
}

/// The first octet after the blank line of the frame at `begin`, or null.
const char* Scanner::end_of_head(const char* begin, const char* end) const {
    const auto size = static_cast<std::size_t>(end - begin);
    if (head_size_ >= 2 && size >= head_size_ && *begin == 'M' && begin[head_size_ - 1] == '\n' &&
        begin[head_size_ - 2] == '\n') {
        return begin + head_size_;
    }
    const void* const found = ::memmem(begin, size, "\n\n", 2);
    return found == nullptr ? nullptr : static_cast<const char*>(found) + 2;
}

std::size_t Scanner::scan_stomp(const char* begin, const char* end) {
    const char* at = begin;
    while (at < end && !is_stopped_) {
        if (*at == '\n' || *at == '\r') {
            ++at;
            continue;
        }
        const char* const body = end_of_head(at, end);
        if (body == nullptr) { break; }
        const std::string_view head(at, static_cast<std::size_t>(body - at));
        const auto rest = static_cast<std::size_t>(end - body);
        const std::string_view length = header_value(head, "\ncontent-length:");
        std::size_t size = leading_number(length);
        if (length.empty()) {
            const void* const nul = std::memchr(body, 0, rest);
            size = nul == nullptr ? rest
                                  : static_cast<std::size_t>(static_cast<const char*>(nul) - body);
        }
        if (size >= rest) { break; }
        on_stomp_frame(head, {body, size});
        at = body + size + 1;
    }
    return static_cast<std::size_t>(at - begin);
}

void Scanner::on_stomp_frame(std::string_view head, std::string_view body) {
    if (head.front() != 'M') { return sink_.on_frame(head, body); }
    head_size_ = head.size();
    if (body.size() == body_size_) { sink_.on_delivery(head, body.data()); }
}

}  // namespace cli
