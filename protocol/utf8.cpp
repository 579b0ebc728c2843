// UTF-8 validation by simdjson, with a fast path for short ASCII texts.
// The only file that includes simdjson.
#include "protocol/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <simdjson.h>

namespace protocol {

namespace {

/// Below this a loop over words is cheaper than the call into simdjson's dispatcher.
constexpr std::size_t short_text_max = 64;

bool is_ascii(std::string_view text) {
    std::uint64_t seen = 0;
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        seen |= word;
    }
    for (; left > 0; ++at, --left) {
        seen |= static_cast<unsigned char>(*at);
    }
    return (seen & 0x8080808080808080U) == 0;
}

unsigned char octet(char c) {
    return static_cast<unsigned char>(c);
}

bool is_continuation(char c) {
    return (octet(c) & 0xC0U) == 0x80U;
}

/// Length of the sequence that `lead` begins; 0 if none begins so.
std::size_t sequence_size(unsigned char lead) {
    if (lead < 0x80) { return 1; }
    if (lead < 0xC2) { return 0; }
    if (lead < 0xE0) { return 2; }
    if (lead < 0xF0) { return 3; }
    return lead < 0xF5 ? 4 : 0;
}

/// Excludes overlong forms, surrogates and values above U+10FFFF: all show in the second octet.
bool is_second(unsigned char lead, unsigned char second) {
    switch (lead) {
        case 0xE0:
            return second >= 0xA0 && second <= 0xBF;
        case 0xED:
            return second >= 0x80 && second <= 0x9F;
        case 0xF0:
            return second >= 0x90 && second <= 0xBF;
        case 0xF4:
            return second >= 0x80 && second <= 0x8F;
        default:
            return second >= 0x80 && second <= 0xBF;
    }
}

/// True if `part` is one sequence or the beginning of one.
bool begins_sequence(std::string_view part) {
    const unsigned char lead = octet(part[0]);
    if (part.size() > sequence_size(lead)) { return false; }
    if (part.size() > 1 && !is_second(lead, octet(part[1]))) { return false; }
    return part.size() < 3 || std::all_of(part.begin() + 2, part.end(), is_continuation);
}

/// Octets at the end of `text` that belong to a sequence longer than what is there; at most 3.
std::size_t unfinished_tail(std::string_view text) {
    const std::size_t most = std::min<std::size_t>(3, text.size());
    for (std::size_t size = 1; size <= most; ++size) {
        const char c = text[text.size() - size];
        if (is_continuation(c)) { continue; }
        return sequence_size(octet(c)) > size ? size : 0;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    if (text.size() <= short_text_max && is_ascii(text)) { return true; }
    return simdjson::validate_utf8(text.data(), text.size());
}

std::string_view cut_utf8(std::string_view text, std::size_t size) {
    if (text.size() <= size) { return text; }
    while (size > 0 && is_continuation(text[size])) {
        --size;
    }
    return text.substr(0, size);
}

bool Utf8Stream::accept(std::string_view piece) {
    while (carried_size_ > 0 && !piece.empty()) {
        carried_[carried_size_++] = piece.front();
        piece.remove_prefix(1);
        if (!begins_sequence({carried_.data(), carried_size_})) { return false; }
        if (carried_size_ == sequence_size(octet(carried_[0]))) { carried_size_ = 0; }
    }
    const std::size_t tail = unfinished_tail(piece);
    const std::string_view whole = piece.substr(0, piece.size() - tail);
    if (!is_utf8(whole)) { return false; }
    if (tail == 0) { return true; }
    std::memcpy(carried_.data(), piece.data() + whole.size(), tail);
    carried_size_ = static_cast<std::uint8_t>(tail);
    return begins_sequence({carried_.data(), carried_size_});
}

bool Utf8Stream::finish() {
    const bool is_whole = carried_size_ == 0;
    carried_size_ = 0;
    return is_whole;
}

}  // namespace protocol
