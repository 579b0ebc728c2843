// Keys and values of the store on disk (docs/storage_format.md).
// Pure. Decoders take any octets: what they cannot read they refuse.
#pragma once

#include "storage/batch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// A key's octets, in place.
class Key {
public:
    void push(char octet) { octets_[size_++] = octet; }

    /// Big-endian, so that keys sort as numbers do.
    void push(std::uint64_t number);

    [[nodiscard]] std::string_view view() const { return {octets_.data(), size_}; }

private:
    std::array<char, 24> octets_{};
    std::size_t size_ = 0;
};

/// What a key of the state family speaks about.
enum class StateKind : char {
    definition = 'D',  ///< The first, so that recovery knows names from then on.
    cursor = 'c',
    deliveries = 'd',
    group = 'g',
    mark = 'm',
    next_queue = 'n',
};

struct StateKey {
    StateKind kind = StateKind::cursor;
    std::uint64_t number = 0;  ///< The queue, or the group's place in its ring.
    Sequence sequence = 0;     ///< Of deliveries and marks.
};

struct MessageKey {
    QueueId queue = 0;
    Sequence sequence = 0;
};

[[nodiscard]] Key message_key(QueueId queue, Sequence sequence);
[[nodiscard]] Key state_key(const StateKey& key);
[[nodiscard]] std::optional<MessageKey> parse_message_key(std::string_view key);
[[nodiscard]] std::optional<StateKey> parse_state_key(std::string_view key);

/// The octets before the payload: format and checksum.
inline constexpr std::size_t seal_size = 9;

/// Replaces `value` with a record of `payload`: format, XXH3-64 over key and payload, payload
/// (D-ROCK-01).
void seal(std::string& value, std::string_view key, std::string_view payload);
/// The payload, or nothing if the format is unknown or the checksum wrong.
[[nodiscard]] std::optional<std::string_view> unseal(std::string_view key, std::string_view value);

/// Where a queue stands.
struct Cursor {
    Sequence first = 1;  ///< The head: everything before it has left.
    Sequence last = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    Sequence dispatch_bound = 0;
    Sequence trimmed = 1;              ///< Messages before it are deleted from the disk.
    std::vector<SequenceRange> holes;  ///< Beyond the head; those in marks are not among them.

    friend bool operator==(const Cursor&, const Cursor&) = default;
};

void encode(std::string& payload, const Cursor& cursor);
void encode(std::string& payload, const QueueDefinition& definition);
void encode(std::string& payload, std::uint64_t number);

/// Nothing if the octets are no cursor, or one that cannot be: a head beyond the last plus one,
/// holes that touch or do not rise.
[[nodiscard]] std::optional<Cursor> decode_cursor(std::string_view payload);
[[nodiscard]] std::optional<QueueDefinition> decode_definition(std::string_view payload);
[[nodiscard]] std::optional<std::uint64_t> decode_number(std::string_view payload);

}  // namespace storage
