// Records of the store: what is damaged is refused, what was written is read again, and a queue
// restored from its records knows what has left as it did before.
// Input: an octet that says what it is, then octets as on disk, or steps.
#include "broker/engine/stored_message.hpp"
#include "storage/ack_set.hpp"
#include "storage/queue_state.hpp"
#include "storage/record.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::Choices;
using fuzz::require;
using storage::AckSet;
using storage::Sequence;
using storage::SequenceRange;

constexpr Sequence sequence_max = 96;
constexpr std::size_t steps_max = 200;

template <class T>
void check_encoding(const T& value, std::optional<T> (*decode)(std::string_view)) {
    std::string payload;
    storage::encode(payload, value);
    const auto again = decode(payload);
    require(again.has_value() && *again == value, "what is written can be read");
    for (std::size_t size = 0; size < payload.size(); ++size) {
        (void)decode(std::string_view(payload).substr(0, size));
    }
}

void check_cursor(std::string_view octets) {
    const auto cursor = storage::decode_cursor(octets);
    if (!cursor) { return; }
    check_encoding(*cursor, storage::decode_cursor);
    require(cursor->first <= cursor->last + 1, "the head is in the queue");
    storage::QueueState state(1);
    if (!state.restore(*cursor) || !state.settle()) { return; }
    require(state.last() == cursor->last, "its end is the cursor's");
    require(cursor->first == 1 || state.has_left(cursor->first - 1), "what is before has left");
    for (const SequenceRange& hole : cursor->holes) {
        require(state.has_left(hole.first) && state.has_left(hole.last), "holes have left");
        require(
            hole.last == cursor->last || !state.has_left(hole.last + 1), "what follows has not"
        );
    }
}

void check_keys(std::string_view octets) {
    if (const auto key = storage::parse_message_key(octets)) {
        require(storage::message_key(key->queue, key->sequence).view() == octets, "the same key");
    }
    if (const auto key = storage::parse_state_key(octets)) {
        require(storage::state_key(*key).view() == octets, "the same key");
    }
}

/// The size of the key, where a bit is turned, and which; then key and payload.
void check_seal(Choices& choices) {
    const std::size_t key_size = choices.octet() % 25U;
    const std::size_t place = choices.octet();
    const auto bit = static_cast<char>(1U << choices.octet() % 8U);
    const std::string_view key = choices.rest().substr(0, key_size);
    const std::string_view payload = choices.rest().substr(key.size());
    std::string value;
    storage::seal(value, key, payload);
    require(value.size() == storage::seal_size + payload.size(), "a seal has its size");
    require(storage::unseal(key, value) == payload, "what is sealed can be read");
    require(!storage::unseal(std::string(key) + "x", value), "not under another key");
    std::string damaged = value;
    char& octet = damaged[place % damaged.size()];
    octet = static_cast<char>(octet ^ bit);
    require(!storage::unseal(key, damaged), "damage is noticed");
    require(!storage::unseal(key, value.substr(0, place % value.size())), "a cut is noticed");
    (void)storage::unseal(key, payload);
}

void check_message(std::string_view octets) {
    const engine::MessageRef message = engine::restore_message(octets);
    if (!message) { return; }
    require(message->whole() == octets, "a message is what was stored");
    require(message->size() == octets.size(), "and of its size");
    require(message->id_line().size() > 12, "it has an id");
    const std::string length = "content-length:" + std::to_string(message->body().size()) + "\n";
    require(message->length_line() == length, "its length is the body's");
    for (const auto version :
         {protocol::Version::v1_0, protocol::Version::v1_1, protocol::Version::v1_2}) {
        const std::string_view head = message->head(version);
        require(head.starts_with('\n') || head.ends_with("\n\n"), "its head ends");
        require(head.find('\0') == std::string_view::npos || head.size() > 1, "its head is lines");
    }
}

/// An AckSet, the records that it has on disk, and who tells slowly what has left.
class Queue {
public:
    void step(Choices& choices);
    void check() const;

private:
    void remove(SequenceRange messages);
    void write_marks(std::size_t max);

    AckSet set_;
    std::vector<bool> has_left_ = std::vector<bool>(sequence_max + 2, false);
    std::map<Sequence, Sequence> marks_;
};

void Queue::step(Choices& choices) {
    const std::uint8_t choice = choices.octet();
    if (choice % 8 == 0) { return write_marks(choice / 8U % 8U); }
    if (choice % 8 == 1) {
        (void)set_.take_trims();
        return;
    }
    const Sequence first = 1 + choices.octet() % sequence_max;
    remove({first, std::min<Sequence>(first + choice / 64U, sequence_max)});
}

void Queue::remove(SequenceRange messages) {
    bool are_there = true;
    for (Sequence i = messages.first; i <= messages.last; ++i) {
        are_there = are_there && !has_left_[i];
    }
    require(set_.has_all(messages) == are_there, "all are there or not");
    if (!are_there) { return; }
    set_.remove(messages);
    for (Sequence i = messages.first; i <= messages.last; ++i) {
        has_left_[i] = true;
    }
}

void Queue::write_marks(std::size_t max) {
    for (const SequenceRange& mark : set_.take_marks(max)) {
        require(marks_.emplace(mark.first, mark.last).second, "each mark is written once");
    }
    for (const Sequence first : set_.take_passed_marks()) {
        require(marks_.erase(first) == 1, "a mark that was passed was there");
    }
    require(set_.unmarked_count() <= max, "the cursor record is small");
}

void Queue::check() const {
    AckSet restored(set_.head());
    for (const SequenceRange& hole : set_.unmarked()) {
        require(restored.restore(hole, false), "what the cursor says is right");
    }
    for (const auto& [first, last] : marks_) {
        require(restored.restore({first, last}, true), "what marks say is right");
    }
    restored.settle();
    require(restored.head() == set_.head(), "the head is the same after a restart");
    for (Sequence i = 1; i <= sequence_max; ++i) {
        require(set_.has_left(i) == has_left_[i], "who has left has left");
        require(restored.has_left(i) == has_left_[i], "after a restart, too");
    }
}

void check_ack_set(Choices& choices) {
    Queue queue;
    for (std::size_t i = 0; i < steps_max && !choices.rest().empty(); ++i) {
        queue.step(choices);
    }
    queue.check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Choices choices(data, size);
    switch (choices.octet() % 7) {
        case 0:
            check_cursor(choices.rest());
            break;
        case 1:
            if (const auto definition = storage::decode_definition(choices.rest())) {
                check_encoding(*definition, storage::decode_definition);
            }
            break;
        case 2:
            if (const auto number = storage::decode_number(choices.rest())) {
                check_encoding(*number, storage::decode_number);
            }
            break;
        case 3:
            check_keys(choices.rest());
            break;
        case 4:
            check_seal(choices);
            break;
        case 5:
            check_message(choices.rest());
            break;
        default:
            check_ack_set(choices);
    }
    return 0;
}
