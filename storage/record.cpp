// Numbers in keys are big-endian, numbers in payloads are variable-length (LEB128).
// The only file that knows xxhash.
#include "storage/record.hpp"

#include <limits>
#include <xxhash.h>

namespace storage {
namespace {

constexpr char format = 1;
constexpr std::size_t number_size = 8;

void write_number(char* out, std::uint64_t number) {
    for (std::size_t i = 0; i < number_size; ++i) {
        out[i] = static_cast<char>(number >> (56 - 8 * i) & 0xFF);
    }
}

std::uint64_t read_number(std::string_view octets) {
    std::uint64_t number = 0;
    for (const char octet : octets.substr(0, number_size)) {
        number = number << 8 | static_cast<unsigned char>(octet);
    }
    return number;
}

/// The key seeds the payload's hash: a record at the wrong place is a wrong record.
std::uint64_t checksum(std::string_view key, std::string_view payload) {
    const XXH64_hash_t seed = XXH3_64bits(key.data(), key.size());
    return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

void put(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.push_back(static_cast<char>((number & 0x7F) | 0x80));
        number >>= 7;
    }
    out.push_back(static_cast<char>(number));
}

/// Reads numbers from a payload; the first that cannot be read spoils it.
class Input {
public:
    explicit Input(std::string_view rest) : rest_(rest) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto octet = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            if (shift == 63 && octet > 1) { break; }
            value |= static_cast<std::uint64_t>(octet & 0x7F) << shift;
            if (octet < 0x80) { return value; }
        }
        is_good_ = false;
        return 0;
    }

    std::string_view octets(std::uint64_t size) {
        is_good_ = is_good_ && size <= rest_.size();
        if (!is_good_) { return {}; }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    [[nodiscard]] std::string_view rest() const { return rest_; }

    [[nodiscard]] bool is_good() const { return is_good_; }

private:
    std::string_view rest_;
    bool is_good_ = true;
};

bool has_sequence(StateKind kind) {
    return kind == StateKind::deliveries || kind == StateKind::mark;
}

bool is_kind(char octet) {
    return std::string_view("Dcdgmn").find(octet) != std::string_view::npos;
}

/// The next hole behind `before`, which is the message before the gap; nothing if there is none.
std::optional<SequenceRange> read_hole(Input& input, Sequence before, Sequence last) {
    const std::uint64_t gap = input.number();
    const std::uint64_t size = input.number();
    if (!input.is_good() || gap == 0 || size == 0) { return std::nullopt; }
    if (gap > last - before || size > last - before - gap) { return std::nullopt; }
    return SequenceRange{before + gap + 1, before + gap + size};
}

}  // namespace

void Key::push(std::uint64_t number) {
    write_number(octets_.data() + size_, number);
    size_ += number_size;
}

Key message_key(QueueId queue, Sequence sequence) {
    Key key;
    key.push(queue);
    key.push(sequence);
    return key;
}

Key state_key(const StateKey& key) {
    Key octets;
    octets.push(static_cast<char>(key.kind));
    octets.push(key.number);
    if (has_sequence(key.kind)) { octets.push(key.sequence); }
    return octets;
}

std::optional<MessageKey> parse_message_key(std::string_view key) {
    if (key.size() != 2 * number_size) { return std::nullopt; }
    return MessageKey{read_number(key), read_number(key.substr(number_size))};
}

std::optional<StateKey> parse_state_key(std::string_view key) {
    if (key.empty() || !is_kind(key.front())) { return std::nullopt; }
    StateKey parsed{static_cast<StateKind>(key.front()), 0, 0};
    const std::size_t numbers = has_sequence(parsed.kind) ? 2 : 1;
    if (key.size() != 1 + numbers * number_size) { return std::nullopt; }
    parsed.number = read_number(key.substr(1));
    if (numbers == 2) { parsed.sequence = read_number(key.substr(1 + number_size)); }
    return parsed;
}

void seal(std::string& value, std::string_view key, std::string_view payload) {
    value.resize(seal_size);
    value[0] = format;
    write_number(value.data() + 1, checksum(key, payload));
    value.append(payload);
}

std::optional<std::string_view> unseal(std::string_view key, std::string_view value) {
    if (value.size() < seal_size || value.front() != format) { return std::nullopt; }
    const std::string_view payload = value.substr(seal_size);
    if (read_number(value.substr(1)) != checksum(key, payload)) { return std::nullopt; }
    return payload;
}

void encode(std::string& payload, const Cursor& cursor) {
    payload.clear();
    put(payload, cursor.first);
    put(payload, cursor.last);
    put(payload, cursor.messages);
    put(payload, cursor.bytes);
    put(payload, cursor.dispatch_bound);
    put(payload, cursor.trimmed);
    Sequence before = cursor.first - 1;
    for (const SequenceRange& hole : cursor.holes) {
        put(payload, hole.first - before - 1);
        put(payload, hole.last - hole.first + 1);
        before = hole.last;
    }
}

void encode(std::string& payload, const QueueDefinition& definition) {
    payload.clear();
    put(payload, definition.name.size());
    payload += definition.name;
    payload += definition.attributes;
}

void encode(std::string& payload, std::uint64_t number) {
    payload.clear();
    put(payload, number);
}

std::optional<Cursor> decode_cursor(std::string_view payload) {
    Input input(payload);
    Cursor cursor;
    cursor.first = input.number();
    cursor.last = input.number();
    cursor.messages = input.number();
    cursor.bytes = input.number();
    cursor.dispatch_bound = input.number();
    cursor.trimmed = input.number();
    if (!input.is_good() || cursor.first == 0 || cursor.trimmed == 0) { return std::nullopt; }
    if (cursor.last == std::numeric_limits<Sequence>::max()) { return std::nullopt; }
    if (cursor.first > cursor.last + 1 || cursor.trimmed > cursor.first) { return std::nullopt; }
    Sequence before = cursor.first - 1;
    while (!input.rest().empty()) {
        const std::optional<SequenceRange> hole = read_hole(input, before, cursor.last);
        if (!hole) { return std::nullopt; }
        cursor.holes.push_back(*hole);
        before = hole->last;
    }
    return cursor;
}

std::optional<QueueDefinition> decode_definition(std::string_view payload) {
    Input input(payload);
    QueueDefinition definition;
    definition.name = input.octets(input.number());
    definition.attributes = input.rest();
    if (!input.is_good()) { return std::nullopt; }
    return definition;
}

std::optional<std::uint64_t> decode_number(std::string_view payload) {
    Input input(payload);
    const std::uint64_t number = input.number();
    if (!input.is_good() || !input.rest().empty()) { return std::nullopt; }
    return number;
}

}  // namespace storage
